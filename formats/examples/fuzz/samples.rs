//! The formats with lines to begin with.

use arrow_array::StringViewArray;
use arrow_schema::{DataType, TimeUnit};
use gleam_sql_formats::{ColumnSpec, FormatSpec, LineParser};

/// A format that is run.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) format: FormatSpec,
    pub(crate) columns: Vec<ColumnSpec>,
    pub(crate) samples: Vec<String>,
}

/// All formats.
pub(crate) fn all() -> Vec<Subject> {
    vec![
        subject("COMMON", FormatSpec::Common, COMMON),
        subject("COMBINED", FormatSpec::Combined, COMBINED),
        subject("PATTERN", FormatSpec::Pattern(PATTERN.into()), COMBINED),
        Subject {
            columns: typed(),
            ..subject("PATTERN TYPED", FormatSpec::Pattern(PATTERN.into()), COMBINED)
        },
        subject("REGEX", FormatSpec::Regex(REGEX.into()), COMBINED),
        subject("GROK", FormatSpec::Grok("%{COMBINEDAPACHELOG}".into()), COMBINED),
        subject(
            "GROK EXACT",
            FormatSpec::Grok(r"%{DATA:a}%{NUMBER:n:int}\.%{QS:q}".into()),
            COMBINED,
        ),
        subject("SYSLOG", FormatSpec::Syslog, SYSLOG),
        subject("JSON", FormatSpec::Json, JSON),
        Subject { columns: typed_keys(), ..subject("JSON TYPED", FormatSpec::Json, JSON) },
        subject("LOGFMT", FormatSpec::Logfmt, LOGFMT),
        Subject { columns: typed_keys(), ..subject("LOGFMT TYPED", FormatSpec::Logfmt, LOGFMT) },
        builtin("ALB", SYSTEMS),
        builtin("APACHE_ERROR", SYSTEMS),
        builtin("CLOUDFRONT", SYSTEMS),
        builtin("CRI", SYSTEMS),
        builtin("ELB", SYSTEMS),
        builtin("GLOG", SYSTEMS),
        builtin("HAPROXY", SYSTEMS),
        builtin("JOURNALD", SYSTEMS),
        builtin("KLOG", SYSTEMS),
        builtin("LOG4J", SYSTEMS),
        builtin("LOGBACK", SYSTEMS),
        builtin("NGINX_ERROR", SYSTEMS),
        builtin("POSTGRES", SYSTEMS),
        builtin("PYTHON", SYSTEMS),
        builtin("S3", SYSTEMS),
    ]
}

/// A format with its own columns, or with those that the samples show.
fn subject(name: &'static str, format: FormatSpec, samples: &[&str]) -> Subject {
    let own = format.columns().ok().flatten();
    let lines = StringViewArray::from_iter_values(samples);
    let columns = own.unwrap_or_else(|| format.discover(&lines));
    let samples = samples.iter().map(|sample| sample.to_string()).collect();
    Subject { name, format, columns, samples }
}

/// A format of a well-known system, with the lines of all systems that it matches.
fn builtin(name: &'static str, samples: &[&str]) -> Subject {
    let format = FormatSpec::named(name).unwrap_or(FormatSpec::Common);
    let has_format = |line: &&&str| {
        let lines = StringViewArray::from_iter_values([line]);
        LineParser::try_new(&format, &[])
            .map(|parser| parser.parse(&lines, &[], 0))
            .is_ok_and(|parsed| parsed.is_ok_and(|parsed| parsed.failures.rows.is_empty()))
    };
    let own: Vec<&str> = samples.iter().filter(has_format).copied().collect();
    subject(name, format, &own)
}

const REGEX: &str = r#"^(?<ip>\S+) \S+ (?<user>.*?) \[(?<ts>[^\]]+)\] "(?<method>[A-Z]+) (?<path>\S+)[^"]*" (?<status>\d{3}) (?<bytes>\d+|-)"#;

