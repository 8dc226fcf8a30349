//! Text tables through DataFusion: files of all kinds in, rows and errors out.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests start programs and talk to who runs them"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::util::display::array_value_to_string;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use gleam_sql_executor::text::{
    INVALID_UTF8_LINES, TextError, line_number_at, line_number_of, name_and_path, stdin_table,
    text_table, with_origin,
};
use tempfile::TempDir;

struct Answer {
    /// Values with `|` between them, sorted.
    rows: Vec<String>,
    plan: Arc<dyn ExecutionPlan>,
}

impl Answer {
    fn scan(&self) -> String {
        let plan = displayable(self.plan.as_ref()).indent(false).to_string();
        let scan = plan.lines().find(|line| line.contains("DataSourceExec"));
        scan.expect("every plan here has a scan").trim().to_owned()
    }

    fn invalid_lines(&self) -> usize {
        fn sum(plan: &Arc<dyn ExecutionPlan>) -> usize {
            let own = plan.metrics().and_then(|metrics| metrics.sum_by_name(INVALID_UTF8_LINES));
            let own = own.map_or(0, |value| value.as_usize());
            own + plan.children().into_iter().map(sum).sum::<usize>()
        }
        sum(&self.plan)
    }
}

/// Runs a query over `t`, the text at `location`, in 4 partitions that cut any file.
async fn ask(location: &str, sql: &str) -> Result<Answer> {
    let mut config = SessionConfig::new().with_target_partitions(4);
    config.options_mut().optimizer.repartition_file_min_size = 1;
    let context = SessionContext::new_with_config(config);
    let table = text_table(&context.state(), location).await?;
    context.register_table("o", with_origin(table.as_ref()).expect("text has origins"))?;
    context.register_table("t", table)?;
    let plan = context.sql(sql).await?.create_physical_plan().await?;
    let batches = collect(Arc::clone(&plan), context.task_ctx()).await?;
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| array_value_to_string(column, row));
            rows.push(values.collect::<std::result::Result<Vec<_>, _>>()?.join("|"));
        }
    }
    rows.sort();
    Ok(Answer { rows, plan })
}

async fn rows(location: &str, sql: &str) -> Vec<String> {
    match ask(location, sql).await {
        Ok(answer) => answer.rows,
        Err(error) => panic!("{location}: {error}"),
    }
}

async fn text_error(location: &str, sql: &str) -> (String, Option<String>) {
    let error = ask(location, sql).await.err().expect("an error").find_root_owned();
    (error.to_string(), error.hint())
}

trait FindRoot {
    fn find_root_owned(self) -> TextError;
}

impl FindRoot for DataFusionError {
    fn find_root_owned(self) -> TextError {
        match self {
            Self::External(error) => *error.downcast::<TextError>().expect("an error about text"),
            Self::Context(_, error) => error.find_root_owned(),
            Self::Shared(error) => Arc::into_inner(error).expect("one owner").find_root_owned(),
            other => panic!("not an error about text: {other:?}"),
        }
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory for the test")
}

fn write(directory: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.path().join(name);
    fs::create_dir_all(path.parent().expect("it is in the directory")).expect("mkdir");
    fs::write(&path, content).expect("write");
    path.to_str().expect("the name is UTF-8").to_owned()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], Default::default());
    encoder.write_all(text).expect("compress");
    encoder.finish().expect("compress")
}

#[tokio::test]
async fn columns_are_those_of_grep() {
    let directory = directory();
    let path = write(&directory, "a.log", "one\r\n\ntwo\0\nthree");
    let expected = ["1|one", "2|", "3|two\0", "4|three"];
    assert_eq!(rows(&path, "SELECT line_no, line FROM t").await, expected);
    assert_eq!(rows(&path, "SELECT DISTINCT file FROM t").await, [path.as_str()]);
    assert_eq!(rows(&path, "SELECT count(*) FROM t").await, ["4"]);
    assert_eq!(rows(&path, "SELECT upper(line) u FROM t WHERE line_no = 1").await, ["ONE"]);
    assert_eq!(rows(&path, "SELECT line || file IS NOT NULL b FROM t LIMIT 1").await, ["true"]);
}

