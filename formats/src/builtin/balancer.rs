//! The access logs of Amazon's load balancers
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html>).

use super::reader::{Missing, Reader};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const BALANCER: usize = 1;
const CLIENT: usize = 2;
const TARGET: usize = 4;
const REQUEST_TIME: usize = 6;
const STATUS: usize = 9;
const METHOD: usize = 13;
const USER_AGENT: usize = 16;
const SSL_CIPHER: usize = 17;
const SSL_PROTOCOL: usize = 18;
const TYPE: usize = 19;
const TARGET_GROUP: usize = 20;

macro_rules! columns {
    ($($more:expr,)*) => {
        &[
            ("ts", Kind::Moment),
            ("balancer", Kind::Text),
            ("client", Kind::Text),
            ("client_port", Kind::Integer),
            ("target", Kind::Text),
            ("target_port", Kind::Integer),
            ("request_time", Kind::Double),
            ("target_time", Kind::Double),
            ("response_time", Kind::Double),
            ("status", Kind::Integer),
            ("target_status", Kind::Integer),
            ("received_bytes", Kind::Integer),
            ("bytes", Kind::Integer),
            ("method", Kind::Text),
            ("url", Kind::Text),
            ("protocol", Kind::Text),
            ("user_agent", Kind::Text),
            ("ssl_cipher", Kind::Text),
            ("ssl_protocol", Kind::Text),
            $($more,)*
        ]
    };
}

/// Times are seconds; -1 is one that was not measured.
pub(super) const ALB: Builtin = Builtin {
    name: "ALB",
    about: "access log of an Application Load Balancer of AWS",
    columns: columns![
        ("type", Kind::Text),
        ("target_group", Kind::Text),
        ("trace_id", Kind::Text),
        ("domain", Kind::Text),
        ("certificate", Kind::Text),
        ("rule_priority", Kind::Integer),
        ("creation_time", Kind::Moment),
        ("actions", Kind::Text),
        ("redirect_url", Kind::Text),
        ("error_reason", Kind::Text),
        ("targets", Kind::Text),
        ("target_statuses", Kind::Text),
        ("classification", Kind::Text),
        ("classification_reason", Kind::Text),
        ("connection_trace_id", Kind::Text),
    ],
    scan: Scan::Read(application),
};

pub(super) const ELB: Builtin = Builtin {
    name: "ELB",
    about: "access log of a Classic Load Balancer of AWS",
    columns: columns![],
    scan: Scan::Read(classic),
};

fn application(line: &mut Reader<'_>) -> Result<(), Missing> {
    let types = ["http", "https", "h2", "grpcs", "ws", "wss"];
    let kind = line.one_of(&types, "type of a request")?;
    line.set(TYPE, kind);
    line.literal(" ")?;
    request(line)?;
    // Older lines have fewer columns, and newer ones more than are known here.
    let mut column = TARGET_GROUP;
    while !line.is_at_end() && column < ALB.columns.len() {
        let token = line.token()?;
        line.set_unless_dash(column, token);
        column += 1;
    }
    if column == TARGET_GROUP {
        return Err(line.missing("target group"));
    }
    Ok(())
}

fn classic(line: &mut Reader<'_>) -> Result<(), Missing> {
    request(line)?;
    if !line.is_at_end() {
        return Err(line.missing("end of the line"));
    }
    Ok(())
}

/// What both have, up to the protocol of TLS.
fn request(line: &mut Reader<'_>) -> Result<(), Missing> {
    let ts = line.iso_time()?;
    line.set(TS, ts);
    line.literal(" ")?;
    let balancer = line.word()?;
    line.set(BALANCER, balancer);
    for column in [CLIENT, TARGET] {
        let address = line.word()?;
        line.set_address(column, address);
    }
    for column in REQUEST_TIME..STATUS {
        let start = line.at();
        let time = line.word()?;
        if line.text(&time).parse::<f64>().is_err() && line.text(&time) != "-" {
            line.go_to(start);
            return Err(line.missing("time that something took"));
        }
        line.set_unless_dash(column, time);
    }
    for column in STATUS..METHOD {
        let number = line.word()?;
        line.set_unless_dash(column, number);
    }
    if !line.rest().starts_with('"') {
        return Err(line.missing("request in quotes"));
    }
    let request = line.token()?;
    line.set_request(METHOD, request);
    for column in [USER_AGENT, SSL_CIPHER, SSL_PROTOCOL] {
        let token = line.token()?;
        line.set_unless_dash(column, token);
    }
    Ok(())
}