const COMMON: &[&str] = &[
    r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#,
    r#"2001:db8::1 id john doe [29/Feb/2024:23:59:59 +0130] "OPTIONS * RTSP/1.0" 501 -"#,
    r#"host.example.org - - [01/Jan/2025:00:00:00 +0000] "GET /old" 404 17"#,
    r#"h - "" [01/Jan/2025:00:00:00 +0000] "\x16\x03\x01" 400 150"#,
    r#"h - - [01/Jan/2025:00:00:60 +0000] "-" 408 0"#,
];

const COMBINED: &[&str] = &[
    r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://example.com/start" "Mozilla/4.08 [en] (Win98)""#,
    r#"2001:db8::1 id john doe [29/Feb/2024:23:59:59 +0130] "POST /a \"b\" c HTTP/2.0" 304 - "-" "a \\ b \"c\" é""#,
    r#"h - - [31/Feb/2025:00:00:00 +0000] "" 4o4 99999999999999999999 "" "-""#,
    r#"h - - [01/Jan/2025:00:00:00 +0000] "GET /\x22\x5C HTTP/1.1" 200 12 "-" "curl/8.14.1" "10.0.0.1" 0.003"#,
];

const PATTERN: &str =
    r#"<ip> <_> <user> [<ts>] "<method> <path> <_>" <status> <bytes> "<referer>" "<agent>""#;

/// Some columns of the pattern, each converted in another way.
fn typed() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("ts", DataType::Timestamp(TimeUnit::Second, None)),
        ColumnSpec::new("status", DataType::UInt16),
        ColumnSpec::new("bytes", DataType::Decimal128(12, 2)),
        ColumnSpec::new("agent", DataType::Boolean),
        ColumnSpec::new("referer", DataType::Float64),
        ColumnSpec::text("path"),
        ColumnSpec::new("user", DataType::Date32),
    ]
}

const SYSLOG: &[&str] = &[
    "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    "Jun  9 06:06:20 combo sshd(pam_unix)[19939]: authentication failure; user=root",
    "<13>Feb 29 23:59:59 2001:db8::1 CRON[7]: (root) CMD (true)",
    "Dec 31 23:59:60 host message without a tag",
    r#"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][x@1 a="\"\]\\"] An event"#,
    "<0>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time",
    "<191>1 - - - - - -",
    "<34>1 2003-10-11T22:14:15.003Z h su 1 ID47 - \u{FEFF}'su root' failed",
];

const JSON: &[&str] = &[
    r#"{"ts":"2024-01-02T10:05:03.123Z","level":"info","n":1,"ratio":0.5,"ok":true,"req":{"path":"/a","headers":[{"a":1},"b"]},"msg":"a \"b\" \\ \u00e9 \ud83d\ude00 \n"}"#,
    r#"{ "level" : "error" , "n" : -9223372036854775808 , "ratio" : 1e-300 , "ok" : null , "req" : { "path" : null } , "msg" : "" }"#,
    r#"{"req.path":"flat","req":{"path":"nested"},"n":"7","n":8,"le\u0076el":"escaped key"}"#,
    r#"{"n":123456789012345678901234567890,"ratio":-0.0,"ok":"true","ts":1704189903.5,"req":[]}"#,
    "{}",
    "[1, 2]",
    "null",
];

const LOGFMT: &[&str] = &[
    r#"ts=2024-01-02T10:05:03.123Z level=info n=1 ratio=0.5 ok=true req.path=/a msg="a \"b\" \\ \n é""#,
    "level=error n=-9223372036854775808 ratio=1e-300 ok req.path= msg=\"\"",
    "at=info method=GET path=/ host=x fwd=\"1.2.3.4\" dyno=web.1 n=0x10 n=8",
    "flag  other =no level=warn",
    "msg=\"no end",
];

/// Columns of [`JSON`] and [`LOGFMT`], each converted in another way.
fn typed_keys() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("ts", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        ColumnSpec::text("level"),
        ColumnSpec::new("n", DataType::Int64),
        ColumnSpec::new("ratio", DataType::Float64),
        ColumnSpec::new("ok", DataType::Boolean),
        ColumnSpec::text("req.path"),
        ColumnSpec::text("req"),
        ColumnSpec::text("msg"),
        ColumnSpec::new("missing", DataType::Date32),
    ]
}

