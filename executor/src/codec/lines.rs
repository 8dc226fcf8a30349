//! `FOLD` and `GAPFILL` as bytes.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use datafusion_proto::protobuf::Schema as SchemaMessage;
use prost::{Message, Oneof};

use super::parse::within;
use super::{ArgumentsMessage, Decoder, LabelMessage, broken, encode_arguments, schema};
use crate::exec::{FoldExec, FoldSource, FoldSpec, GapStep, GapfillExec, GapfillSpec};

#[derive(Clone, PartialEq, Message)]
pub(super) struct FoldMessage {
    #[prost(message, optional, tag = "1")]
    label: Option<LabelMessage>,
    #[prost(string, tag = "2")]
    start: String,
    #[prost(uint64, tag = "3")]
    max_lines: u64,
    #[prost(message, optional, tag = "4")]
    arguments: Option<ArgumentsMessage>,
    /// For each column of the output one more than the index of that of the input, or 0 for the
    /// lines.
    #[prost(uint64, repeated, tag = "5")]
    sources: Vec<u64>,
    #[prost(message, optional, tag = "6")]
    schema: Option<SchemaMessage>,
    #[prost(bool, tag = "7")]
    in_order: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GapfillMessage {
    #[prost(message, optional, tag = "1")]
    label: Option<LabelMessage>,
    #[prost(uint64, tag = "2")]
    column: u64,
    #[prost(oneof = "Step", tags = "3, 4")]
    step: Option<Step>,
    #[prost(uint64, repeated, tag = "5")]
    keys: Vec<u64>,
    #[prost(message, optional, tag = "6")]
    schema: Option<SchemaMessage>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
enum Step {
    #[prost(int64, tag = "3")]
    Units(i64),
    #[prost(int32, tag = "4")]
    Months(i32),
}

pub(super) fn encode_fold(
    fold: &FoldExec,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<FoldMessage> {
    let FoldSpec { label, start, max_lines } = fold.spec().as_ref();
    let sources = fold.sources().iter().map(|source| match source {
        FoldSource::Lines => 0,
        FoldSource::Input(index) => *index as u64 + 1,
    });
    Ok(FoldMessage {
        label: Some(label.into()),
        start: start.clone(),
        max_lines: *max_lines,
        arguments: Some(encode_arguments(fold.arguments(), codec, converter)?),
        sources: sources.collect(),
        schema: Some(fold.schema().as_ref().try_into()?),
        in_order: fold.is_in_order(),
    })
}

pub(super) fn encode_gapfill(gapfill: &GapfillExec) -> Result<GapfillMessage> {
    let GapfillSpec { label, column, step, keys } = gapfill.spec().as_ref();
    Ok(GapfillMessage {
        label: Some(label.into()),
        column: *column as u64,
        step: Some(match step {
            GapStep::Units(units) => Step::Units(*units),
            GapStep::Months(months) => Step::Months(*months),
        }),
        keys: keys.iter().map(|key| *key as u64).collect(),
        schema: Some(gapfill.schema().as_ref().try_into()?),
    })
}

impl Decoder<'_> {
    pub(super) fn fold(
        &self,
        message: FoldMessage,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = input.schema().fields().len();
        let source = |source: &u64| match source.checked_sub(1) {
            None => Ok(FoldSource::Lines),
            Some(index) => within(index, columns).map(FoldSource::Input),
        };
        let sources: Arc<[FoldSource]> =
            message.sources.iter().map(source).collect::<Result<_>>()?;
        let arguments = self.arguments(message.arguments, &input.schema())?;
        let schema = schema(message.schema)?;
        if arguments.values.is_empty() || sources.len() != schema.fields().len() {
            return Err(broken(&"a line to fold, and where columns come from"));
        }
        let spec = FoldSpec {
            label: message.label.unwrap_or_default().into(),
            start: message.start,
            max_lines: message.max_lines,
        };
        let input = Arc::clone(input);
        let fold = FoldExec::try_new(input, Arc::new(spec), arguments, sources, schema)?;
        Ok(Arc::new(fold.in_order(message.in_order)))
    }

    pub(super) fn gapfill(
        &self,
        message: GapfillMessage,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = input.schema().fields().len();
        let keys = message.keys.iter().map(|key| within(*key, columns));
        let spec = GapfillSpec {
            label: message.label.unwrap_or_default().into(),
            column: within(message.column, columns)?,
            step: match message.step {
                Some(Step::Units(units)) if units > 0 => GapStep::Units(units),
                Some(Step::Months(months)) if months > 0 => GapStep::Months(months),
                _ => return Err(broken(&"a step forward")),
            },
            keys: keys.collect::<Result<_>>()?,
        };
        let schema = schema(message.schema)?;
        if schema.fields().len() != columns {
            return Err(broken(&"the columns of the input"));
        }
        Ok(Arc::new(GapfillExec::new(Arc::clone(input), Arc::new(spec), schema)))
    }
}
