use super::Compression;

/// What a path in `FROM` stands for, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// JSON objects, one a line.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC files.
    Arrow,
    /// Lines of text: everything else.
    Text,
}

/// Decides by the extension, after one compression suffix is taken off: `a.csv.gz` is CSV.
pub fn kind_of(path_or_glob: &str) -> SourceKind {
    let name = path_or_glob.rsplit('/').next().unwrap_or(path_or_glob);
    let stem = match (Compression::of_name(name), name.rsplit_once('.')) {
        (Some(_), Some((stem, _))) => stem,
        _ => name,
    };
    let Some((_, extension)) = stem.rsplit_once('.') else { return SourceKind::Text };
    match extension.to_ascii_lowercase().as_str() {
        "csv" => SourceKind::Csv,
        "tsv" => SourceKind::Tsv,
        "json" | "jsonl" | "ndjson" => SourceKind::Json,
        "parquet" => SourceKind::Parquet,
        "arrow" => SourceKind::Arrow,
        _ => SourceKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (path, kind) in [
            ("a.csv", SourceKind::Csv),
            ("dir.csv/a", SourceKind::Text),
            ("dir/*.TSV.gz", SourceKind::Tsv),
            ("a.jsonl.zst", SourceKind::Json),
            ("a.ndjson", SourceKind::Json),
            ("s3://bucket/a.parquet", SourceKind::Parquet),
            ("a.arrow", SourceKind::Arrow),
            ("a.csv.gz.gz", SourceKind::Text),
            ("csv", SourceKind::Text),
            ("a.log.gz", SourceKind::Text),
            ("", SourceKind::Text),
        ] {
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }
}
