//! Scans of text as bytes. DataFusion writes its own plans; a `DataSourceExec` over a
//! [`TextSource`] it leaves to the extension codec, which calls [`encode`] and [`decode`].

use std::sync::Arc;

use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::parse_protobuf_file_scan_config;
use datafusion_proto::physical_plan::to_proto::serialize_file_scan_config;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::FileScanExecConf;
use prost::Message;

use super::names::FileNames;
use super::{StdinExec, TextSource};
use crate::policy::Policy;

#[derive(Clone, PartialEq, Message)]
struct ScanMessage {
    #[prost(message, optional, tag = "1")]
    files: Option<FilesMessage>,
    #[prost(message, optional, tag = "2")]
    stdin: Option<StdinMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct FilesMessage {
    #[prost(message, optional, tag = "1")]
    config: Option<FileScanExecConf>,
    #[prost(string, tag = "2")]
    names_base: String,
    #[prost(string, tag = "3")]
    names_shown: String,
    #[prost(bool, tag = "4")]
    has_origin: bool,
    /// DataFusion's own message cuts the limit to 32 bits, and leaves the order out.
    #[prost(uint64, optional, tag = "5")]
    limit: Option<u64>,
    #[prost(bool, tag = "6")]
    preserve_order: bool,
    #[prost(string, optional, tag = "7")]
    literal: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct StdinMessage {
    #[prost(uint32, repeated, tag = "1")]
    indices: Vec<u32>,
}

/// The bytes of a plan node that scans text; `None` for any other node.
pub fn encode(
    plan: &dyn ExecutionPlan,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<Option<Vec<u8>>> {
    if let Some(stdin) = plan.downcast_ref::<StdinExec>() {
        let indices = stdin.indices().iter().map(|&index| index as u32).collect();
        let stdin = Some(StdinMessage { indices });
        return Ok(Some(ScanMessage { files: None, stdin }.encode_to_vec()));
    }
    let Some((config, source)) = text_scan(plan) else { return Ok(None) };
    let names = source.names();
    let files = FilesMessage {
        config: Some(serialize_file_scan_config(config, codec, converter)?),
        names_base: names.base.clone(),
        names_shown: names.shown.clone(),
        has_origin: source.has_origin(),
        limit: config.limit.map(|limit| limit as u64),
        preserve_order: config.preserve_order,
        literal: source.literal().map(str::to_owned),
    };
    Ok(Some(ScanMessage { files: Some(files), stdin: None }.encode_to_vec()))
}

fn text_scan(plan: &dyn ExecutionPlan) -> Option<(&FileScanConfig, &TextSource)> {
    let scan = plan.downcast_ref::<DataSourceExec>()?;
    let config = scan.data_source().downcast_ref::<FileScanConfig>()?;
    let source = config.file_source.downcast_ref::<TextSource>()?;
    Some((config, source))
}

/// The plan node that [`encode`] wrote.
///
/// # Errors
/// When the bytes are not such a node.
pub fn decode(
    bytes: &[u8],
    context: &TaskContext,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<Arc<dyn ExecutionPlan>> {
    let message = ScanMessage::decode(bytes)
        .map_err(|error| internal_datafusion_err!("bad text scan: {error}"))?;
    match message {
        ScanMessage { files: Some(files), stdin: None } => {
            decode_files(files, context, codec, converter)
        }
        ScanMessage { files: None, stdin: Some(stdin) } => decode_stdin(stdin),
        _ => internal_err!("bad text scan: neither files nor stdin"),
    }
}

fn decode_files(
    message: FilesMessage,
    context: &TaskContext,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(config) = &message.config else { return internal_err!("a text scan without files") };
    let names = FileNames { base: message.names_base, shown: message.names_shown };
    let roots = Policy::of(context).roots.clone();
    let source = TextSource::new(names, message.has_origin).below(roots);
    let source = Arc::new(source.sieving(message.literal.map(Into::into)));
    let context = PhysicalPlanDecodeContext::new(context, codec);
    let config = parse_protobuf_file_scan_config(config, &context, converter, source)?;
    let config = FileScanConfigBuilder::from(config)
        .with_limit(message.limit.map(|limit| limit as usize))
        .with_preserve_order(message.preserve_order)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

fn decode_stdin(message: StdinMessage) -> Result<Arc<dyn ExecutionPlan>> {
    let indices = message.indices.into_iter().map(|index| index as usize).collect::<Vec<_>>();
    let columns = super::schema_with_origin().fields().len();
    if indices.iter().any(|&index| index >= columns) {
        return internal_err!("stdin has {columns} columns, not {indices:?}");
    }
    Ok(Arc::new(StdinExec::new(indices)))
}

#[cfg(test)]
mod tests {
    use datafusion::execution::object_store::ObjectStoreUrl;
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use datafusion_proto::physical_plan::{
        DefaultPhysicalExtensionCodec, DefaultPhysicalProtoConverter,
    };

    use super::*;
    use crate::policy::Roots;
    use crate::text::{stdin_table, text_table, with_origin};

    fn shown(plan: &dyn ExecutionPlan) -> String {
        displayable(plan).indent(true).to_string()
    }

    fn leaf(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        match plan.children()[..] {
            [child] => leaf(Arc::clone(child)),
            _ => plan,
        }
    }

    fn round_trip(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let (codec, converter) =
            (DefaultPhysicalExtensionCodec {}, DefaultPhysicalProtoConverter {});
        let bytes = encode(plan.as_ref(), &codec, &converter).unwrap().expect("a scan of text");
        let context = SessionContext::new().task_ctx();
        let decoded = decode(&bytes, &context, &codec, &converter).unwrap();
        assert_eq!(shown(decoded.as_ref()), shown(plan.as_ref()));
        assert_eq!(decoded.schema(), plan.schema());
        let again = encode(decoded.as_ref(), &codec, &converter).unwrap();
        assert_eq!(again.as_deref(), Some(&bytes[..]));
        decoded
    }

    #[tokio::test]
    async fn scans_survive() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a b%20#1.log");
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        let glob = format!("{}/*.log", directory.path().display());
        let mut config = SessionConfig::new().with_target_partitions(3);
        config.options_mut().optimizer.repartition_file_min_size = 1;
        let context = SessionContext::new_with_config(config);

        let table = text_table(&context.state(), &glob).await.unwrap();
        let table = with_origin(table.as_ref()).unwrap();
        let query = context.read_table(table).unwrap();
        let projected =
            query.clone().select_exprs(&["line", "length(line)", "__gleam_offset"]).unwrap();
        for query in [query, projected.limit(0, Some(5_000_000_000)).unwrap()] {
            let decoded = round_trip(&leaf(query.create_physical_plan().await.unwrap()));
            let batches =
                datafusion::physical_plan::collect(decoded, context.task_ctx()).await.unwrap();
            assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 3);
        }
    }

    /// As when a file becomes a link after the plan was checked.
    #[tokio::test]
    async fn files_are_opened_below_the_roots() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(place.path().join("outside.log"), "one\n").unwrap();
        std::os::unix::fs::symlink("../outside.log", root.join("link.log")).unwrap();
        let context = SessionContext::new();
        let file = root.join("link.log").display().to_string();
        let table = text_table(&context.state(), &file).await.unwrap();
        let plan = context.read_table(table).unwrap().create_physical_plan().await.unwrap();
        let (codec, converter) =
            (DefaultPhysicalExtensionCodec {}, DefaultPhysicalProtoConverter {});
        let bytes = encode(leaf(plan).as_ref(), &codec, &converter).unwrap().unwrap();
        for (allowed, is_allowed) in [(place.path(), true), (&root, false)] {
            let roots = Roots::new(&[allowed.to_owned()]).unwrap();
            let policy = Arc::new(Policy { roots, ..Policy::default() });
            let governed = SessionContext::new_with_config(policy.govern(SessionConfig::new()));
            let context = governed.task_ctx();
            let decoded = decode(&bytes, &context, &codec, &converter).unwrap();
            let read = datafusion::physical_plan::collect(decoded, context).await;
            match read {
                Ok(_) => assert!(is_allowed),
                Err(error) => {
                    assert!(!is_allowed && error.to_string().contains("outside.log is not below"));
                }
            }
        }
    }

    #[tokio::test]
    async fn stdin_survives() {
        let context = SessionContext::new();
        let table = with_origin(stdin_table().as_ref()).unwrap();
        let query = context.read_table(table).unwrap().select_columns(&["line", "file"]).unwrap();
        round_trip(&leaf(query.create_physical_plan().await.unwrap()));
    }

    #[test]
    fn long_limits_and_order_survive() {
        let source = Arc::new(TextSource::new(FileNames::default(), false));
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_limit(Some(5_000_000_000))
            .with_preserve_order(true)
            .build();
        let decoded = round_trip(&(DataSourceExec::from_data_source(config) as _));
        let (config, _) = text_scan(decoded.as_ref()).unwrap();
        assert_eq!((config.limit, config.preserve_order), (Some(5_000_000_000), true));
    }

    #[test]
    fn other_bytes_are_refused() {
        let context = SessionContext::new().task_ctx();
        let (codec, converter) =
            (DefaultPhysicalExtensionCodec {}, DefaultPhysicalProtoConverter {});
        for bytes in [&b""[..], b"\xff", b"\x12\x02\x0a\x01"] {
            assert!(decode(bytes, &context, &codec, &converter).is_err());
        }
    }
}
