//! Files that hold anything but tidy text.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, io};

use crate::support::log::ranked;
use crate::support::{Place, check, fails, heavy};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

/// A file of 100 MB that is mostly one line, without holding it in memory here.
fn write_huge_line(path: &Path, bytes: usize) {
    let mut file = io::BufWriter::new(fs::File::create(path).expect("it can be made"));
    file.write_all(b"before\n").expect("it can be written");
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..bytes / piece.len() {
        file.write_all(&piece).expect("it can be written");
    }
    file.write_all(b"\nafter\n").expect("it can be written");
    file.flush().expect("it can be written");
}

#[test]
fn a_line_of_100_megabytes() {
    const BYTES: usize = 100_000_000;
    let _alone = heavy();
    let place = Place::new();
    write_huge_line(&place.path("huge.log"), BYTES);
    let lengths = [6, BYTES, 5];
    check(&place, "SELECT count(*) FROM 'huge.log'", &[3]);
    check(&place, "SELECT length(line) FROM 'huge.log' ORDER BY line_no", &lengths);
    check(
        &place,
        "SELECT n FROM 'huge.log' FILTER LUA 'function(line) return true end'
           MAP LUA 'function(line_no, line) return line_no, #line end' AS (line_no BIGINT, n BIGINT)
         ORDER BY line_no",
        &lengths,
    );
    let finished =
        place.sql("FROM 'huge.log' |> PIPE 'wc -c' AS (n BIGINT) |> AGGREGATE sum(n)").run();
    finished.success();
    assert_eq!(finished.rows(), [(6 + BYTES + 5 + 3).to_string()]);
    check(&place, "SELECT count(*) FROM 'huge.log' WHERE line LIKE '%after%'", &[1]);
    // Through a shell and back.
    check(
        &place,
        "FROM 'huge.log' |> PIPE 'cat' |> AGGREGATE count(*), sum(length(line))",
        &[format!("3,{}", 6 + BYTES + 5)],
    );
    fails(
        &place,
        "FROM 'huge.log' |> MAP LUA 'function(line) if #line > 100 then error(\"long\") end end' AS (x)",
        1,
        &["long", "(string, 100000000 bytes)", "huge.log:2\n"],
    );
}

#[test]
fn nul_bytes_are_bytes() {
    let place = Place::with("nul.log", b"a\0b\n\0\0\nlast\0");
    check(&place, "SELECT length(line) FROM 'nul.log' ORDER BY line_no", &[3, 2, 5]);
    check(&place, "SELECT count(*) FROM 'nul.log' WHERE line LIKE 'a%b'", &[1]);
    check(
        &place,
        "FROM 'nul.log' |> MAP LUA 'function(line) return #line, line end' AS (n INT, line)
         |> SELECT n, length(line) |> ORDER BY 1",
        &["2,2", "3,3", "5,5"],
    );
    check(&place, "FROM 'nul.log' |> PIPE 'wc -c' AS (n BIGINT)", &["a.b\n..\nlast.\n".len()]);
    check(&place, "FROM 'nul.log' |> PIPE 'cat' |> SELECT length(line)", &[3, 2, 5]);
    // A program cannot hold one in its code.
    let finished = place.sql("FROM 'nul.log' |> SELECT line").format("ndjson").run();
    finished.success();
    assert!(finished.text().contains("a\\u0000b"), "{}", finished.shown());
}

/// Bytes of all kinds, in lines that are known from how they were made.
fn junk() -> (Vec<u8>, usize, usize) {
    let mut bytes = Vec::new();
    let mut state = 1_u32;
    for _ in 0..200_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8);
    }
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let lines = if bytes.ends_with(b"\n") { &lines[..lines.len() - 1] } else { &lines[..] };
    let invalid = lines.iter().filter(|line| std::str::from_utf8(line).is_err()).count();
    let count = lines.len();
    (bytes, count, invalid)
}

#[test]
fn binary_junk_is_lines_of_replaced_bytes() {
    let (bytes, lines, invalid) = junk();
    assert!(invalid > 100);
    let place = Place::with("junk", &bytes);
    let warning = format!(
        "warning: {invalid} lines were not UTF-8; their bad bytes were replaced by \u{fffd}\n"
    );
    for sql in [
        "SELECT count(*) FROM (SELECT DISTINCT line, line_no FROM 'junk')",
        "FROM 'junk' |> MAP LUA 'function(line) return line end' AS (line) |> AGGREGATE count(*)",
        "FROM 'junk' |> PIPE 'cat' |> AGGREGATE count(*)",
    ] {
        let finished = place.sql(sql).run();
        finished.code(0);
        assert_eq!(finished.rows(), [lines.to_string()], "{sql}");
        assert_eq!(finished.stderr, warning, "{sql}");
    }
    // Each bad line counts once, though two operators see it.
    let finished = place.sql("FROM 'junk' |> PIPE 'cat' |> PIPE 'cat' |> AGGREGATE count(*)").run();
    finished.code(0);
    assert_eq!(finished.stderr, warning);
    // Where no text is made, nothing is replaced.
    check(&place, "SELECT count(*) FROM 'junk'", &[lines]);
}

