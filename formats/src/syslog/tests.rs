//! Messages as programs write them.

use proptest::prelude::*;

use super::{NAMES, columns, scanner};
use crate::column::ColumnSpec;
use crate::scan::Fields;

/// The fields that are not NULL, as `name=text`, or why the line does not match.
fn shown(columns: &[ColumnSpec], line: &str) -> Vec<String> {
    let scanner = scanner(columns).unwrap();
    let mut fields = Fields::new(vec![true; columns.len()]);
    if let Err(mismatch) = scanner.scan(line, &mut fields) {
        return vec![scanner.describe(line, mismatch)];
    }
    let text = |slot| fields.text(line, slot).map(|text| format!("{}={text}", columns[slot].name));
    (0..columns.len()).filter_map(text).collect()
}

#[track_caller]
fn check(line: &str, expected: &[&str]) {
    assert_eq!(shown(&columns(), line), expected, "{line}");
}

#[test]
fn rfc_3164_as_it_is_met() {
    check(
        "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0",
        &[
            "ts=Jun 14 15:16:01",
            "host=combo",
            "app=sshd(pam_unix)",
            "pid=19939",
            "message=authentication failure; logname= uid=0",
        ],
    );
    check(
        "Jun  4 15:16:01 combo kernel: ACPI: Power Button",
        &["ts=Jun  4 15:16:01", "host=combo", "app=kernel", "message=ACPI: Power Button"],
    );
    check(
        "Jun 19 04:09:11 combo syslogd 1.4.1: restart.",
        &["ts=Jun 19 04:09:11", "host=combo", "app=syslogd 1.4.1", "message=restart."],
    );
    check(
        "Jul  7 08:06:15 combo  -- root[2421]: ROOT LOGIN ON tty2",
        &[
            "ts=Jul  7 08:06:15",
            "host=combo",
            "app=-- root",
            "pid=2421",
            "message=ROOT LOGIN ON tty2",
        ],
    );
    check(
        "Jun 14 15:16:01 combo -- MARK --",
        &["ts=Jun 14 15:16:01", "host=combo", "message=-- MARK --"],
    );
    check(
        "Jun 14 15:16:01 combo last message repeated 3 times",
        &["ts=Jun 14 15:16:01", "host=combo", "message=last message repeated 3 times"],
    );
    check(
        "Jun 14 15:16:01 mail postfix/smtpd[7]: connect from localhost[127.0.0.1]: x",
        &[
            "ts=Jun 14 15:16:01",
            "host=mail",
            "app=postfix/smtpd",
            "pid=7",
            "message=connect from localhost[127.0.0.1]: x",
        ],
    );
    check(
        "Jun 14 2015 15:16:01.250 h Foo::Bar[main]: x",
        &["ts=Jun 14 2015 15:16:01.250", "host=h", "app=Foo::Bar", "pid=main", "message=x"],
    );
    check(
        "2024-01-02T10:05:03.123456+01:00 host app[1]: msg",
        &["ts=2024-01-02T10:05:03.123456+01:00", "host=host", "app=app", "pid=1", "message=msg"],
    );
    check("Jun 14 15:16:01 kernel: x", &["ts=Jun 14 15:16:01", "app=kernel", "message=x"]);
    check(
        "Jun 14 15:16:01 h su[7] x",
        &["ts=Jun 14 15:16:01", "host=h", "app=su", "pid=7", "message=x"],
    );
    check("Jun 14 15:16:01 h app:", &["ts=Jun 14 15:16:01", "host=h", "app=app", "message="]);
    check(
        "Jun 14 15:16:01 h app:  a= ",
        &["ts=Jun 14 15:16:01", "host=h", "app=app", "message=a="],
    );
    check("Jun 14 15:16:01 h", &["ts=Jun 14 15:16:01", "host=h", "message="]);
    check("Jun 14 15:16:01 h a[-]: é", &["ts=Jun 14 15:16:01", "host=h", "app=a", "message=é"]);
    check("Jun 14 15:16:01 h a[]: x", &["ts=Jun 14 15:16:01", "host=h", "app=a", "message=x"]);
    check("Jun 14 15:16:01 h :: x", &["ts=Jun 14 15:16:01", "host=h", "app=:", "message=x"]);
    check(
        "Jun 14 15:16:01 h this is a sentence: with a colon",
        &["ts=Jun 14 15:16:01", "host=h", "message=this is a sentence: with a colon"],
    );
}

