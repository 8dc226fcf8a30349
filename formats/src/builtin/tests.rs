use proptest::prelude::*;

use super::*;
use crate::check::{fields_of, judged_alike, printed, values_of};
use crate::spec::FormatSpec;
use crate::timestamp::TimestampFormat;

fn format(name: &str) -> FormatSpec {
    FormatSpec::named(name).expect("the format is there")
}

/// What columns that are not NULL hold, in the order of the columns.
fn check(name: &str, line: &str, expected: &[&str]) {
    let values = values_of(&format(name), line);
    assert_eq!(values, Ok(expected.iter().map(|value| value.to_string()).collect()), "{line}");
    judged_alike(&format(name), line);
}

fn check_mismatch(name: &str, line: &str, reason: &str) {
    assert_eq!(values_of(&format(name), line), Err(reason.to_string()), "{line}");
    judged_alike(&format(name), line);
}

/// Real-looking lines of each format; also what AUTO is tested with.
pub(crate) const SAMPLES: [(&str, &[&str]); 15] = [
    (
        "ALB",
        &[
            r#"http 2018-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2 "Root=1-58337262-36d2" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#,
            r#"h2 2018-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 10.0.1.252:48160 - -1 -1 -1 502 - 5 257 "GET https://10.0.2.105:773/ HTTP/2.0" "curl/7.46.0 \"x\"" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 - "Root=1-58337327" "api.example.com" "session-reused" 1 2018-07-02T22:22:48.364000Z "redirect" "https://example.com:80/" "-" "-" "-" "-" "-" TID_dd57"#,
        ],
    ),
    (
        "APACHE_ERROR",
        &[
            "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties",
            "[Sun Dec 04 05:15:09 2005] [error] [client 222.166.160.184] Directory index forbidden by rule: /var/www/html/",
            "[Wed Oct 11 14:32:52.123456 2017] [core:error] [pid 1234:tid 5678] (13)Permission denied: [client 10.0.0.9:51234] AH00132: file permissions deny server access: /var/www/a, referer: http://x/",
        ],
    ),
    (
        "CLOUDFRONT",
        &[
            "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.24\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC==\td111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-",
        ],
    ),
    (
        "CRI",
        &[
            "2024-01-02T10:05:03.123456789Z stdout F hello from a container",
            "2024-01-02T11:05:03.123456789+01:00 stderr P half a line and ",
            "2024-01-02T10:05:04.000000001Z stdout F ",
        ],
    ),
    (
        "ELB",
        &[
            r#"2015-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -"#,
        ],
    ),
    (
        "GLOG",
        &[
            "I20240102 10:05:03.123456 1234 server.cc:57] listening",
            "W20240102 10:05:04.000001 1234 server.cc:99] slow",
        ],
    ),
    (
        "HAPROXY",
        &[
            r#"Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1""#,
            r#"haproxy[674]: 127.0.0.1:33319 [15/Oct/2003:08:31:57.130] px-http px-http/<NOSRV> 0/-1/-1/-1/+0 400 +187 - - PR-- 1/1/0/0/+2 0/0 "<BADREQ>""#,
        ],
    ),
    (
        "JOURNALD",
        &[
            r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1704189903123456","PRIORITY":"6","_HOSTNAME":"web1","_SYSTEMD_UNIT":"ssh.service","SYSLOG_IDENTIFIER":"sshd","_PID":"812","_UID":"0","MESSAGE":"Accepted \"key\""}"#,
        ],
    ),
    (
        "KLOG",
        &[
            "E0102 10:05:03.123456    1234 kubelet.go:123] \"Failed to sync\" err=\"x\"",
            "I0102 10:05:04.000001       1 main.go:5] started",
        ],
    ),
    (
        "LOG4J",
        &[
            "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - Notification time out: 3200",
            "2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created MRAppMaster",
            "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38 terminating",
            "2015-10-18 18:01:47,978 [main] WARN  org.x.Y - disk is full",
            "2015-10-18 18:01:47,978 ERROR org.x.Y: failed",
        ],
    ),
    (
        "LOGBACK",
        &[
            "10:05:03.123 [main] INFO  com.x.Y - message",
            "2024-01-02 10:05:03.123 [pool-1-thread-2] WARN  com.x.Y - message - more",
            "2024-01-02T10:05:03.123+01:00  INFO 1234 --- [demo] [           main] c.e.DemoApplication                 : Started",
            "10:05:03.123 [main] INFO  com.x.Y -a=\"b\"- message",
        ],
    ),
    (
        "NGINX_ERROR",
        &[
            r#"2024/01/02 10:05:03 [error] 1234#5678: *90 open() "/var/www/x" failed (2: No such file or directory), client: 1.2.3.4, server: example.com, request: "GET /x HTTP/1.1", upstream: "http://10.0.0.1:80/x", host: "example.com", referrer: "http://a/, b""#,
            "2024/01/02 10:05:03 [notice] 1#1: signal process started",
        ],
    ),
    (
        "POSTGRES",
        &[
            "2024-01-02 10:05:03.123 UTC [1234] LOG:  database system is ready to accept connections",
            "2024-01-02 10:05:03.123 CET [1234] app@shop ERROR:  relation \"x\" does not exist at character 15",
            "2024-01-02 10:05:03 UTC:10.0.0.1(5432):app@shop:[1234]:STATEMENT:  select 1",
            "2024-01-02 10:05:03.123 UTC [1234-2] FATAL:  no",
        ],
    ),
    (
        "PYTHON",
        &[
            "2024-01-02 10:05:03,123 - app.db - WARNING - slow - query",
            "ERROR:app.db:no connection",
        ],
    ),
    (
        "S3",
        &[
            r#"79a59df900b949e55d96a1e698fbaced awsexamplebucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 arn:aws:iam::1:user/x 3E57427F3EXAMPLE REST.GET.OBJECT a%20b "GET /awsexamplebucket1/a HTTP/1.1" 200 - 113 4406 7 6 "-" "S3Console/0.4 "x"" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader awsexamplebucket1.s3.us-west-1.amazonaws.com TLSV1.2 - -"#,
        ],
    ),
];

