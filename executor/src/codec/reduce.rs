//! `REDUCE` as bytes.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use datafusion_proto::protobuf::{PhysicalExprNode, Schema as SchemaMessage};
use prost::{Enumeration, Message};

use super::{
    ArgumentsMessage, Decoder, LabelMessage, broken, decode_program, encode_arguments,
    encode_program, schema,
};
use crate::exec::{ReduceExec, ReducePhase};
use crate::lua::ReplyShape;

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReduceMessage {
    #[prost(string, tag = "1")]
    program: String,
    #[prost(message, optional, tag = "2")]
    label: Option<LabelMessage>,
    #[prost(message, repeated, tag = "3")]
    keys: Vec<PhysicalExprNode>,
    #[prost(message, optional, tag = "4")]
    arguments: Option<ArgumentsMessage>,
    #[prost(enumeration = "PhaseMessage", tag = "5")]
    phase: i32,
    #[prost(message, optional, tag = "6")]
    schema: Option<SchemaMessage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
enum PhaseMessage {
    Partial = 0,
    Whole = 1,
    InOrder = 2,
}

pub(super) fn encode_reduce(
    reduce: &ReduceExec,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<ReduceMessage> {
    let encode = |key| converter.physical_expr_to_proto(key, codec);
    let phase = match reduce.phase() {
        ReducePhase::Partial => PhaseMessage::Partial,
        ReducePhase::Whole => PhaseMessage::Whole,
        ReducePhase::InOrder => PhaseMessage::InOrder,
    };
    Ok(ReduceMessage {
        program: encode_program(reduce.program())?,
        label: Some(reduce.label().into()),
        keys: reduce.keys().iter().map(encode).collect::<Result<_>>()?,
        arguments: Some(encode_arguments(reduce.arguments(), codec, converter)?),
        phase: phase.into(),
        schema: Some(reduce.schema().as_ref().try_into()?),
    })
}

impl Decoder<'_> {
    pub(super) fn reduce(
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
        let phase = match PhaseMessage::try_from(message.phase) {
            Ok(PhaseMessage::Partial) => ReducePhase::Partial,
            Ok(PhaseMessage::Whole) => ReducePhase::Whole,
            Ok(PhaseMessage::InOrder) => ReducePhase::InOrder,
            Err(error) => return Err(broken(&error)),
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
}
