//! Plans as bytes: how computation travels.
//!
//! Every physical node of this crate is written with everything it needs, Lua and shell text
//! included, so that a plan runs wherever its bytes arrive.

mod lines;
mod parse;
mod pipe;
mod reduce;

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::{PhysicalExprNode, Schema as SchemaMessage};
use prost::{Message, Oneof};

use self::lines::{FoldMessage, GapfillMessage, encode_fold, encode_gapfill};
use self::parse::{ParseMessage, encode_parse};
use self::pipe::{PipeMessage, encode_pipe};
use self::reduce::{ReduceMessage, encode_reduce};
use crate::exec::{
    FoldExec, GapfillExec, LuaExec, OperatorArguments, ParseExec, PipeExec, ReduceExec,
};
use crate::lua::{LuaProgram, ReplyShape};
use crate::operator::{OperatorLabel, Place};
use crate::policy::Policy;
use crate::text;

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
        } else if let Some(parse) = node.downcast_ref::<ParseExec>() {
            Node::Parse(Box::new(encode_parse(parse, self, converter)?))
        } else if let Some(fold) = node.downcast_ref::<FoldExec>() {
            Node::Fold(encode_fold(fold, self, converter)?)
        } else if let Some(gapfill) = node.downcast_ref::<GapfillExec>() {
            Node::Gapfill(encode_gapfill(gapfill)?)
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
            (Some(Node::Parse(parse)), [input]) => decoder.parse(*parse, input),
            (Some(Node::Fold(fold)), [input]) => decoder.fold(fold, input),
            (Some(Node::Gapfill(gapfill)), [input]) => decoder.gapfill(gapfill, input),
            (Some(Node::Text(scan)), []) => text::decode(&scan, context, self, converter),
            _ => Err(broken(&"an unknown node, or the wrong number of inputs")),
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct NodeMessage {
    #[prost(oneof = "Node", tags = "1, 2, 3, 4, 5, 6, 7")]
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
    #[prost(message, boxed, tag = "5")]
    Parse(Box<ParseMessage>),
    #[prost(message, tag = "6")]
    Fold(FoldMessage),
    #[prost(message, tag = "7")]
    Gapfill(GapfillMessage),
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

fn encode_program(program: &LuaProgram) -> Result<String> {
    serde_json::to_string(program).map_err(|error| broken(&error))
}

fn decode_program(program: &str) -> Result<LuaProgram> {
    let program: LuaProgram = serde_json::from_str(program).map_err(|error| broken(&error))?;
    program.check().map_err(|error| broken(&error))?;
    Ok(program)
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
        let roots = Policy::of(self.context).roots.clone();
        Ok(OperatorArguments { values, origin, roots })
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

fn schema(message: Option<SchemaMessage>) -> Result<SchemaRef> {
    let message = message.ok_or_else(|| broken(&"no schema"))?;
    Ok(Arc::new(Schema::try_from(&message)?))
}

fn broken(what: &dyn std::fmt::Display) -> datafusion::error::DataFusionError {
    internal_datafusion_err!("broken plan bytes: {what}")
}