fn sample(name: &str, number: usize) -> &'static str {
    let (_, lines) = SAMPLES.iter().find(|(other, _)| *other == name).expect("it has samples");
    lines[number]
}

#[test]
fn every_format_matches_its_samples() {
    assert_eq!(SAMPLES.map(|(name, _)| name), FORMATS.map(|format| format.name));
    for (name, lines) in SAMPLES {
        for line in lines {
            judged_alike(&format(name), line);
            assert!(fields_of(&format(name), line).is_some(), "{name}: {line}");
        }
        assert!(fields_of(&format(name), "").is_none(), "{name}");
        assert!(fields_of(&format(name), "#Fields: date time").is_none(), "{name}");
    }
}

#[test]
fn load_balancers() {
    check(
        "ALB",
        sample("ALB", 0),
        &[
            "ts=2018-07-02T22:23:00.186641Z",
            "balancer=app/my-lb/50dc6c495c0c9188",
            "client=192.168.131.39",
            "client_port=2817",
            "target=10.0.0.1",
            "target_port=80",
            "request_time=0.0",
            "target_time=0.001",
            "response_time=0.0",
            "status=200",
            "target_status=200",
            "received_bytes=34",
            "bytes=366",
            "method=GET",
            "url=http://www.example.com:80/",
            "protocol=HTTP/1.1",
            "user_agent=curl/7.46.0",
            "type=http",
            "target_group=arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2",
            "trace_id=Root=1-58337262-36d2",
            "rule_priority=0",
            "creation_time=2018-07-02T22:22:48.364Z",
            "actions=forward",
            "targets=10.0.0.1:80",
            "target_statuses=200",
        ],
    );
    check(
        "ELB",
        sample("ELB", 0),
        &[
            "ts=2015-05-13T23:39:43.945958Z",
            "balancer=my-lb",
            "client=192.168.131.39",
            "client_port=2817",
            "target=10.0.0.1",
            "target_port=80",
            "request_time=0.000073",
            "target_time=0.001048",
            "response_time=0.000057",
            "status=200",
            "target_status=200",
            "received_bytes=0",
            "bytes=29",
            "method=GET",
            "url=http://www.example.com:80/",
            "protocol=HTTP/1.1",
            "user_agent=curl/7.38.0",
        ],
    );
    check_mismatch("ALB", "ftp x", "no type of a request at byte 1");
}

