//! The access log of Amazon S3
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>).

use super::reader::{Missing, Reader};
use super::{Builtin, Kind, Scan};

const OWNER: usize = 0;
const BUCKET: usize = 1;
const TS: usize = 2;
const CLIENT: usize = 3;
const METHOD: usize = 8;
const STATUS: usize = 11;

pub(super) const FORMAT: Builtin = Builtin {
    name: "S3",
    about: "server access log of Amazon S3",
    columns: &[
        ("owner", Kind::Text),
        ("bucket", Kind::Text),
        ("ts", Kind::Moment),
        ("client", Kind::Text),
        ("requester", Kind::Text),
        ("request_id", Kind::Text),
        ("operation", Kind::Text),
        ("key", Kind::Text),
        ("method", Kind::Text),
        ("path", Kind::Text),
        ("protocol", Kind::Text),
        ("status", Kind::Integer),
        ("error_code", Kind::Text),
        ("bytes", Kind::Integer),
        ("object_bytes", Kind::Integer),
        ("total_ms", Kind::Integer),
        ("turn_around_ms", Kind::Integer),
        ("referer", Kind::Text),
        ("user_agent", Kind::Text),
        ("version_id", Kind::Text),
        ("host_id", Kind::Text),
        ("signature_version", Kind::Text),
        ("ssl_cipher", Kind::Text),
        ("authentication", Kind::Text),
        ("host", Kind::Text),
        ("ssl_protocol", Kind::Text),
        ("access_point", Kind::Text),
        ("acl_required", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    for column in [OWNER, BUCKET] {
        let word = line.word()?;
        line.set_unless_dash(column, word);
    }
    line.literal("[")?;
    let ts = line.shape("00/aaa/0000:00:00:00 +0000", "time")?;
    line.set(TS, ts);
    line.literal("] ")?;
    for column in CLIENT..METHOD {
        let word = line.word()?;
        line.set_unless_dash(column, word);
    }
    let request = line.token()?;
    line.set_request(METHOD, request);
    // The version of the object and what is behind it came later.
    let (last_that_must_be, mut column) = (STATUS + 7, STATUS);
    while column < FORMAT.columns.len() && (column <= last_that_must_be || !line.is_at_end()) {
        let token = line.token()?;
        line.set_unless_dash(column, token);
        column += 1;
    }
    Ok(())
}