#[tokio::test]
async fn empty_files_have_no_rows() {
    let directory = directory();
    let path = write(&directory, "empty", "");
    assert_eq!(rows(&path, "SELECT * FROM t").await, Vec::<String>::new());
    assert_eq!(rows(&path, "SELECT count(*) FROM t").await, ["0"]);
    let path = write(&directory, "newline", "\n");
    assert_eq!(rows(&path, "SELECT count(*), max(line_no), max(line) FROM t").await, ["1|1|"]);
}

#[tokio::test]
async fn only_what_is_used_is_computed() {
    let directory = directory();
    let path = write(&directory, "a.log", b"\xff\n".repeat(1000));
    for (sql, projection, invalid_lines) in [
        ("SELECT count(*) FROM t", "", 0),
        ("SELECT count(DISTINCT file) FROM t", "projection=[file]", 0),
        ("SELECT max(line_no) FROM t", "projection=[line_no]", 0),
        ("SELECT max(line) FROM t", "projection=[line]", 1000),
        ("SELECT length(line) FROM t", "character_length(line", 1000),
        ("SELECT max(__gleam_offset) FROM o", "projection=[__gleam_offset]", 0),
    ] {
        let answer = ask(&path, sql).await.expect(sql);
        assert!(answer.scan().contains(projection), "{sql}: {}", answer.scan());
        assert_eq!(answer.invalid_lines(), invalid_lines, "{sql}");
    }
    assert_eq!(rows(&path, "SELECT DISTINCT line FROM t").await, ["\u{fffd}"]);
}

#[tokio::test]
async fn big_files_are_cut_unless_lines_are_numbered() {
    let directory = directory();
    let text = (0..10_000).map(|n| format!("{n}\n")).collect::<String>();
    let path = write(&directory, "a.log", &text);
    for (sql, groups, answer) in [
        ("SELECT count(*) FROM t", "4 groups", "10000"),
        ("SELECT count(DISTINCT line) FROM t", "4 groups", "10000"),
        ("SELECT sum(CAST(line AS INT)) FROM t", "4 groups", "49995000"),
        ("SELECT count(DISTINCT __gleam_offset) FROM o", "4 groups", "10000"),
        ("SELECT sum(CAST(line AS INT) + 1 - line_no) FROM t", "1 group", "0"),
    ] {
        let result = ask(&path, sql).await.expect(sql);
        assert!(result.scan().contains(groups), "{sql}: {}", result.scan());
        assert_eq!(result.rows, [answer], "{sql}");
    }
    // Neither the suffix nor the compression alone makes a difference to the answer.
    for (name, content) in [("b.gz", text.clone().into_bytes()), ("c.log", gzip(text.as_bytes()))] {
        let path = write(&directory, name, content);
        assert_eq!(rows(&path, "SELECT count(*), max(line) FROM t").await, ["10000|9999"]);
        assert_eq!(rows(&path, "SELECT max(line_no) FROM t").await, ["10000"]);
    }
}

#[tokio::test]
async fn compressed_files_that_end_early_are_errors() {
    let directory = directory();
    let whole = gzip("some text\n".repeat(1000).as_bytes());
    let path = write(&directory, "a.log.gz", &whole[..whole.len() - 8]);
    for sql in ["SELECT count(*) FROM t", "SELECT max(line) FROM t"] {
        let (error, _) = text_error(&path, sql).await;
        assert_eq!(error, format!("{path} is truncated: the gzip data ends in the middle"));
    }
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let path = write(&directory, "b.log.gz", damaged);
    let (error, _) = text_error(&path, "SELECT max(line) FROM t").await;
    assert!(error.starts_with(&format!("{path} is ")), "{error}");
    let path = write(&directory, "c.log.gz", [&whole[..], b"tail"].concat());
    let (error, _) = text_error(&path, "SELECT max(line) FROM t").await;
    assert!(error.contains("after the end of a gzip member"), "{error}");
}

