//! What files a stage reads, in words.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;

use super::detail;
use crate::placement::file_scan;

/// A task's parts are named up to this number.
const PARTS_NAMED: usize = 4;

/// A scan of files, `app.log in 6 ranges` or `3 files in 6 parts`, as its tasks share it; one task
/// where none are given. `None` for what does not read files.
pub(super) fn describe(
    whole: &Arc<dyn ExecutionPlan>,
    tasks: &[Arc<dyn ExecutionPlan>],
) -> Option<String> {
    let scan = file_scan(whole)?;
    let tasks = if tasks.is_empty() { std::slice::from_ref(whole) } else { tasks };
    let parts: Vec<&PartitionedFile> =
        tasks.iter().filter_map(file_scan).flat_map(parts_of).collect();
    let locations: HashSet<_> = parts.iter().map(|part| &part.object_meta.location).collect();
    let files = match (locations.len(), parts.as_slice()) {
        (1, [part]) if part.range.is_none() => part.object_meta.location.to_string(),
        (1, [part]) => format!("a range of {}", part.object_meta.location),
        (1, [part, ..]) => format!("{} in {} ranges", part.object_meta.location, parts.len()),
        (files, _) if files == parts.len() => format!("{files} files"),
        (files, _) => format!("{files} files in {} parts", parts.len()),
    };
    Some(format!("DataSourceExec: {files}{}", rest(scan)))
}

/// The parts of one task, in order; `None` for what does not read files.
pub(super) fn parts(task: &Arc<dyn ExecutionPlan>) -> Option<String> {
    let parts: Vec<&PartitionedFile> = parts_of(file_scan(task)?).collect();
    let mut named: Vec<String> = parts.iter().take(PARTS_NAMED).map(|part| name(part)).collect();
    match parts.len().saturating_sub(PARTS_NAMED) {
        0 if parts.is_empty() => return Some("nothing".to_owned()),
        0 => {}
        more => named.push(format!("and {more} more")),
    }
    Some(named.join(", "))
}

fn parts_of(scan: &FileScanConfig) -> impl Iterator<Item = &PartitionedFile> {
    scan.file_groups.iter().flat_map(FileGroup::iter)
}

fn name(part: &PartitionedFile) -> String {
    let location = &part.object_meta.location;
    match &part.range {
        Some(range) => format!("{location}:{}..{}", range.start, range.end),
        None => location.to_string(),
    }
}

/// What DataFusion says of a scan beside its files.
fn rest(scan: &FileScanConfig) -> String {
    let mut scan = scan.clone();
    scan.file_groups = Vec::new();
    let text = detail::operator(&*DataSourceExec::from_data_source(scan));
    let rest = text.strip_prefix("DataSourceExec: file_groups={0 groups: []}");
    rest.unwrap_or_default().to_owned()
}
