//! The access log of Amazon CloudFront, whose fields tabs separate
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html>). Its lines
//! of headers begin with `#` and do not match.

use super::reader::{Missing, Reader};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;

/// Up to the time that was taken all logs have all columns.
const TIME_TAKEN: usize = 17;

pub(super) const FORMAT: Builtin = Builtin {
    name: "CLOUDFRONT",
    about: "access log of Amazon CloudFront",
    columns: &[
        ("ts", Kind::Moment),
        ("edge_location", Kind::Text),
        ("bytes", Kind::Integer),
        ("client", Kind::Text),
        ("method", Kind::Text),
        ("distribution", Kind::Text),
        ("path", Kind::Text),
        ("status", Kind::Integer),
        ("referer", Kind::Text),
        ("user_agent", Kind::Text),
        ("query", Kind::Text),
        ("cookie", Kind::Text),
        ("result_type", Kind::Text),
        ("request_id", Kind::Text),
        ("host", Kind::Text),
        ("scheme", Kind::Text),
        ("received_bytes", Kind::Integer),
        ("time_taken", Kind::Double),
        ("forwarded_for", Kind::Text),
        ("ssl_protocol", Kind::Text),
        ("ssl_cipher", Kind::Text),
        ("response_result_type", Kind::Text),
        ("protocol", Kind::Text),
        ("fle_status", Kind::Text),
        ("fle_encrypted_fields", Kind::Integer),
        ("client_port", Kind::Integer),
        ("time_to_first_byte", Kind::Double),
        ("detailed_result_type", Kind::Text),
        ("content_type", Kind::Text),
        ("content_length", Kind::Integer),
        ("range_start", Kind::Integer),
        ("range_end", Kind::Integer),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    let date = line.shape("0000-00-00", "date")?;
    line.literal("\t")?;
    let time = line.shape("00:00:00", "time")?;
    line.set_joined(TS, date, " ", time);
    for column in TS + 1..FORMAT.columns.len() {
        if line.is_at_end() && column > TIME_TAKEN {
            break;
        }
        line.literal("\t")?;
        let start = line.at();
        let length = line.rest().find('\t').unwrap_or(line.rest().len());
        line.go_to(start + length);
        line.set_unless_dash(column, start..start + length);
    }
    Ok(())
}