#[test]
fn the_output_is_utf8_whatever_comes_in() {
    let (bytes, lines, _) = junk();
    let place = Place::with("junk", &bytes);
    for format in ["csv", "tsv", "json", "ndjson", "table", "markdown"] {
        let finished = place.sql("SELECT line_no, line FROM 'junk'").format(format).run();
        finished.code(0);
        let text = finished.text();
        if ["tsv", "ndjson"].contains(&format) {
            let rows = text.split_terminator('\n').count() - usize::from(format == "tsv");
            assert_eq!(rows, lines, "{format}");
        }
    }
}

#[test]
fn what_is_replaced_and_what_is_not() {
    let place = Place::with(
        "bad",
        b"ok caf\xc3\xa9\nlatin caf\xe9!\n\xff\xfe\n\xc3\n\xed\xa0\x80\n\xf0\x9f\x98\x80\n",
    );
    let finished = place.sql("SELECT line FROM 'bad' ORDER BY line_no").format("tsv").run();
    finished.code(0);
    let expected: Vec<String> = [
        &b"ok caf\xc3\xa9"[..],
        b"latin caf\xe9!",
        b"\xff\xfe",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
    ]
    .iter()
    .map(|line| String::from_utf8_lossy(line).into_owned())
    .collect();
    assert_eq!(finished.rows(), expected);
    finished.says(&["warning: 4 lines were not UTF-8"]);
}

#[test]
fn invalid_output_of_a_command() {
    let place = Place::with("x", "a\n");
    let finished = place.sql("FROM 'x' |> PIPE $$cat; printf 'b\\377\\nc\\376'$$").run();
    finished.code(0);
    assert_eq!(finished.rows(), ["a", "b\u{fffd}", "c\u{fffd}"]);
    assert_eq!(
        finished.stderr,
        "warning: 2 lines were not UTF-8; their bad bytes were replaced by \u{fffd}\n"
    );
    let finished = place.sql("FROM 'x' |> PIPE $$printf 'b\\377\\tc\\n'$$ AS (p, q)").run();
    finished.code(0).says(&["warning: 1 line was not UTF-8"]);
    assert_eq!(finished.rows(), ["b\u{fffd},c"]);
    let finished = place.sql("SELECT line FROM stdin").input(b"\xff\n").run();
    finished.code(0).says(&["warning: 1 line was not UTF-8"]);
}

#[test]
fn other_encodings_and_marks() {
    // A byte order mark is no part of the first line, or else it is there for all to see.
    let place = Place::with("bom.log", "\u{feff}first\nsecond\n");
    let finished = place.sql("SELECT length(line) FROM 'bom.log' ORDER BY line_no").run();
    finished.success();
    assert!(matches!(finished.rows()[0], "5" | "6"), "{}", finished.shown());
    assert_eq!(finished.rows()[1], "6");
    // Carriage returns inside a line stay.
    let place = Place::with("cr.log", "a\rb\r\nc\r\r\n");
    check(&place, "SELECT length(line) FROM 'cr.log' ORDER BY line_no", &[3, 2]);
    // Other separators of Unicode end no line.
    let place = Place::with("ls.log", "a\u{2028}b\u{85}c\x0bd\x0ce\n");
    check(&place, "SELECT length(line) FROM 'ls.log'", &[9]);
}

#[test]
fn truncated_and_corrupt_compression() {
    let text: String = (0..50_000).map(|number| format!("line {number}\n")).collect();
    let whole = gzip(text.as_bytes());
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("memory takes everything");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].fill(0x55);
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 0xff;
    for (name, bytes, message) in [
        ("half.gz", whole[..whole.len() / 2].to_vec(), "half.gz is truncated"),
        ("tail.gz", whole[..whole.len() - 3].to_vec(), "tail.gz is truncated"),
        ("header.gz", whole[..5].to_vec(), "header.gz is truncated"),
        ("second.gz", [&whole[..], &whole[..20]].concat(), "second.gz is truncated"),
        ("flipped.gz", flipped, "flipped.gz is corrupt gzip data"),
        ("sum.gz", wrong_sum, "sum.gz is corrupt gzip data"),
        ("half.zst", zstd[..zstd.len() / 2].to_vec(), "half.zst is truncated"),
        ("junk behind.gz", [&whole[..], b"this is no gzip"].concat(), "junk behind.gz is corrupt"),
    ] {
        let place = Place::with(name, bytes);
        for operators in
            ["", "|> PIPE 'cat'", "|> MAP LUA 'function(line) return line end' AS (line)"]
        {
            let sql = format!("FROM '{name}' {operators} |> AGGREGATE count(*)");
            let finished = fails(&place, &sql, 1, &[message]);
            assert!(
                !finished.text().contains(|c: char| c.is_ascii_digit()),
                "{}",
                finished.shown()
            );
        }
    }
    // Nor does a broken one among others pass.
    let place = Place::with("a.log", "a\n");
    place.write("b.log.gz", &whole[..whole.len() / 2]);
    place.write("c.log", "c\n");
    fails(&place, "SELECT count(*) FROM '*.log*'", 1, &["b.log.gz is truncated"]);
    fails(&place, "FROM '*.log*' |> PIPE 'wc -l'", 1, &["b.log.gz is truncated"]);
}