#[test]
fn cloudfront_and_s3() {
    check(
        "CLOUDFRONT",
        sample("CLOUDFRONT", 0),
        &[
            "ts=2019-12-04T21:02:31Z",
            "edge_location=LAX1",
            "bytes=392",
            "client=192.0.2.24",
            "method=GET",
            "distribution=d111111abcdef8.cloudfront.net",
            "path=/index.html",
            "status=200",
            "user_agent=Mozilla/5.0%20(Windows)",
            "result_type=Hit",
            "request_id=SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC==",
            "host=d111111abcdef8.cloudfront.net",
            "scheme=https",
            "received_bytes=23",
            "time_taken=0.001",
            "ssl_protocol=TLSv1.2",
            "ssl_cipher=ECDHE-RSA-AES128-GCM-SHA256",
            "response_result_type=Hit",
            "protocol=HTTP/2.0",
            "client_port=11040",
            "time_to_first_byte=0.001",
            "detailed_result_type=Hit",
            "content_type=text/html",
            "content_length=78",
        ],
    );
    check_mismatch("CLOUDFRONT", "#Version: 1.0", "no date at byte 1");
    check(
        "S3",
        sample("S3", 0),
        &[
            "owner=79a59df900b949e55d96a1e698fbaced",
            "bucket=awsexamplebucket1",
            "ts=2019-02-06T00:00:38Z",
            "client=192.0.2.3",
            "requester=arn:aws:iam::1:user/x",
            "request_id=3E57427F3EXAMPLE",
            "operation=REST.GET.OBJECT",
            "key=a%20b",
            "method=GET",
            "path=/awsexamplebucket1/a",
            "protocol=HTTP/1.1",
            "status=200",
            "bytes=113",
            "object_bytes=4406",
            "total_ms=7",
            "turn_around_ms=6",
            "user_agent=S3Console/0.4 \"x\"",
            "host_id=s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234=",
            "signature_version=SigV4",
            "ssl_cipher=ECDHE-RSA-AES128-GCM-SHA256",
            "authentication=AuthHeader",
            "host=awsexamplebucket1.s3.us-west-1.amazonaws.com",
            "ssl_protocol=TLSV1.2",
        ],
    );
}

#[test]
fn web_servers() {
    check(
        "APACHE_ERROR",
        sample("APACHE_ERROR", 1),
        &[
            "ts=2005-12-04T05:15:09",
            "level=error",
            "client=222.166.160.184",
            "message=[client 222.166.160.184] Directory index forbidden by rule: /var/www/html/",
        ],
    );
    check(
        "APACHE_ERROR",
        sample("APACHE_ERROR", 2),
        &[
            "ts=2017-10-11T14:32:52.123456",
            "level=error",
            "module=core",
            "pid=1234",
            "thread=5678",
            "client=10.0.0.9:51234",
            "code=AH00132",
            "message=(13)Permission denied: [client 10.0.0.9:51234] AH00132: file permissions deny server access: /var/www/a, referer: http://x/",
        ],
    );
    check(
        "NGINX_ERROR",
        sample("NGINX_ERROR", 0),
        &[
            "ts=2024-01-02T10:05:03",
            "level=error",
            "pid=1234",
            "thread=5678",
            "connection=90",
            "message=open() \"/var/www/x\" failed (2: No such file or directory)",
            "client=1.2.3.4",
            "server=example.com",
            "request=GET /x HTTP/1.1",
            "upstream=http://10.0.0.1:80/x",
            "host=example.com",
            "referrer=http://a/, b",
        ],
    );
    let unclosed = "2024/01/02 10:05:03 [error] 1#1: x, client: c, host: \"aü";
    judged_alike(&format("NGINX_ERROR"), unclosed);
    let found = fields_of(&format("NGINX_ERROR"), unclosed).expect("it matches");
    assert_eq!(found[11], ("host".into(), Some("\"aü".into())));
    check_mismatch("NGINX_ERROR", "2024/01/02 10:05:03 error", "no ` [` at byte 20");
    check(
        "HAPROXY",
        sample("HAPROXY", 0),
        &[
            "pid=14389",
            "client=10.0.1.2",
            "client_port=33317",
            "ts=2009-02-06T12:14:14.655",
            "frontend=http-in",
            "backend=static",
            "server=srv1",
            "request_ms=10",
            "queue_ms=0",
            "connect_ms=30",
            "response_ms=69",
            "total_ms=109",
            "status=200",
            "bytes=2750",
            "termination=----",
            "connections=1",
            "frontend_connections=1",
            "backend_connections=1",
            "server_connections=1",
            "retries=0",
            "server_queue=0",
            "backend_queue=0",
            "request_headers=1wt.eu",
            "response_headers=",
            "method=GET",
            "path=/index.html",
            "protocol=HTTP/1.1",
        ],
    );
    check(
        "HAPROXY",
        sample("HAPROXY", 1),
        &[
            "pid=674",
            "client=127.0.0.1",
            "client_port=33319",
            "ts=2003-10-15T08:31:57.130",
            "frontend=px-http",
            "backend=px-http",
            "server=<NOSRV>",
            "request_ms=0",
            "queue_ms=-1",
            "connect_ms=-1",
            "response_ms=-1",
            "total_ms=0",
            "status=400",
            "bytes=187",
            "termination=PR--",
            "connections=1",
            "frontend_connections=1",
            "backend_connections=0",
            "server_connections=0",
            "retries=2",
            "server_queue=0",
            "backend_queue=0",
            "path=<BADREQ>",
        ],
    );
}

