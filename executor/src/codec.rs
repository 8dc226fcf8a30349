//! Plans as bytes: how computation travels.
//!
//! Every physical node of this crate is written with everything it needs, Lua and shell text
//! included, so that a plan runs wherever its bytes arrive.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::parse_physical_sort_exprs;
use datafusion_proto::physical_plan::to_proto::serialize_physical_sort_exprs;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::{PhysicalExprNode, PhysicalSortExprNode, Schema as SchemaMessage};
use prost::{Enumeration, Message, Oneof};

use crate::exec::{
    Arrangement, LuaExec, OperatorArguments, PipeCommand, PipeExec, PipeScope, PipeSpec,
    ReduceExec, ReducePhase,
};
use crate::lua::{LuaProgram, ReplyShape};
use crate::operator::{OnError, OperatorLabel, Place};
use crate::text;
use crate::wire::WireFormat;

/// Writes and reads the nodes of this crate; DataFusion's own are written by DataFusion.
#[derive(Debug, Default)]
pub struct GleamCodec;

impl PhysicalExtensionCodec for GleamCodec {
    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let node = if let Some(lua) = node.downcast_ref::<LuaExec>() {
            Node::Lua(encode_lua(lua, self, converter)?)
        } else if let Some(pipe) = node.downcast_ref::<PipeExec>() {
            Node::Pipe(encode_pipe(pipe, self, converter)?)
        } else if let Some(reduce) = node.downcast_ref::<ReduceExec>() {
            Node::Reduce(encode_reduce(reduce, self, converter)?)
        } else if let Some(scan) = text::encode(node.as_ref(), self, converter)? {
            Node::Text(scan)
        } else {
            return internal_err!("{} cannot be sent to an agent", node.name());
        };
        NodeMessage { node: Some(node) }
            .encode(buffer)
            .map_err(|error| internal_datafusion_err!("a node too large to send: {error}"))
    }

    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let message = NodeMessage::decode(bytes).map_err(|error| broken(&error))?;
        let decoder = Decoder { codec: self, context, converter };
        match (message.node, inputs) {
            (Some(Node::Lua(lua)), [input]) => decoder.lua(lua, input),
            (Some(Node::Pipe(pipe)), [input]) => decoder.pipe(pipe, input),
            (Some(Node::Reduce(reduce)), [input]) => decoder.reduce(reduce, input),
            (Some(Node::Text(scan)), []) => text::decode(&scan, context, self, converter),
            _ => Err(broken(&"an unknown node, or the wrong number of inputs")),
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct NodeMessage {
    #[prost(oneof = "Node", tags = "1, 2, 3, 4")]
    node: Option<Node>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Node {
    #[prost(message, tag = "1")]
    Lua(LuaMessage),
    #[prost(message, tag = "2")]
    Pipe(PipeMessage),
    #[prost(bytes, tag = "3")]
    Text(Vec<u8>),
    #[prost(message, tag = "4")]
    Reduce(ReduceMessage),
}

#[derive(Clone, PartialEq, Message)]
struct ReduceMessage {
    #[prost(string, tag = "1")]
    program: String,
    #[prost(message, optional, tag = "2")]
    label: Option<LabelMessage>,
    #[prost(message, repeated, tag = "3")]
    keys: Vec<PhysicalExprNode>,
    #[prost(message, optional, tag = "4")]
    arguments: Option<ArgumentsMessage>,
    /// 0 partial, 1 whole, 2 in order.
    #[prost(uint32, tag = "5")]
    phase: u32,
    #[prost(message, optional, tag = "6")]
    schema: Option<SchemaMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct LuaMessage {
    #[prost(string, tag = "1")]
    program: String,
    #[prost(message, repeated, tag = "2")]
    labels: Vec<LabelMessage>,
    #[prost(message, optional, tag = "3")]
    arguments: Option<ArgumentsMessage>,
    #[prost(message, optional, tag = "4")]
    kept: Option<IndexesMessage>,
    #[prost(message, optional, tag = "5")]
    schema: Option<SchemaMessage>,
    #[prost(bool, tag = "6")]
    in_order: bool,
}

#[derive(Clone, PartialEq, Message)]
struct PipeMessage {
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
enum OnErrorMessage {
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

#[derive(Clone, PartialEq, Message)]
struct LabelMessage {
    #[prost(string, tag = "1")]
    keyword: String,
    #[prost(uint64, tag = "2")]
    line: u64,
    #[prost(uint64, tag = "3")]
    column: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ArgumentsMessage {
    #[prost(message, repeated, tag = "1")]
    values: Vec<PhysicalExprNode>,
    /// Two, or none.
    #[prost(message, repeated, tag = "2")]
    origin: Vec<PhysicalExprNode>,
}

#[derive(Clone, PartialEq, Message)]
struct IndexesMessage {
    #[prost(uint64, repeated, tag = "1")]
    indexes: Vec<u64>,
}

fn encode_lua(
    lua: &LuaExec,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<LuaMessage> {
    Ok(LuaMessage {
        program: encode_program(lua.program())?,
        labels: lua.labels().iter().map(LabelMessage::from).collect(),
        arguments: Some(encode_arguments(lua.arguments(), codec, converter)?),
        kept: lua.kept().map(|kept| IndexesMessage {
            indexes: kept.iter().map(|index| *index as u64).collect(),
        }),
        schema: Some(lua.schema().as_ref().try_into()?),
        in_order: lua.is_in_order(),
    })
}

fn encode_reduce(
    reduce: &ReduceExec,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<ReduceMessage> {
    let encode = |key| converter.physical_expr_to_proto(key, codec);
    Ok(ReduceMessage {
        program: encode_program(reduce.program())?,
        label: Some(reduce.label().into()),
        keys: reduce.keys().iter().map(encode).collect::<Result<_>>()?,
        arguments: Some(encode_arguments(reduce.arguments(), codec, converter)?),
        phase: match reduce.phase() {
            ReducePhase::Partial => 0,
            ReducePhase::Whole => 1,
            ReducePhase::InOrder => 2,
        },
        schema: Some(reduce.schema().as_ref().try_into()?),
    })
}

fn encode_program(program: &LuaProgram) -> Result<String> {
    serde_json::to_string(program).map_err(|error| broken(&error))
}

fn decode_program(program: &str) -> Result<LuaProgram> {
    let program: LuaProgram = serde_json::from_str(program).map_err(|error| broken(&error))?;
    program.check().map_err(|error| broken(&error))?;
    Ok(program)
}

fn encode_pipe(
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

fn encode_arguments(
    arguments: &OperatorArguments,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<ArgumentsMessage> {
    let encode = |expression| converter.physical_expr_to_proto(expression, codec);
    Ok(ArgumentsMessage {
        values: arguments.values.iter().map(encode).collect::<Result<_>>()?,
        origin: arguments.origin.iter().flatten().map(encode).collect::<Result<_>>()?,
    })
}

impl From<&OperatorLabel> for LabelMessage {
    fn from(label: &OperatorLabel) -> Self {
        let Place { line, column } = label.place;
        Self { keyword: label.keyword.clone(), line, column }
    }
}

impl From<LabelMessage> for OperatorLabel {
    fn from(message: LabelMessage) -> Self {
        let place = Place { line: message.line, column: message.column };
        Self { keyword: message.keyword, place }
    }
}

struct Decoder<'a> {
    codec: &'a dyn PhysicalExtensionCodec,
    context: &'a TaskContext,
    converter: &'a dyn PhysicalProtoConverterExtension,
}

impl Decoder<'_> {
    fn lua(
        &self,
        message: LuaMessage,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let program = decode_program(&message.program)?;
        if program.steps.len() != message.labels.len() {
            return Err(broken(&"a label for each Lua step"));
        }
        let columns = input.schema().fields().len();
        let kept: Option<Arc<[usize]>> =
            message.kept.map(|kept| kept.indexes.into_iter().map(|index| index as usize).collect());
        if kept.iter().flat_map(|kept| kept.iter()).any(|index| *index >= columns) {
            return Err(broken(&"kept columns that are not there"));
        }
        let arguments = self.arguments(message.arguments, &input.schema())?;
        if arguments.values.len() != program.inputs.len()
            || kept.is_some()
                != matches!(program.reply_shape(), ReplyShape::Kept | ReplyShape::Beside)
            || program.reply_shape() == ReplyShape::Groups
        {
            return Err(broken(&"arguments or columns that do not fit the Lua program"));
        }
        let lua = LuaExec::new(
            Arc::clone(input),
            Arc::new(program),
            message.labels.into_iter().map(OperatorLabel::from).collect(),
            arguments,
            kept,
            schema(message.schema)?,
        );
        Ok(Arc::new(lua.in_order(message.in_order)))
    }

    fn reduce(
        &self,
        message: ReduceMessage,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let program = decode_program(&message.program)?;
        let keys = self.expressions(&message.keys, &input.schema())?;
        let arguments = self.arguments(message.arguments, &input.schema())?;
        let schema = schema(message.schema)?;
        if program.reply_shape() != ReplyShape::Groups
            || program.inputs.len() != arguments.values.len() + 1
            || program.reply_columns().len() + keys.len() != schema.fields().len() + 1
        {
            return Err(broken(&"arguments or columns that do not fit the REDUCE"));
        }
        let phase = match message.phase {
            0 => ReducePhase::Partial,
            1 => ReducePhase::Whole,
            2 => ReducePhase::InOrder,
            _ => return Err(broken(&"an unknown phase of REDUCE")),
        };
        Ok(Arc::new(ReduceExec::new(
            Arc::clone(input),
            Arc::new(program),
            message.label.unwrap_or_default().into(),
            (keys, arguments),
            phase,
            schema,
        )))
    }

    fn pipe(
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

    fn arguments(
        &self,
        message: Option<ArgumentsMessage>,
        input: &Schema,
    ) -> Result<OperatorArguments> {
        let message = message.unwrap_or_default();
        let values = self.expressions(&message.values, input)?;
        let origin = match <[_; 2]>::try_from(self.expressions(&message.origin, input)?) {
            Ok(origin) => Some(origin),
            Err(none) if none.is_empty() => None,
            Err(_) => return Err(broken(&"the origin of a row is two expressions")),
        };
        Ok(OperatorArguments { values, origin })
    }

    fn expressions(
        &self,
        messages: &[PhysicalExprNode],
        input: &Schema,
    ) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        let context = PhysicalPlanDecodeContext::new(self.context, self.codec);
        messages
            .iter()
            .map(|message| self.converter.proto_to_physical_expr(message, input, &context))
            .collect()
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

fn known<T: TryFrom<i32>>(number: i32) -> Result<T> {
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

fn schema(message: Option<SchemaMessage>) -> Result<SchemaRef> {
    let message = message.ok_or_else(|| broken(&"no schema"))?;
    Ok(Arc::new(Schema::try_from(&message)?))
}

fn broken(what: &dyn std::fmt::Display) -> datafusion::error::DataFusionError {
    internal_datafusion_err!("broken plan bytes: {what}")
}