#[test]
fn names_that_promise_compression_and_do_not_keep_it() {
    let place = Place::with("plain.log.gz", "a\nb\n");
    check(&place, "SELECT count(*) FROM 'plain.log.gz'", &[2]);
}

#[test]
fn a_file_without_permission() {
    // SAFETY: geteuid(2) only reads.
    if unsafe { libc::geteuid() } == 0 {
        eprintln!("skipped: root may read everything");
        return;
    }
    let place = Place::with("secret.log", "a\n");
    let path = place.path("secret.log");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("it is ours");
    for sql in ["SELECT count(*) FROM 'secret.log'", "FROM '*.log' |> PIPE 'cat'"] {
        let finished = place.sql(sql).run();
        assert!(matches!(finished.code, Some(1 | 2)), "{}", finished.shown());
        finished.says(&["error: ", "secret.log", "ermission denied"]);
    }
    place.write("closed/x.log", "a\n");
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o000))
        .expect("it is ours");
    let finished = place.sql("SELECT count(*) FROM 'closed/*.log'").run();
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o700))
        .expect("it is ours");
    finished.says(&["error: ", "closed", "ermission denied"]);
    assert_ne!(finished.code, Some(0));
}

#[test]
fn a_dangling_link_and_a_directory_named_like_a_log() {
    let place = Place::with("a.log", "a\n");
    std::os::unix::fs::symlink("nowhere", place.path("b.log")).expect("a link");
    // A file that cannot be read is not silently left out.
    let finished = place.sql("SELECT count(*) FROM '*.log'").run();
    assert!(matches!(finished.code, Some(1 | 2)), "{}", finished.shown());
    finished.says(&["error: ", "b.log"]);
    fails(&place, "SELECT count(*) FROM 'b.log'", 2, &["b.log"]);
    let place = Place::with("a.log", "a\n");
    place.write("b.log/inner", "not one of them\n");
    check(&place, "SELECT count(*) FROM '*.log'", &[1]);
}

#[test]
fn a_fifo_and_a_device() {
    let place = Place::with("x", "a\n");
    check(&place, "SELECT count(*) FROM '/dev/null'", &[0]);
    let status = std::process::Command::new("mkfifo").arg(place.path("fifo")).status();
    assert!(status.expect("mkfifo is there").success());
    let running = place.sql("FROM 'fifo' |> PIPE 'cat' |> AGGREGATE count(*)").start();
    // It is opened for writing as soon as it is open for reading.
    let path = place.path("fifo");
    let writer = std::thread::spawn(move || fs::write(path, "one\ntwo\n"));
    let finished = running.finish(std::time::Duration::from_secs(20));
    drop(place);
    if finished.code == Some(0) {
        assert_eq!(finished.rows(), ["2"]);
        writer.join().expect("no panic").expect("it was read");
    } else {
        // Refused is an answer as well, and says of what.
        finished.says(&["error: ", "fifo"]);
    }
}

/// Rows with many columns and values of any length come through both kinds of children.
#[test]
fn empty_and_long_values_in_turn() {
    let lines: Vec<String> = (0..400).map(|n| "z".repeat(n * n % 7919 * (n % 3))).collect();
    let place = Place::with("x", lines.join("\n") + "\n");
    let expected: Vec<String> = ranked(lines.iter().map(String::len))
        .into_iter()
        .map(|(length, count)| format!("{length},{count}"))
        .collect();
    for operators in [
        "",
        "|> PIPE 'cat'",
        "|> MAP LUA 'function(line) return line end' AS (line)",
        "|> PIPE 'cat' |> MAP LUA 'function(line) return line end' AS (line) |> PIPE 'cat'",
    ] {
        let sql = format!(
            "FROM 'x' {operators} |> AGGREGATE count(*) AS n GROUP BY length(line) AS l
             |> ORDER BY n DESC, l"
        );
        let rows: Vec<String> = crate::support::succeeds(&place, &sql);
        crate::support::check_as(&sql, rows, &expected);
    }
}