#[test]
fn postgres() {
    check(
        "POSTGRES",
        sample("POSTGRES", 0),
        &[
            "ts=2024-01-02T10:05:03.123",
            "zone=UTC",
            "pid=1234",
            "level=LOG",
            "message=database system is ready to accept connections",
        ],
    );
    check(
        "POSTGRES",
        sample("POSTGRES", 1),
        &[
            "ts=2024-01-02T10:05:03.123",
            "zone=CET",
            "pid=1234",
            "user=app",
            "database=shop",
            "level=ERROR",
            "message=relation \"x\" does not exist at character 15",
        ],
    );
    check(
        "POSTGRES",
        sample("POSTGRES", 2),
        &[
            "ts=2024-01-02T10:05:03",
            "zone=UTC",
            "host=10.0.0.1(5432)",
            "pid=1234",
            "user=app",
            "database=shop",
            "level=STATEMENT",
            "message=select 1",
        ],
    );
    check_mismatch("POSTGRES", "\tselect 1", "no time at byte 1");
}

#[test]
fn containers_and_systems() {
    check(
        "CRI",
        sample("CRI", 1),
        &[
            "ts=2024-01-02T10:05:03.123456789Z",
            "stream=stderr",
            "tag=P",
            "message=half a line and ",
        ],
    );
    check(
        "JOURNALD",
        sample("JOURNALD", 0),
        &[
            "ts=2024-01-02T10:05:03.123456Z",
            "level=info",
            "host=web1",
            "unit=ssh.service",
            "app=sshd",
            "pid=812",
            "uid=0",
            "message=Accepted \"key\"",
        ],
    );
    check_mismatch("JOURNALD", r#"{"MESSAGE":"x"}"#, "no key `__REALTIME_TIMESTAMP`");
    check(
        "GLOG",
        sample("GLOG", 0),
        &[
            "ts=2024-01-02T10:05:03.123456",
            "level=INFO",
            "thread=1234",
            "file=server.cc",
            "line=57",
            "message=listening",
        ],
    );
}

#[test]
fn times_of_klog_get_a_year() {
    let mut columns = columns("KLOG");
    columns[0].time = TimestampFormat::RecognisedBefore(1_720_000_000);
    let parser = crate::LineParser::try_new(&format("KLOG"), &columns).unwrap();
    let lines = arrow_array::StringViewArray::from(vec![sample("KLOG", 0)]);
    let parsed = parser.parse(&lines, &[0, 1, 2, 3, 4, 5], 1).unwrap();
    assert!(parsed.failures.rows.is_empty(), "{:?}", parsed.failures);
    let shown: Vec<String> = (parsed.columns.iter()).map(printed).collect();
    assert_eq!(
        shown,
        [
            "2024-01-02T10:05:03.123456",
            "ERROR",
            "1234",
            "kubelet.go",
            "123",
            "\"Failed to sync\" err=\"x\"",
        ]
    );
}

#[test]
fn loggers() {
    check(
        "LOG4J",
        sample("LOG4J", 0),
        &[
            "ts=2015-07-29T17:41:44.747",
            "level=INFO",
            "logger=FastLeaderElection",
            "thread=QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181",
            "line=774",
            "message=Notification time out: 3200",
        ],
    );
    check(
        "LOG4J",
        sample("LOG4J", 1),
        &[
            "ts=2015-10-18T18:01:47.978",
            "level=INFO",
            "logger=org.apache.hadoop.mapreduce.v2.app.MRAppMaster",
            "thread=main",
            "message=Created MRAppMaster",
        ],
    );
    check(
        "LOG4J",
        sample("LOG4J", 2),
        &[
            "ts=2008-11-09T20:36:15",
            "level=INFO",
            "logger=dfs.DataNode$PacketResponder",
            "pid=148",
            "message=PacketResponder 1 for block blk_38 terminating",
        ],
    );
    check(
        "LOGBACK",
        sample("LOGBACK", 0),
        &["time=10:05:03.123", "level=INFO", "logger=com.x.Y", "thread=main", "message=message"],
    );
    check(
        "LOGBACK",
        sample("LOGBACK", 2),
        &[
            "ts=2024-01-02T09:05:03.123",
            "level=INFO",
            "logger=c.e.DemoApplication",
            "thread=main",
            "pid=1234",
            "message=Started",
        ],
    );
    check(
        "PYTHON",
        sample("PYTHON", 0),
        &["ts=2024-01-02T10:05:03.123", "level=WARNING", "logger=app.db", "message=slow - query"],
    );
    check(
        "PYTHON",
        sample("PYTHON", 1),
        &["level=ERROR", "logger=app.db", "message=no connection"],
    );
}

#[test]
fn a_name_that_is_no_field_is_an_error() {
    let error = scanner("CRI", &[ColumnSpec::text("levle")]).expect_err("no field");
    assert_eq!(error.hint.as_deref(), Some("its fields are ts, stream, tag, message"));
    assert!(scanner("JOURNALD", &[ColumnSpec::text("_COMM")]).is_ok());
    assert!(scanner("JOURNALD", &[ColumnSpec::text("comm")]).is_err());
}

/// A line of a format with a piece taken out, doubled or replaced.
fn broken_line() -> impl Strategy<Value = (&'static str, String)> {
    let line = prop::sample::select(&SAMPLES[..]).prop_flat_map(|(name, lines)| {
        prop::sample::select(lines).prop_map(move |line| (name, line))
    });
    let piece = prop_oneof!["", "\\PC{0,3}", "[ \\[\\]\"/:{}-]{1,2}"];
    (line, any::<prop::sample::Index>(), 0..6_usize, piece).prop_map(
        |((name, line), at, taken, piece)| {
            let letters: Vec<char> = line.chars().collect();
            let at = at.index(letters.len());
            let end = (at + taken).min(letters.len());
            let parts = (letters[..at].iter(), letters[end..].iter());
            (name, parts.0.copied().chain(piece.chars()).chain(parts.1.copied()).collect())
        },
    )
}

proptest! {
    #[test]
    fn no_line_panics_and_all_columns_judge_alike((name, line) in broken_line()) {
        judged_alike(&format(name), &line);
        fields_of(&format(name), &line);
    }

    #[test]
    fn arbitrary_text_does_not_panic(line in "\\PC{0,60}") {
        for name in names() {
            judged_alike(&format(name), &line);
        }
    }

    #[test]
    fn a_printed_record_is_read_again(
        level in prop::sample::select(reader::LEVELS),
        logger in "[a-z]{1,6}(\\.[A-Za-z$]{1,8}){0,3}",
        thread in "[a-z]{1,6}(-[0-9]{1,3})?",
        number in 0..100_000_u32,
        message in "\\PC{0,30}",
    ) {
        let ts = "2024-01-02 10:05:03.123";
        let records = [
            ("LOGBACK", format!("{ts} [{thread}] {level} {logger} - {message}")),
            ("LOG4J", format!("{ts} {level:5} [{thread}] {logger}: {message}")),
            ("LOG4J", format!("{ts} - {level:5} [{thread}:{logger}@{number}] - {message}")),
            ("PYTHON", format!("{ts} - {logger} - {level} - {message}")),
            ("PYTHON", format!("{level}:{logger}:{message}")),
            ("KLOG", format!("I0102 10:05:03.123456 {number:7} {logger}:{number}] {message}")),
            ("CRI", format!("2024-01-02T10:05:03.123Z stdout F {message}")),
            ("POSTGRES", format!("{ts} UTC [{number}] {thread}@shop LOG:  x{message}")),
            ("NGINX_ERROR", format!("2024/01/02 10:05:03 [error] {number}#1: *7 {message}")),
        ];
        for (name, line) in records {
            let fields = fields_of(&format(name), &line);
            let fields = fields.ok_or_else(|| TestCaseError::fail(format!("{name}: {line}")))?;
            for (field, value) in fields {
                let expected = match (field.as_str(), name) {
                    ("message", "POSTGRES") => &*format!("x{message}"),
                    ("message", _) => &message,
                    ("level", "LOGBACK" | "LOG4J" | "PYTHON") => level,
                    ("logger", _) => &logger,
                    ("pid" | "line", _) => &number.to_string(),
                    ("thread" | "user", "LOGBACK" | "LOG4J" | "POSTGRES") => &thread,
                    _ => continue,
                };
                if let Some(value) = value {
                    prop_assert_eq!(value, expected, "{} {}", field, line);
                }
            }
        }
    }
}