#[test]
fn priorities() {
    check(
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
        &[
            "facility=auth",
            "severity=crit",
            "ts=Oct 11 22:14:15",
            "host=mymachine",
            "app=su",
            "message='su root' failed for lonvick on /dev/pts/8",
        ],
    );
    check(
        "<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!",
        &[
            "facility=user",
            "severity=notice",
            "ts=Feb  5 17:32:18",
            "host=10.0.0.99",
            "message=Use the BFG!",
        ],
    );
    check(
        "<191>2024-01-02T10:05:03Z h a: x",
        &[
            "facility=local7",
            "severity=debug",
            "ts=2024-01-02T10:05:03Z",
            "host=h",
            "app=a",
            "message=x",
        ],
    );
    for line in ["<192>Oct 11 22:14:15 h a: x", "<>Oct 11 22:14:15 h a: x", "<1", "<+1>x", "<0001>"]
    {
        check(line, &["no priority from `<0>` to `<191>` at byte 1"]);
    }
}

#[test]
fn rfc_5424() {
    check(
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed",
        &[
            "facility=auth",
            "severity=crit",
            "ts=2003-10-11T22:14:15.003Z",
            "host=mymachine.example.com",
            "app=su",
            "msgid=ID47",
            "message='su root' failed",
        ],
    );
    check(
        "<165>1 2003-10-11T22:14:15.003Z h evntslog 8710 ID47 \
         [exampleSDID@32473 iut=\"3\" eventSource=\"App\"][priority@1 class=\"a]\\\"\\]b\"] An event",
        &[
            "facility=local4",
            "severity=notice",
            "ts=2003-10-11T22:14:15.003Z",
            "host=h",
            "app=evntslog",
            "pid=8710",
            "msgid=ID47",
            "structured_data=[exampleSDID@32473 iut=\"3\" eventSource=\"App\"]\
           [priority@1 class=\"a]\\\"\\]b\"]",
            "message=An event",
        ],
    );
    check("<0>1 - - - - - -", &["facility=kern", "severity=emerg"]);
    check("<0>1 - - - - - - ", &["facility=kern", "severity=emerg", "message="]);
    check("<0>1 - - - - - [x]", &["facility=kern", "severity=emerg", "structured_data=[x]"]);
    let data = "no structured data as in RFC 5424, such as `[id name=\"value\"]` at byte";
    for (line, at) in [
        ("<0>1 - - - - - x", 16),
        ("<0>1 - - - - - [x", 18),
        ("<0>1 - - - - - [x y]", 20),
        ("<0>1 - - - - - [x y=\"1]", 22),
        ("<0>1 - - - - - []", 16),
        ("<0>1 - - - - - -x", 17),
        ("<0>1 - - - - - [x y=\"1\\", 22),
        ("<0>1 - - - - - [x y=\"é\\é", 22),
    ] {
        check(line, &[&format!("{data} {at}")]);
    }
    let header =
        "no time, host, app, process, message ID and structured data as in RFC 5424 at byte";
    check("<0>1 - - - -", &[&format!("{header} 12")]);
    check("<0>1 -  - - - - x", &[&format!("{header} 8")]);
}

