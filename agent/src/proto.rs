//! The generated messages and services of `proto/`.

#![expect(missing_docs, reason = "the .proto files have the words")]
#![allow(
    clippy::all,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    reason = "generated"
)]

/// `proto/exchange.proto`.
pub mod exchange {
    tonic::include_proto!("gleam.exchange.v1");
}

/// `proto/agent.proto`.
pub mod agent {
    tonic::include_proto!("gleam.agent.v1");
}

/// The descriptors of both, as an encoded `FileDescriptorSet`.
pub const SERVICES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/services.bin"));
