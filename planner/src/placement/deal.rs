//! The files of a scan, dealt out to tasks: each has one run of them, in their order.

use std::collections::HashSet;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSource;

/// What each task reads, in groups of which each is a partition: as many for every task, be it that
/// some are empty.
pub(super) fn deal(scan: &FileScanConfig, partitions: usize, tasks: usize) -> Vec<Vec<FileGroup>> {
    let of_tasks = runs(pieces(scan, partitions * tasks), tasks);
    let longest = of_tasks.iter().map(Vec::len).max().unwrap_or(0);
    let partitions = partitions.min(longest).max(1);
    let groups = |run| runs(run, partitions).into_iter().map(joined).collect();
    of_tasks.into_iter().map(groups).collect()
}

/// The files of a scan in up to so many pieces: byte ranges where their format allows, and else
/// whole files, however many there are.
pub(super) fn pieces(scan: &FileScanConfig, wanted: usize) -> Vec<FileGroup> {
    let minimum_bytes = 0;
    let files = whole_files(scan);
    let mut whole = scan.clone();
    whole.file_groups = vec![FileGroup::new(files.clone())];
    let cut = DataSource::repartitioned(&whole, wanted, minimum_bytes, None).ok().flatten();
    let cut = cut.and_then(|cut| Some(cut.downcast_ref::<FileScanConfig>()?.file_groups.clone()));
    cut.unwrap_or_else(|| files.into_iter().map(|file| FileGroup::new(vec![file])).collect())
}

/// Each file of a scan once, as it was before it was cut in ranges.
fn whole_files(scan: &FileScanConfig) -> Vec<PartitionedFile> {
    let mut seen = HashSet::new();
    let files = scan.file_groups.iter().flat_map(FileGroup::iter);
    let first = files.filter(|file| seen.insert(file.object_meta.location.clone()));
    first
        .map(|file| {
            let mut file = file.clone();
            file.range = None;
            file
        })
        .collect()
}

/// `pieces` in `count` runs of about as many bytes each: a piece is where its middle is.
fn runs(pieces: Vec<FileGroup>, count: usize) -> Vec<Vec<FileGroup>> {
    let total: u128 = pieces.iter().map(weight).sum();
    let mut runs = vec![Vec::new(); count];
    let mut before = 0;
    for piece in pieces {
        let weight = weight(&piece);
        let middle = 2 * before + weight;
        let run = middle * count as u128 / (2 * total).max(1);
        before += weight;
        if let Some(run) = usize::try_from(run).ok().and_then(|run| runs.get_mut(run)) {
            run.push(piece);
        }
    }
    runs
}

/// Bytes, and one more, so that empty files are dealt out too.
fn weight(piece: &FileGroup) -> u128 {
    piece.iter().map(|file| u128::from(file.effective_size()) + 1).sum()
}

fn joined(groups: Vec<FileGroup>) -> FileGroup {
    FileGroup::new(groups.into_iter().flat_map(FileGroup::into_inner).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sizes: &[u64], count: usize, expected: &[&[u64]]) {
        let piece = |size: &u64| FileGroup::new(vec![PartitionedFile::new("a.log", *size)]);
        let runs = runs(sizes.iter().map(piece).collect(), count);
        let sizes = |run: &Vec<FileGroup>| -> Vec<u64> {
            run.iter().flat_map(FileGroup::iter).map(PartitionedFile::effective_size).collect()
        };
        assert_eq!(runs.iter().map(sizes).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn runs_are_in_order_and_of_about_as_many_bytes() {
        check(&[10, 10, 10, 10, 10, 10], 3, &[&[10, 10], &[10, 10], &[10, 10]]);
        check(&[10, 10, 10], 3, &[&[10], &[10], &[10]]);
        check(&[30, 10, 10, 10], 2, &[&[30], &[10, 10, 10]]);
        check(&[10, 10, 10, 10, 10, 10, 10], 3, &[&[10, 10], &[10, 10, 10], &[10, 10]]);
        check(&[10], 3, &[&[], &[10], &[]]);
        check(&[0, 0, 0], 3, &[&[0], &[0], &[0]]);
        check(&[], 2, &[&[], &[]]);
    }
}
