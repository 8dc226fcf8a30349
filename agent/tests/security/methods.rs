//! The methods of all services of an agent, from their descriptors.

use std::path::PathBuf;

use gleam_sql_agent::proto::SERVICES;
use protox::prost_reflect::DescriptorPool;

const HEALTH: [&str; 2] = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"];

/// The paths of all of them.
pub(crate) fn all() -> Vec<String> {
    let mut methods = ours();
    methods.extend(stock());
    methods.extend(HEALTH.map(str::to_owned));
    methods
}

/// Of `proto/`.
pub(crate) fn ours() -> Vec<String> {
    paths(&DescriptorPool::decode(SERVICES).unwrap())
}

/// Of datafusion-distributed.
pub(crate) fn stock() -> Vec<String> {
    let directory = stock_crate().join("src/protocol/grpc");
    let compiled = protox::compile(["worker.proto"], [directory]).unwrap();
    paths(&DescriptorPool::from_file_descriptor_set(compiled).unwrap())
}

fn paths(pool: &DescriptorPool) -> Vec<String> {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let path = |method: protox::prost_reflect::MethodDescriptor| {
        format!("/{}/{}", method.parent_service().full_name(), method.name())
    };
    methods.map(path).collect()
}

/// Where cargo keeps the source that this build uses.
#[expect(clippy::disallowed_methods, reason = "a test asks cargo")]
fn stock_crate() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata = String::from_utf8(output.stdout).unwrap();
    let mark = "\"manifest_path\":\"";
    let manifests = metadata.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
    let manifest = manifests.map(PathBuf::from).find(|path| {
        let directory = path.parent().and_then(|directory| directory.file_name());
        directory.is_some_and(|name| name.to_string_lossy().starts_with("datafusion-distributed-"))
    });
    manifest
        .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
        .parent()
        .unwrap()
        .into()
}

#[test]
fn the_descriptors_name_the_services() {
    let methods = all();
    for expected in [
        "/gleam.agent.v1.Agent/Hello",
        "/gleam.agent.v1.Agent/Status",
        "/gleam.exchange.v1.Exchange/Fetch",
        "/worker.WorkerService/CoordinatorChannel",
        "/worker.WorkerService/ExecuteTask",
        "/worker.WorkerService/GetWorkerInfo",
    ] {
        assert!(methods.iter().any(|method| method == expected), "{expected}: {methods:?}");
    }
}
