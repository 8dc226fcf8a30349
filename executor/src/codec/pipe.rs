//! `PIPE` as bytes.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::Schema;
use datafusion::error::Result;
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::parse_physical_sort_exprs;
use datafusion_proto::physical_plan::to_proto::serialize_physical_sort_exprs;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::{PhysicalExprNode, PhysicalSortExprNode, Schema as SchemaMessage};
use prost::{Enumeration, Message};

use super::{ArgumentsMessage, Decoder, LabelMessage, broken, encode_arguments, schema};
use crate::exec::{Arrangement, OperatorArguments, PipeCommand, PipeExec, PipeScope, PipeSpec};
use crate::operator::OnError;
use crate::wire::WireFormat;

#[derive(Clone, PartialEq, Message)]
pub(super) struct PipeMessage {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<LabelMessage>,
    #[prost(string, repeated, tag = "2")]
    codes: Vec<String>,
    #[prost(message, optional, tag = "3")]
    arguments: Option<ArgumentsMessage>,
    #[prost(enumeration = "FormatMessage", tag = "4")]
    input_format: i32,
    #[prost(enumeration = "FormatMessage", tag = "5")]
    output_format: i32,
    #[prost(message, optional, tag = "6")]
    schema: Option<SchemaMessage>,
    #[prost(bool, tag = "7")]
    in_order: bool,
    #[prost(string, repeated, tag = "8")]
    input_names: Vec<String>,
    #[prost(enumeration = "ScopeMessage", tag = "9")]
    scope: i32,
    #[prost(int32, repeated, tag = "10")]
    ok_exit: Vec<i32>,
    #[prost(message, optional, tag = "11")]
    timeout: Option<TimeoutMessage>,
    #[prost(enumeration = "OnErrorMessage", tag = "12")]
    on_error: i32,
    #[prost(message, repeated, tag = "13")]
    partition_by: Vec<PhysicalExprNode>,
    #[prost(message, repeated, tag = "14")]
    order_by: Vec<PhysicalSortExprNode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
enum FormatMessage {
    Raw = 0,
    Tsv = 1,
    Csv = 2,
    Json = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
enum ScopeMessage {
    Split = 0,
    Partitioned = 1,
    Single = 2,
    PerRow = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(super) enum OnErrorMessage {
    Fail = 0,
    Null = 1,
    Skip = 2,
}

#[derive(Clone, PartialEq, Message)]
struct TimeoutMessage {
    #[prost(uint64, tag = "1")]
    seconds: u64,
    #[prost(uint32, tag = "2")]
    nanoseconds: u32,
}

pub(super) fn encode_pipe(
    pipe: &PipeExec,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<PipeMessage> {
    let spec = pipe.spec();
    let Arrangement { partition_by, order_by, in_order } = pipe.arrangement();
    let keys = partition_by.iter().map(|key| converter.physical_expr_to_proto(key, codec));
    let order_by = order_by.iter().flatten().cloned();
    Ok(PipeMessage {
        labels: spec.commands.iter().map(|command| LabelMessage::from(&command.label)).collect(),
        codes: spec.commands.iter().map(|command| command.code.clone()).collect(),
        arguments: Some(encode_arguments(pipe.arguments(), codec, converter)?),
        input_format: FormatMessage::from(spec.input_format).into(),
        output_format: FormatMessage::from(spec.output_format).into(),
        schema: Some(pipe.schema().as_ref().try_into()?),
        in_order: *in_order,
        input_names: spec.input_names.clone(),
        scope: ScopeMessage::from(spec.scope).into(),
        ok_exit: spec.ok_exit.clone(),
        timeout: spec.timeout.map(|timeout| TimeoutMessage {
            seconds: timeout.as_secs(),
            nanoseconds: timeout.subsec_nanos(),
        }),
        on_error: OnErrorMessage::from(spec.on_error).into(),
        partition_by: keys.collect::<Result<_>>()?,
        order_by: serialize_physical_sort_exprs(order_by, codec, converter)?,
    })
}

impl Decoder<'_> {
    pub(super) fn pipe(
        &self,
        message: PipeMessage,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if message.codes.is_empty() || message.codes.len() != message.labels.len() {
            return Err(broken(&"a label for each shell program"));
        }
        let commands = message
            .labels
            .iter()
            .zip(&message.codes)
            .map(|(label, code)| PipeCommand { label: label.clone().into(), code: code.clone() });
        let timeout = message.timeout.as_ref();
        let spec = PipeSpec {
            commands: commands.collect(),
            input_format: known::<FormatMessage>(message.input_format)?.into(),
            input_names: message.input_names.clone(),
            output_format: known::<FormatMessage>(message.output_format)?.into(),
            scope: known::<ScopeMessage>(message.scope)?.into(),
            ok_exit: message.ok_exit.clone(),
            timeout: timeout.map(TimeoutMessage::duration).transpose()?,
            on_error: known::<OnErrorMessage>(message.on_error)?.into(),
        };
        let arguments = self.arguments(message.arguments.clone(), &input.schema())?;
        let arrangement = self.arrangement(&message, &input.schema())?;
        let schema = schema(message.schema)?;
        check_pipe(&spec, &arguments, &arrangement, &schema)?;
        let input = Arc::clone(input);
        Ok(Arc::new(PipeExec::new(input, Arc::new(spec), arguments, arrangement, schema)))
    }

    fn arrangement(&self, message: &PipeMessage, input: &Schema) -> Result<Arrangement> {
        let context = PhysicalPlanDecodeContext::new(self.context, self.codec);
        let order_by =
            parse_physical_sort_exprs(&message.order_by, &context, input, self.converter)?;
        Ok(Arrangement {
            partition_by: self.expressions(&message.partition_by, input)?,
            order_by: LexOrdering::new(order_by),
            in_order: message.in_order,
        })
    }
}

/// What the planner sees to, and the operator relies on.
fn check_pipe(
    spec: &PipeSpec,
    arguments: &OperatorArguments,
    arrangement: &Arrangement,
    schema: &Schema,
) -> Result<()> {
    let is_per_row = spec.scope == PipeScope::PerRow;
    if arguments.values.is_empty() && !is_per_row {
        return Err(broken(&"a shell program without arguments"));
    }
    if schema.fields().is_empty() {
        return Err(broken(&"a shell program without columns"));
    }
    if spec.commands.len() > 1 && (is_per_row || !spec.ok_exit.is_empty()) {
        return Err(broken(&"several shell programs where there can be one only"));
    }
    if spec.input_format == WireFormat::Json
        && !is_per_row
        && spec.input_names.len() != arguments.values.len()
    {
        return Err(broken(&"a name for each argument"));
    }
    if (spec.scope == PipeScope::Partitioned) == arrangement.partition_by.is_empty() {
        return Err(broken(&"keys that do not fit the scope"));
    }
    Ok(())
}

pub(super) fn known<T: TryFrom<i32>>(number: i32) -> Result<T> {
    T::try_from(number).map_err(|_| broken(&"an unknown choice"))
}

impl TimeoutMessage {
    fn duration(&self) -> Result<Duration> {
        if self.nanoseconds >= 1_000_000_000 {
            return Err(broken(&"more nanoseconds than a second has"));
        }
        Ok(Duration::new(self.seconds, self.nanoseconds))
    }
}

/// Both ways between the choices of a clause and their numbers in a message.
macro_rules! same_choices {
    ($message:ident, $choice:ident: $($name:ident),+) => {
        impl From<$choice> for $message {
            fn from(choice: $choice) -> Self {
                match choice {
                    $($choice::$name => Self::$name),+
                }
            }
        }

        impl From<$message> for $choice {
            fn from(message: $message) -> Self {
                match message {
                    $($message::$name => Self::$name),+
                }
            }
        }
    };
}

same_choices!(FormatMessage, WireFormat: Raw, Tsv, Csv, Json);
same_choices!(ScopeMessage, PipeScope: Split, Partitioned, Single, PerRow);
same_choices!(OnErrorMessage, OnError: Fail, Null, Skip);
