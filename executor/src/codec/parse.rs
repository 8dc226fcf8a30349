//! `PARSE` as bytes.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use datafusion_proto::protobuf::{PhysicalExprNode, Schema as SchemaMessage};
use gleam_sql_formats::{ColumnSpec, FormatSpec, TimestampFormat};
use prost::{Message, Oneof};

use super::pipe::{OnErrorMessage, known};
use super::{ArgumentsMessage, Decoder, LabelMessage, broken, encode_arguments, schema};
use crate::exec::{ParseExec, ParseSource, ParseSpec};

#[derive(Clone, PartialEq, Message)]
pub(super) struct ParseMessage {
    #[prost(message, optional, tag = "1")]
    label: Option<LabelMessage>,
    #[prost(string, tag = "2")]
    keyword: String,
    #[prost(string, optional, tag = "3")]
    text: Option<String>,
    /// Names and types of the fields.
    #[prost(message, optional, tag = "4")]
    fields: Option<SchemaMessage>,
    /// How the times of each field are written.
    #[prost(message, repeated, tag = "5")]
    times: Vec<TimeMessage>,
    #[prost(enumeration = "OnErrorMessage", tag = "6")]
    on_error: i32,
    #[prost(message, optional, tag = "7")]
    arguments: Option<ArgumentsMessage>,
    #[prost(message, repeated, tag = "8")]
    sources: Vec<SourceMessage>,
    #[prost(message, optional, tag = "9")]
    predicate: Option<PhysicalExprNode>,
    #[prost(uint64, repeated, tag = "10")]
    columns: Vec<u64>,
    #[prost(bool, tag = "11")]
    in_order: bool,
    /// What the fields are called in the output.
    #[prost(string, repeated, tag = "12")]
    names: Vec<String>,
}

/// Nothing where the usual forms are recognised.
#[derive(Clone, PartialEq, Message)]
struct TimeMessage {
    /// Times without a year are before this moment, in seconds since the epoch.
    #[prost(int64, optional, tag = "1")]
    before: Option<i64>,
    /// The form, in strftime's conversions.
    #[prost(string, optional, tag = "2")]
    strftime: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct SourceMessage {
    #[prost(oneof = "Source", tags = "1, 2")]
    source: Option<Source>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
enum Source {
    #[prost(uint64, tag = "1")]
    Input(u64),
    #[prost(uint64, tag = "2")]
    Field(u64),
}

pub(super) fn encode_parse(
    parse: &ParseExec,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<ParseMessage> {
    let ParseSpec { label, format, columns, names, on_error } = parse.spec().as_ref();
    let fields = columns.iter().map(|c| Field::new(&c.name, c.data_type.clone(), true));
    let fields = Schema::new(fields.collect::<Vec<_>>());
    let predicate =
        parse.predicate().map(|predicate| converter.physical_expr_to_proto(predicate, codec));
    Ok(ParseMessage {
        label: Some(label.into()),
        keyword: format.keyword().to_owned(),
        text: format.text().map(str::to_owned),
        fields: Some((&fields).try_into()?),
        times: columns.iter().map(|column| TimeMessage::from(&column.time)).collect(),
        on_error: OnErrorMessage::from(*on_error).into(),
        arguments: Some(encode_arguments(parse.arguments(), codec, converter)?),
        sources: parse.sources().iter().map(|source| (*source).into()).collect(),
        predicate: predicate.transpose()?,
        columns: parse.columns().iter().map(|column| *column as u64).collect(),
        in_order: parse.is_in_order(),
        names: names.clone(),
    })
}

impl Decoder<'_> {
    pub(super) fn parse(
        &self,
        message: ParseMessage,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let format = FormatSpec::from_parts(&message.keyword, message.text.as_deref())
            .ok_or_else(|| broken(&"an unknown format"))?;
        let fields = schema(message.fields)?;
        if fields.fields().len() != message.times.len()
            || fields.fields().len() != message.names.len()
        {
            return Err(broken(&"a name and a form of times for each field"));
        }
        let columns = fields.fields().iter().zip(message.times).map(|(field, time)| {
            let column = ColumnSpec::new(field.name(), field.data_type().clone());
            Ok(column.with_time(time.try_into()?))
        });
        let spec = ParseSpec {
            label: message.label.unwrap_or_default().into(),
            format,
            columns: columns.collect::<Result<_>>()?,
            names: message.names,
            on_error: known::<OnErrorMessage>(message.on_error)?.into(),
        };
        let arguments = self.arguments(message.arguments, &input.schema())?;
        if arguments.values.len() != 1 {
            return Err(broken(&"one line to parse"));
        }
        let (inputs, fields) = (input.schema().fields().len(), spec.columns.len());
        let sources = message.sources.iter().map(|source| match source.source {
            Some(Source::Input(index)) => within(index, inputs).map(ParseSource::Input),
            Some(Source::Field(index)) => within(index, fields).map(ParseSource::Field),
            None => Err(broken(&"a column from nowhere")),
        });
        let sources: Arc<[ParseSource]> = sources.collect::<Result<_>>()?;
        let columns = message.columns.iter().map(|column| within(*column, sources.len()));
        let columns = columns.collect::<Result<_>>()?;
        let parse = ParseExec::try_new(Arc::clone(input), Arc::new(spec), arguments, sources)?;
        let predicate = match message.predicate {
            Some(predicate) => Some(self.expressions(&[predicate], parse.all_columns())?.remove(0)),
            None => None,
        };
        let parse = parse.with_predicate(predicate).in_order(message.in_order);
        Ok(Arc::new(parse.with_columns(columns)?))
    }
}

pub(super) fn within(index: u64, length: usize) -> Result<usize> {
    usize::try_from(index)
        .ok()
        .filter(|index| *index < length)
        .ok_or_else(|| broken(&"columns that are not there"))
}

impl From<&TimestampFormat> for TimeMessage {
    fn from(format: &TimestampFormat) -> Self {
        match format {
            TimestampFormat::Recognised => Self::default(),
            TimestampFormat::RecognisedBefore(moment) => {
                Self { before: Some(*moment), strftime: None }
            }
            TimestampFormat::Strftime(form) => {
                Self { before: form.moment(), strftime: Some(form.text().to_owned()) }
            }
        }
    }
}

impl TryFrom<TimeMessage> for TimestampFormat {
    type Error = DataFusionError;

    fn try_from(message: TimeMessage) -> Result<Self> {
        let form = match message.strftime {
            Some(text) => Self::strftime(&text).map_err(|error| broken(&error))?,
            None => Self::Recognised,
        };
        Ok(match message.before {
            Some(moment) => form.before(moment),
            None => form,
        })
    }
}

impl From<ParseSource> for SourceMessage {
    fn from(source: ParseSource) -> Self {
        let source = match source {
            ParseSource::Input(index) => Source::Input(index as u64),
            ParseSource::Field(index) => Source::Field(index as u64),
        };
        Self { source: Some(source) }
    }
}