#[tokio::test]
async fn names_are_taken_literally() {
    let directory = directory();
    let names = ["a b.log", "a%20b.log", "a#1.log", "b#1?.log", "[x].log", "ü:ö.log", "k=v/x.log"];
    for name in names {
        let path = write(&directory, name, name);
        let expected = [format!("{path}|{name}")];
        assert_eq!(rows(&path, "SELECT file, line FROM t").await, expected);
    }
    let glob = format!("{}/**/*.log", directory.path().display());
    assert_eq!(rows(&glob, "SELECT line FROM t").await.len(), names.len());
    let glob = format!("{}/[[]x].lo?", directory.path().display());
    assert_eq!(rows(&glob, "SELECT line FROM t").await, ["[x].log"]);
    let url = format!("file://{}/a%2520b.log", directory.path().display());
    assert_eq!(rows(&url, "SELECT line FROM t").await, ["a%20b.log"]);
}

#[tokio::test]
async fn globs_are_those_of_a_shell() {
    let directory = directory();
    for name in ["1.log", "sub/2.log", "sub/deep/3.log", ".hidden.log", "4.txt"] {
        write(&directory, name, name);
    }
    fs::create_dir(directory.path().join("dir.log")).expect("mkdir");
    std::os::unix::fs::symlink("4.txt", directory.path().join("link.log")).expect("symlink");
    std::os::unix::fs::symlink("..", directory.path().join("sub/up")).expect("symlink");
    let base = directory.path().to_str().expect("the name is UTF-8");
    for (glob, expected) in [
        ("*.log", vec!["1.log", "4.txt"]),
        ("**/*.log", vec!["1.log", "4.txt", "sub/2.log", "sub/deep/3.log"]),
        ("sub/*", vec!["sub/2.log"]),
        ("*/[0-9].log", vec!["sub/2.log"]),
        (".*.log", vec![".hidden.log"]),
        ("../.tmp*/sub/2.log", vec!["sub/2.log"]),
        ("**", vec!["1.log", "4.txt", "4.txt", "sub/2.log", "sub/deep/3.log"]),
    ] {
        let found = rows(&format!("{base}/{glob}"), "SELECT line FROM t").await;
        assert_eq!(found, expected, "{glob}");
    }
    let found = rows(&format!("{base}/sub/../sub/*.log"), "SELECT file FROM t").await;
    assert_eq!(found, [format!("{base}/sub/../sub/2.log")]);
}

#[tokio::test]
async fn thousands_of_files_are_one_table() {
    let directory = directory();
    for n in 0..5_000 {
        write(&directory, &format!("{n}.log"), format!("{n}\n"));
    }
    let glob = format!("{}/*.log", directory.path().display());
    let sql = "SELECT count(*), count(DISTINCT file), sum(CAST(line AS INT)), max(line_no) FROM t";
    assert_eq!(rows(&glob, sql).await, ["5000|5000|12497500|1"]);
}