#[test]
fn parameters_of_structured_data() {
    let names = ["sd.a@1.x", "sd.a@1.y", "sd.b.c.d", "message"];
    let columns: Vec<ColumnSpec> = names.map(ColumnSpec::text).to_vec();
    let line = r#"<0>1 - - - - - [a@1 x="1" z="2"][b.c d="q\"\]\\\n"] m"#;
    assert_eq!(shown(&columns, line), ["sd.a@1.x=1", r#"sd.b.c.d=q"]\\n"#, "message=m"]);
    let error = scanner(&[ColumnSpec::text("sd.x")]).unwrap_err();
    assert_eq!(error.message, "the format has no field `sd.x`");
}

#[test]
fn what_is_no_syslog() {
    let time = "no time such as `Jun 14 15:16:01` or `2024-06-14T15:16:01Z` at byte 1";
    for line in [
        "",
        "x",
        "Jun",
        "Jun 14",
        "Jun 14 15:16",
        "Jun 14 15:16:0x h x",
        "Jun 44 15:16:01 h x",
        "2024-01-02 10:05:03 h x",
        "2024-01-02T10:05:0",
        "JUN 14 15:16:01 h x",
        "\u{0}",
        "é",
    ] {
        check(line, &[time]);
    }
    check("Jun 14 15:16:01", &["no host and message behind the time at byte 16"]);
    check("Jun 14 15:16:01  x", &["no host and message behind the time at byte 17"]);
}

/// A word that may be a name in every kind of message.
fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_./]{1,20}"
}

proptest! {
    #[test]
    fn rfc_3164_is_read_as_it_was_written(
        priority in proptest::option::of(0..192_u8), host in word(), app in word(),
        pid in proptest::option::of(1..100_000_u32), message in "\\PC{0,60}",
    ) {
        let time = "Jun  4 15:16:01";
        let number = priority.map(|number| format!("<{number}>")).unwrap_or_default();
        let process = pid.map(|pid| format!("[{pid}]")).unwrap_or_default();
        let line = format!("{number}{time} {host} {app}{process}: {message}");
        let mut expected = vec![format!("ts={time}"), format!("host={host}"), format!("app={app}")];
        expected.extend(pid.map(|pid| format!("pid={pid}")));
        expected.push(format!("message={}", message.trim_matches(' ')));
        let read = shown(&columns(), &line);
        let names = if priority.is_some() { 2 } else { 0 };
        prop_assert_eq!(&read[names..], &expected[..]);
    }

    #[test]
    fn rfc_5424_is_read_as_it_was_written(
        priority in 0..192_u8, words in proptest::collection::vec(word(), 4),
        id in word(), parameter in word(), value in "\\PC{0,20}", message in "\\PC{0,60}",
    ) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]");
        let data = format!("[{id} {parameter}=\"{escaped}\"]");
        let time = "2003-10-11T22:14:15.003Z";
        let line = format!("<{priority}>1 {time} {} {data} \u{feff}{message}", words.join(" "));
        let mut expected = vec![format!("ts={time}")];
        expected.extend(NAMES[3..7].iter().zip(&words).map(|(name, word)| format!("{name}={word}")));
        expected.push(format!("structured_data={data}"));
        expected.push(format!("message={message}"));
        prop_assert_eq!(&shown(&columns(), &line)[2..], &expected[..]);
        let column = [ColumnSpec::text(format!("sd.{id}.{parameter}"))];
        let expected = [format!("sd.{id}.{parameter}={value}")];
        prop_assert_eq!(shown(&column, &line), &expected);
    }

    #[test]
    fn any_line_is_read_or_refused(
        line in any::<String>(), near in "(<[0-9]{0,3}>)?(1 )?(Jun 14 15:16:01 )?[a-z\\[\\]=\"\\\\: é-]{0,30}",
    ) {
        for line in [&line, &near] {
            let all = shown(&columns(), line);
            let none = scanner(&[]).unwrap().scan(line, &mut Fields::new(vec![]));
            prop_assert_eq!(none.is_err(), all.len() == 1 && all[0].starts_with("no "), "{}", line);
        }
    }
}