const SYSTEMS: &[&str] = &[
    r#"http 2018-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2 "Root=1-58337262-36d2" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#,
    r#"h2 2018-07-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 10.0.1.252:48160 - -1 -1 -1 502 - 5 257 "GET https://10.0.2.105:773/ HTTP/2.0" "curl/7.46.0 \"x\"" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 - "Root=1-58337327" "api.example.com" "session-reused" 1 2018-07-02T22:22:48.364000Z "redirect" "https://example.com:80/" "-" "-" "-" "-" "-" TID_dd57"#,
    "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties",
    "[Sun Dec 04 05:15:09 2005] [error] [client 222.166.160.184] Directory index forbidden by rule: /var/www/html/",
    "[Wed Oct 11 14:32:52.123456 2017] [core:error] [pid 1234:tid 5678] (13)Permission denied: [client 10.0.0.9:51234] AH00132: file permissions deny server access: /var/www/a, referer: http://x/",
    "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.24\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC==\td111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-",
    "2024-01-02T10:05:03.123456789Z stdout F hello from a container",
    "2024-01-02T11:05:03.123456789+01:00 stderr P half a line and ",
    "2024-01-02T10:05:04.000000001Z stdout F ",
    r#"2015-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -"#,
    "I20240102 10:05:03.123456 1234 server.cc:57] listening",
    "W20240102 10:05:04.000001 1234 server.cc:99] slow",
    r#"Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1""#,
    r#"haproxy[674]: 127.0.0.1:33319 [15/Oct/2003:08:31:57.130] px-http px-http/<NOSRV> 0/-1/-1/-1/+0 400 +187 - - PR-- 1/1/0/0/+2 0/0 "<BADREQ>""#,
    r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1704189903123456","PRIORITY":"6","_HOSTNAME":"web1","_SYSTEMD_UNIT":"ssh.service","SYSLOG_IDENTIFIER":"sshd","_PID":"812","_UID":"0","MESSAGE":"Accepted \"key\""}"#,
    "E0102 10:05:03.123456    1234 kubelet.go:123] \"Failed to sync\" err=\"x\"",
    "I0102 10:05:04.000001       1 main.go:5] started",
    "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - Notification time out: 3200",
    "2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created MRAppMaster",
    "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38 terminating",
    "2015-10-18 18:01:47,978 [main] WARN  org.x.Y - disk is full",
    "2015-10-18 18:01:47,978 ERROR org.x.Y: failed",
    "10:05:03.123 [main] INFO  com.x.Y - message",
    "2024-01-02 10:05:03.123 [pool-1-thread-2] WARN  com.x.Y - message - more",
    "2024-01-02T10:05:03.123+01:00  INFO 1234 --- [demo] [           main] c.e.DemoApplication                 : Started",
    "10:05:03.123 [main] INFO  com.x.Y -a=\"b\"- message",
    r#"2024/01/02 10:05:03 [error] 1234#5678: *90 open() "/var/www/x" failed (2: No such file or directory), client: 1.2.3.4, server: example.com, request: "GET /x HTTP/1.1", upstream: "http://10.0.0.1:80/x", host: "example.com", referrer: "http://a/, b""#,
    "2024/01/02 10:05:03 [notice] 1#1: signal process started",
    "2024-01-02 10:05:03.123 UTC [1234] LOG:  database system is ready to accept connections",
    "2024-01-02 10:05:03.123 CET [1234] app@shop ERROR:  relation \"x\" does not exist at character 15",
    "2024-01-02 10:05:03 UTC:10.0.0.1(5432):app@shop:[1234]:STATEMENT:  select 1",
    "2024-01-02 10:05:03.123 UTC [1234-2] FATAL:  no",
    "2024-01-02 10:05:03,123 - app.db - WARNING - slow - query",
    "ERROR:app.db:no connection",
    r#"79a59df900b949e55d96a1e698fbaced awsexamplebucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 arn:aws:iam::1:user/x 3E57427F3EXAMPLE REST.GET.OBJECT a%20b "GET /awsexamplebucket1/a HTTP/1.1" 200 - 113 4406 7 6 "-" "S3Console/0.4 "x"" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader awsexamplebucket1.s3.us-west-1.amazonaws.com TLSV1.2 - -"#,
];