#[tokio::test]
async fn relative_names_stay_relative() {
    // The directory of a test is its crate's.
    let files = rows("src/text/line*.rs", "SELECT DISTINCT file FROM t").await;
    assert_eq!(files, ["src/text/lines.rs"]);
    let files = rows("./Cargo.toml", "SELECT DISTINCT file FROM t").await;
    assert_eq!(files, ["./Cargo.toml"]);
    let files = rows("../executor/Cargo.tom[l]", "SELECT DISTINCT file FROM t").await;
    assert_eq!(files, ["../executor/Cargo.toml"]);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let directory = directory();
    let path = write(&directory, "access.log", "");
    let base = fs::canonicalize(directory.path()).expect("it exists");
    let base = base.to_str().expect("the name is UTF-8");

    let missing = format!("{base}/acess.log");
    let error = ask(&missing, "SELECT 1").await.err().expect("an error").find_root_owned();
    assert_eq!(error.to_string(), format!("no such file: {missing}"));
    let TextError::NotFound { candidates, .. } = error else { panic!("{error}") };
    assert_eq!(candidates, [format!("{base}/access.log")]);

    for (location, expected, hint) in [
        (format!("{base}/*.txt"), format!("no file matches {base}/*.txt in {base}"), None),
        (
            format!("{base}/x/*"),
            format!("no such directory: {base}/x/ (looked for {base}/x/*)"),
            None,
        ),
        (
            format!("{base}/x/y"),
            format!("no such directory: {base}/x/ (looked for {base}/x/y)"),
            None,
        ),
        (
            base.to_owned(),
            format!("{base} is a directory"),
            Some(format!("its files are '{base}/*'")),
        ),
        (format!("{path}/"), format!("cannot open {path}/: Not a directory (os error 20)"), None),
    ] {
        let (error, hint_given) = text_error(&location, "SELECT 1").await;
        assert_eq!(error, expected);
        assert_eq!(hint_given, hint);
    }
    let (error, hint) = text_error("src/***", "SELECT 1").await;
    assert!(error.starts_with("src/*** is not a valid glob"), "{error}");
    assert!(hint.is_some());
    assert!(text_error("~/x.log", "SELECT 1").await.1.is_some());
}

#[tokio::test]
async fn a_file_that_goes_away_is_named() {
    let directory = directory();
    let path = write(&directory, "a.log", "a\n");
    let context = SessionContext::new();
    let table = text_table(&context.state(), &path).await.expect("it exists");
    fs::remove_file(&path).expect("rm");
    let error = context.read_table(table).expect("a plan").collect().await.expect_err("it is gone");
    let error = error.find_root_owned().to_string();
    // Files are looked for again when they are read.
    assert_eq!(error, format!("no such file: {path}"));
}

#[tokio::test]
async fn origins_lead_to_line_numbers() {
    let directory = directory();
    let text = "one\r\n\ntwo\nthree";
    for (name, content) in [("a", text.as_bytes().to_vec()), ("a.gz", gzip(text.as_bytes()))] {
        let path = write(&directory, name, content);
        let sql = "SELECT __gleam_file, __gleam_offset, line_no FROM o";
        for row in rows(&path, sql).await {
            let [file, origin, line_no] = row.split('|').collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let origin = origin.parse().expect("an integer");
            let (shown, read) = name_and_path(file);
            assert_eq!(shown, path);
            let open = || File::open(read.expect("it is a file of this machine"));
            let number = line_number_of(origin, open).expect("it can be read again");
            assert_eq!(number.to_string(), line_no, "{row}");
        }
        let open = || File::open(&path).expect("it is there");
        assert_eq!(line_number_at(open(), 6).expect("it can be read"), 3);
        assert_eq!(line_number_at(open(), 9).expect("it can be read"), 3);
    }
}

#[tokio::test]
async fn pipes_are_read_once() {
    let directory = directory();
    let path = directory.path().join("fifo");
    let path = path.to_str().expect("the name is UTF-8");
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    for content in [b"one\ntwo\n".to_vec(), gzip(b"one\ntwo\n")] {
        let writer = std::thread::spawn({
            let path = path.to_owned();
            move || fs::write(path, content).expect("write")
        });
        let found = rows(path, "SELECT line_no, line, __gleam_offset FROM o").await;
        assert_eq!(found, ["1|one|-1", "2|two|-2"]);
        writer.join().expect("it wrote");
    }
}

