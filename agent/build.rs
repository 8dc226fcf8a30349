//! Compiles the protocols of `proto/`. protox reads them, so that no build needs protoc.

#![expect(clippy::disallowed_macros, reason = "Cargo reads what a build script prints")]

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protocols = ["proto/exchange.proto", "proto/agent.proto"];
    let descriptors = protox::compile(protocols, ["proto"])?;
    let written = PathBuf::from(std::env::var("OUT_DIR")?).join("services.bin");
    // For the test that goes through all methods of all services.
    std::fs::write(written, prost_bytes(&descriptors))?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}

fn prost_bytes(descriptors: &impl prost::Message) -> Vec<u8> {
    descriptors.encode_to_vec()
}
