use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;

use super::Compression;

/// Deals files out to `partitions` groups of about the same size, in their order, and cuts
/// those that can be cut. `None` when there are fewer bytes than `min_bytes`.
///
/// DataFusion's own partitioner cuts every file, and drops those of size 0: a pipe has none.
pub(crate) fn split_evenly(
    groups: &[FileGroup],
    partitions: usize,
    min_bytes: u64,
) -> Option<Vec<FileGroup>> {
    let files = || groups.iter().flat_map(FileGroup::iter);
    let total_bytes = files().map(PartitionedFile::effective_size).sum::<u64>();
    if total_bytes < min_bytes.max(1) || partitions == 0 {
        return None;
    }
    let group_bytes = total_bytes.div_ceil(partitions as u64);
    let mut dealer = Dealer { group_bytes, done: vec![], files: vec![], bytes: 0 };
    for file in files() {
        dealer.deal(file);
    }
    dealer.close_group();
    Some(dealer.done)
}

struct Dealer {
    group_bytes: u64,
    done: Vec<FileGroup>,
    /// The group that is being filled, and its size.
    files: Vec<PartitionedFile>,
    bytes: u64,
}

impl Dealer {
    fn deal(&mut self, file: &PartitionedFile) {
        let (mut start, end) = file.range();
        if start >= end || !can_be_cut(file) {
            return self.add(file.clone(), end.saturating_sub(start));
        }
        while start < end {
            let piece_end = end.min(start + self.group_bytes - self.bytes);
            let is_whole = start == 0 && piece_end == file.object_meta.size;
            let piece = match is_whole {
                true => file.clone(),
                false => file.clone().with_range(start as i64, piece_end as i64),
            };
            self.add(piece, piece_end - start);
            start = piece_end;
        }
    }

    fn add(&mut self, file: PartitionedFile, bytes: u64) {
        if bytes == 0
            && self.files.is_empty()
            && let Some(last) = self.done.last_mut()
        {
            return last.push(file);
        }
        self.files.push(file);
        self.bytes += bytes;
        if self.bytes >= self.group_bytes {
            self.close_group();
        }
    }

    fn close_group(&mut self) {
        self.bytes = 0;
        let files = std::mem::take(&mut self.files);
        if !files.is_empty() {
            self.done.push(FileGroup::new(files));
        }
    }
}

fn can_be_cut(file: &PartitionedFile) -> bool {
    file.object_meta.location.filename().and_then(Compression::of_name).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, u64)], partitions: usize, expected: &str) {
        let files = files.iter().map(|&(name, size)| PartitionedFile::new(name, size));
        let groups = [FileGroup::new(files.collect())];
        let groups = split_evenly(&groups, partitions, 10).map(|groups| {
            let of_group = |group: &FileGroup| {
                let of_file = |file: &PartitionedFile| match &file.range {
                    Some(range) => format!("{}:{}..{}", file.path(), range.start, range.end),
                    None => file.path().to_string(),
                };
                group.iter().map(of_file).collect::<Vec<_>>().join(" ")
            };
            groups.iter().map(of_group).collect::<Vec<_>>().join(" | ")
        });
        assert_eq!(groups.as_deref().unwrap_or("as they were"), expected);
    }

    #[test]
    fn files_are_dealt_out_by_size() {
        check(&[("a", 100)], 4, "a:0..25 | a:25..50 | a:50..75 | a:75..100");
        check(&[("a", 9)], 4, "as they were");
        check(&[("a", 10), ("b", 10)], 2, "a | b");
        check(&[("a", 10), ("b", 30)], 2, "a b:0..10 | b:10..30");
        check(&[("a.gz", 90), ("b", 10)], 2, "a.gz | b");
        check(&[("a", 10), ("b.zst", 90)], 4, "a b.zst");
        check(&[("pipe", 0), ("a", 20), ("empty", 0)], 2, "pipe a:0..10 | a:10..20 empty");
    }
}