#[tokio::test]
async fn devices_without_a_size_are_read() {
    if Path::new("/proc/self/status").exists() {
        let found = rows("/proc/self/status", "SELECT count(*) > 10 FROM t").await;
        assert_eq!(found, ["true"]);
    }
    assert_eq!(rows("/dev/null", "SELECT count(*) FROM t").await, ["0"]);
}

#[tokio::test]
async fn a_line_of_100_mb_is_a_line() {
    let directory = directory();
    let mut text = b"first\n".to_vec();
    text.extend(std::iter::repeat_n(b'x', 100_000_000));
    text.extend(b"\nlast\n");
    let path = write(&directory, "long", &text);
    let sql = "SELECT count(*), sum(length(line)), min(line) FROM t";
    assert_eq!(rows(&path, sql).await, ["3|100000009|first"]);
    assert_eq!(rows(&path, "SELECT count(*) FROM t").await, ["3"]);
}

#[tokio::test]
async fn objects_of_a_store_are_read() {
    use datafusion::execution::object_store::ObjectStoreUrl;
    use object_store::memory::InMemory;
    use object_store::{ObjectStoreExt, path::Path};

    let store = InMemory::new();
    for (key, content) in [("d/a.log", b"one\ntwo\n".to_vec()), ("d/b.gz", gzip(b"three\n"))] {
        store.put(&Path::from(key), content.into()).await.expect("put");
    }
    let mut config = SessionConfig::new().with_target_partitions(4);
    config.options_mut().optimizer.repartition_file_min_size = 1;
    let context = SessionContext::new_with_config(config);
    let url = ObjectStoreUrl::parse("mem://bucket").expect("a URL");
    context.register_object_store(url.as_ref(), Arc::new(store));
    for (location, lines, last_file) in [
        ("mem://bucket/d/a.log", 2, "mem://bucket/d/a.log"),
        ("mem://bucket/d/*", 3, "mem://bucket/d/b.gz"),
    ] {
        let table = text_table(&context.state(), location).await.expect(location);
        let table = context.read_table(table).expect("a plan");
        assert_eq!(table.clone().count().await.expect("a count"), lines);
        let files = table.select_columns(&["file"]).expect("a column").collect().await;
        let files = files
            .expect("files")
            .iter()
            .map(|batch| array_value_to_string(batch.column(0), 0).expect("a string"))
            .max();
        assert_eq!(files.as_deref(), Some(last_file));
    }
    for location in ["mem://bucket/x", "mem://bucket/*.txt"] {
        let error = text_table(&context.state(), location).await.expect_err("nothing there");
        assert!(error.to_string().contains(location), "{error}");
    }
}

/// Runs in a process of its own, so that there is a standard input to read.
#[tokio::test]
#[ignore = "reads the standard input that the tests of stdin start this program with"]
async fn stdin_child() {
    let sql = std::env::var("STDIN_SQL").expect("the parent sets it");
    let context = SessionContext::new();
    let table = with_origin(stdin_table().as_ref()).expect("stdin has origins");
    context.register_table("t", table).expect("a new name");
    let batches = match context.sql(&sql).await.expect("a plan").collect().await {
        Ok(batches) => batches,
        Err(error) => return println!("\nrow {}", error.find_root_owned()),
    };
    for batch in batches {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| array_value_to_string(column, row));
            let values = values.collect::<std::result::Result<Vec<_>, _>>().expect("printable");
            println!("\nrow {}", values.join("|"));
        }
    }
}

/// What the child answers with `input` on a pipe; `keeps_open` writes no end of input.
fn stdin_rows(input: &[u8], sql: &str, keeps_open: bool) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["stdin_child", "--exact", "--ignored", "--nocapture"])
        .env("STDIN_SQL", sql)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let mut pipe = child.stdin.take().expect("it is piped");
    let writer = std::thread::spawn({
        let input = input.to_vec();
        move || {
            // A child that has seen enough closes the pipe.
            let _ = pipe.write_all(&input);
            keeps_open.then_some(pipe)
        }
    });
    let pipe = writer.join().expect("it wrote");
    let output = if keeps_open {
        let mut stdout = child.stdout.take().expect("it is piped");
        let mut output = Vec::new();
        std::io::Read::read_to_end(&mut stdout, &mut output).expect("it prints");
        child.wait().expect("it ends while the pipe is open");
        output
    } else {
        child.wait_with_output().expect("it ends").stdout
    };
    drop(pipe);
    let output = String::from_utf8(output).expect("it prints UTF-8");
    output.lines().filter_map(|line| line.strip_prefix("row ")).map(str::to_owned).collect()
}

#[test]
fn stdin_is_a_table() {
    let sql = "SELECT file, line_no, line, __gleam_offset FROM t";
    let expected = ["stdin|1|one|-1", "stdin|2|two|-2"];
    for input in [b"one\r\ntwo".to_vec(), gzip(b"one\ntwo\n"), zstd_of(b"one\ntwo\n")] {
        assert_eq!(stdin_rows(&input, sql, false), expected);
    }
    let many = "some text\n".repeat(300_000);
    let sql = "SELECT count(*), count(DISTINCT line), max(line_no) FROM t";
    assert_eq!(stdin_rows(many.as_bytes(), sql, false), ["300000|1|300000"]);
    assert_eq!(stdin_rows(many.as_bytes(), "SELECT count(*) FROM t", false), ["300000"]);
    assert_eq!(stdin_rows(b"", "SELECT * FROM t", false), Vec::<String>::new());
}

#[test]
fn stdin_is_read_once() {
    let sql = "SELECT * FROM t JOIN t u ON t.line = u.line";
    assert_eq!(stdin_rows(b"one\n", sql, false), ["stdin can be read only once"]);
}

/// Lines are handed out as they come, and an unread rest does not hold up the end.
#[test]
fn stdin_does_not_wait_for_its_end() {
    let sql = "SELECT line FROM t LIMIT 2";
    assert_eq!(stdin_rows(b"one\ntwo\nthr", sql, true), ["one", "two"]);
}

fn zstd_of(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).expect("compress")
}

#[tokio::test]
async fn names_that_are_not_utf8_are_errors() {
    use std::os::unix::ffi::OsStrExt;

    let directory = directory();
    write(&directory, "a.log", "a\n");
    let name = std::ffi::OsStr::from_bytes(b"\xff.log");
    fs::write(directory.path().join(name), "b\n").expect("write");
    let base = directory.path().display();
    assert_eq!(rows(&format!("{base}/a*.log"), "SELECT line FROM t").await, ["a"]);
    let (error, _) = text_error(&format!("{base}/*.log"), "SELECT line FROM t").await;
    assert!(error.contains("it is not UTF-8"), "{error}");
}

#[tokio::test]
async fn files_without_permission_are_named() {
    use std::os::unix::fs::PermissionsExt;

    let directory = directory();
    let path = write(&directory, "a.log", "a\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("chmod");
    if fs::File::open(&path).is_ok() {
        return; // Nothing is forbidden to root.
    }
    let (error, _) = text_error(&path, "SELECT line FROM t").await;
    assert_eq!(error, format!("cannot open {path}: Permission denied (os error 13)"));
}

#[tokio::test]
async fn text_is_a_format_of_listing_tables() {
    use datafusion::datasource::listing::ListingOptions;
    use gleam_sql_executor::text::TextFormat;

    let directory = directory();
    let path = write(&directory, "a.log", "one\ntwo\n");
    let context = SessionContext::new();
    let options = ListingOptions::new(Arc::new(TextFormat)).with_file_extension("");
    context.register_listing_table("t", &path, options, None, None).await.expect("a table");
    let table = context.sql("SELECT line FROM t WHERE line_no = 2").await.expect("a plan");
    assert_eq!(table.count().await.expect("a count"), 1);
}
