//! Every format on the same awkward batches.

use insta::assert_snapshot;

use super::*;

#[test]
fn csv() {
    assert_snapshot!(exact(&check(Format::Csv, None, &[nasty()])), @r#"
    "te\tx|t,int,float\n"
    "plain,-9223372036854775808,0.1\n"
    ",9223372036854775807,1e300\n"
    "\"\",,NaN\n"
    "NULL \\N,0,-inf\n"
    "\"a,\"\"b\"\"|<c>&\\\",-1,\n"
    "\"tab\tnew\n"
    "line\r\n"
    "\",9007199254740993,5e-324\n"
    "\u{1b}[31m\0\u{9b}\u{202e},7,-0.0\n"
    "日本 👩\u{200d}👩\u{200d}👧 ü,8,3.0\n"
    "#);
    assert_snapshot!(check(Format::Csv, None, &[kinds()]), @r#"
    yes,time,utc,date,clock,decimal,binary,interval,duration,dictionary,null,list,struct,map
    true,2015-05-17T10:05:03.250,2015-05-17T12:05:03+02:00,2015-05-17,01:02:03.000001,-123.45,00ff,1 mons -2 days 3.000000000 secs,PT1.5S,d,,"[""a,\""b\"""",null,""""]","{""x"":9223372036854775807,""x_2"":[""a,\""b\"""",null,""""]}","{""1"":null}"
    ,,,,,,,,,,,,,
    "#);
}

#[test]
fn tsv() {
    assert_snapshot!(exact(&check(Format::Tsv, None, &[nasty()])), @r#"
    "te\\tx|t\tint\tfloat\n"
    "plain\t-9223372036854775808\t0.1\n"
    "\\N\t9223372036854775807\t1e300\n"
    "\t\\N\tNaN\n"
    "NULL \\\\N\t0\t-inf\n"
    "a,\"b\"|<c>&\\\\\t-1\t\\N\n"
    "tab\\tnew\\nline\\r\\n\t9007199254740993\t5e-324\n"
    "\u{1b}[31m\0\u{9b}\u{202e}\t7\t-0.0\n"
    "日本 👩\u{200d}👩\u{200d}👧 ü\t8\t3.0\n"
    "#);
    assert_snapshot!(check(Format::Tsv, None, &[kinds()]), @r#"
    yes	time	utc	date	clock	decimal	binary	interval	duration	dictionary	null	list	struct	map
    true	2015-05-17T10:05:03.250	2015-05-17T12:05:03+02:00	2015-05-17	01:02:03.000001	-123.45	00ff	1 mons -2 days 3.000000000 secs	PT1.5S	d	\N	["a,\\"b\\"",null,""]	{"x":9223372036854775807,"x_2":["a,\\"b\\"",null,""]}	{"1":null}
    \N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N
    "#);
}

#[test]
fn json() {
    assert_snapshot!(exact(&check(Format::Json, None, &[nasty()])), @r#"
    "[{\"te\\tx|t\":\"plain\",\"int\":-9223372036854775808,\"float\":0.1},\n"
    "{\"te\\tx|t\":null,\"int\":9223372036854775807,\"float\":1e300},\n"
    "{\"te\\tx|t\":\"\",\"int\":null,\"float\":\"NaN\"},\n"
    "{\"te\\tx|t\":\"NULL \\\\N\",\"int\":0,\"float\":\"-Infinity\"},\n"
    "{\"te\\tx|t\":\"a,\\\"b\\\"|<c>&\\\\\",\"int\":-1,\"float\":null},\n"
    "{\"te\\tx|t\":\"tab\\tnew\\nline\\r\\n\",\"int\":9007199254740993,\"float\":5e-324},\n"
    "{\"te\\tx|t\":\"\\u001b[31m\\u0000\u{9b}\u{202e}\",\"int\":7,\"float\":-0.0},\n"
    "{\"te\\tx|t\":\"日本 👩\u{200d}👩\u{200d}👧 ü\",\"int\":8,\"float\":3.0}]\n"
    "#);
    assert_snapshot!(check(Format::Json, None, &[kinds()]), @r#"
    [{"yes":true,"time":"2015-05-17T10:05:03.250","utc":"2015-05-17T12:05:03+02:00","date":"2015-05-17","clock":"01:02:03.000001","decimal":-123.45,"binary":"00ff","interval":"1 mons -2 days 3.000000000 secs","duration":"PT1.5S","dictionary":"d","null":null,"list":["a,\"b\"",null,""],"struct":{"x":9223372036854775807,"x_2":["a,\"b\"",null,""]},"map":{"1":null}},
    {"yes":null,"time":null,"utc":null,"date":null,"clock":null,"decimal":null,"binary":null,"interval":null,"duration":null,"dictionary":null,"null":null,"list":null,"struct":null,"map":null}]
    "#);
}

#[test]
fn ndjson() {
    assert_snapshot!(check(Format::Ndjson, None, &[nasty().slice(0, 2), nasty().slice(2, 1)]), @r#"
    {"te\tx|t":"plain","int":-9223372036854775808,"float":0.1}
    {"te\tx|t":null,"int":9223372036854775807,"float":1e300}
    {"te\tx|t":"","int":null,"float":"NaN"}
    "#);
}

#[test]
fn markdown() {
    assert_snapshot!(check(Format::Markdown, None, &[nasty()]), @r#"
    | te\tx\|t | int | float |
    | --- | ---: | ---: |
    | plain | -9223372036854775808 | 0.1 |
    | ∅ | 9223372036854775807 | 1e300 |
    |  | ∅ | NaN |
    | NULL \\N | 0 | -inf |
    | a,"b"\|&lt;c>&amp;\\ | -1 | ∅ |
    | tab\tnew<br>line<br> | 9007199254740993 | 5e-324 |
    | \x1b[31m\x00\u{9b}\u{202e} | 7 | -0.0 |
    | 日本 👩‍👩‍👧 ü | 8 | 3.0 |
    "#);
    assert_snapshot!(check(Format::Markdown, None, &[kinds()]), @r#"
    | yes | time | utc | date | clock | decimal | binary | interval | duration | dictionary | null | list | struct | map |
    | --- | --- | --- | --- | --- | ---: | --- | --- | --- | --- | --- | --- | --- | --- |
    | true | 2015-05-17T10:05:03.250 | 2015-05-17T12:05:03+02:00 | 2015-05-17 | 01:02:03.000001 | -123.45 | 00ff | 1 mons -2 days 3.000000000 secs | PT1.5S | d | ∅ | ["a,\\"b\\"",null,""] | {"x":9223372036854775807,"x_2":["a,\\"b\\"",null,""]} | {"1":null} |
    | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ |
    "#);
}

#[test]
fn table() {
    assert_snapshot!(check(Format::Table, None, &[nasty()]), @r#"
    ┌────────────────────────────┬──────────────────────┬────────┐
    │ te\tx|t                    │                  int │  float │
    ├────────────────────────────┼──────────────────────┼────────┤
    │ plain                      │ -9223372036854775808 │    0.1 │
    │ ∅                          │  9223372036854775807 │  1e300 │
    │                            │                    ∅ │    NaN │
    │ NULL \N                    │                    0 │   -inf │
    │ a,"b"|<c>&\                │                   -1 │      ∅ │
    │ tab\tnew\nline\r\n         │     9007199254740993 │ 5e-324 │
    │ \x1b[31m\x00\u{9b}\u{202e} │                    7 │   -0.0 │
    │ 日本 👩‍👩‍👧 ü                  │                    8 │    3.0 │
    └────────────────────────────┴──────────────────────┴────────┘
    "#);
    assert_snapshot!(check(Format::Table, None, &[kinds()]), @r#"
    ┌──────┬─────────────────────────┬───────────────────────────┬────────────┬─────────────────┬─────────┬────────┬─────────────────────────────────┬──────────┬────────────┬──────┬─────────────────────┬─────────────────────────────────────────────────────┬────────────┐
    │ yes  │ time                    │ utc                       │ date       │ clock           │ decimal │ binary │ interval                        │ duration │ dictionary │ null │ list                │ struct                                              │ map        │
    ├──────┼─────────────────────────┼───────────────────────────┼────────────┼─────────────────┼─────────┼────────┼─────────────────────────────────┼──────────┼────────────┼──────┼─────────────────────┼─────────────────────────────────────────────────────┼────────────┤
    │ true │ 2015-05-17T10:05:03.250 │ 2015-05-17T12:05:03+02:00 │ 2015-05-17 │ 01:02:03.000001 │ -123.45 │ 00ff   │ 1 mons -2 days 3.000000000 secs │ PT1.5S   │ d          │ ∅    │ ["a,\"b\"",null,""] │ {"x":9223372036854775807,"x_2":["a,\"b\"",null,""]} │ {"1":null} │
    │ ∅    │ ∅                       │ ∅                         │ ∅          │ ∅               │       ∅ │ ∅      │ ∅                               │ ∅        │ ∅          │ ∅    │ ∅                   │ ∅                                                   │ ∅          │
    └──────┴─────────────────────────┴───────────────────────────┴────────────┴─────────────────┴─────────┴────────┴─────────────────────────────────┴──────────┴────────────┴──────┴─────────────────────┴─────────────────────────────────────────────────────┴────────────┘
    "#);
}

#[test]
fn table_fits_the_terminal() {
    for columns in [40, 80] {
        let table = check(Format::Table, Some(columns), &[nasty()]);
        assert!(table.lines().all(|line| visible::width(line) <= columns), "{table}");
    }
    assert_snapshot!(check(Format::Table, Some(60), &[nasty()]), @r#"
    ┌──────────────────────────┬──────────────────────┬────────┐
    │ te\tx|t                  │                  int │  float │
    ├──────────────────────────┼──────────────────────┼────────┤
    │ plain                    │ -9223372036854775808 │    0.1 │
    │ ∅                        │  9223372036854775807 │  1e300 │
    │                          │                    ∅ │    NaN │
    │ NULL \N                  │                    0 │   -inf │
    │ a,"b"|<c>&\              │                   -1 │      ∅ │
    │ tab\tnew\nline\r\n       │     9007199254740993 │ 5e-324 │
    │ \x1b[31m\x00\u{9b}\u{20… │                    7 │   -0.0 │
    │ 日本 👩‍👩‍👧 ü                │                    8 │    3.0 │
    └──────────────────────────┴──────────────────────┴────────┘
    "#);
    assert_snapshot!(check(Format::Table, Some(40), &[nasty()]), @r#"
    ┌──────────────┬──────────────┬────────┐
    │ te\tx|t      │          int │  float │
    ├──────────────┼──────────────┼────────┤
    │ plain        │ -9223372036… │    0.1 │
    │ ∅            │ 92233720368… │  1e300 │
    │              │            ∅ │    NaN │
    │ NULL \N      │            0 │   -inf │
    │ a,"b"|<c>&\  │           -1 │      ∅ │
    │ tab\tnew\nl… │ 90071992547… │ 5e-324 │
    │ \x1b[31m\x0… │            7 │   -0.0 │
    │ 日本 👩‍👩‍👧 ü    │            8 │    3.0 │
    └──────────────┴──────────────┴────────┘
    "#);
    assert_snapshot!(check(Format::Table, Some(40), &[kinds().project(&[0, 1, 11, 12]).unwrap()]), @r#"
    ┌──────┬──────────┬──────────┬─────────┐
    │ yes  │ time     │ list     │ struct  │
    ├──────┼──────────┼──────────┼─────────┤
    │ true │ 2015-05… │ ["a,\"b… │ {"x":9… │
    │ ∅    │ ∅        │ ∅        │ ∅       │
    └──────┴──────────┴──────────┴─────────┘
    "#);
}

#[test]
fn no_rows() {
    let empty = [nasty().slice(0, 0)];
    assert_snapshot!(check(Format::Csv, None, &empty), @"te	x|t,int,float");
    assert_snapshot!(check(Format::Tsv, None, &empty), @r"te\tx|t	int	float");
    assert_snapshot!(check(Format::Json, None, &empty), @"[]");
    assert_snapshot!(check(Format::Ndjson, None, &empty), @"");
    assert_snapshot!(check(Format::Markdown, None, &empty), @r"
    | te\tx\|t | int | float |
    | --- | ---: | ---: |
    ");
    assert_snapshot!(check(Format::Table, None, &empty), @r"
    ┌─────────┬─────┬───────┐
    │ te\tx|t │ int │ float │
    ├─────────┼─────┼───────┤
    └─────────┴─────┴───────┘
    ");
    let (no_batches, rows) = print(Format::Csv, None, nasty().schema(), vec![]);
    assert_eq!(no_batches, check(Format::Csv, None, &empty));
    assert_eq!(rows.unwrap(), 0);
}

#[test]
fn no_columns_print_nothing() {
    for format in <Format as clap::ValueEnum>::value_variants() {
        let (text, rows) = print(*format, None, Arc::new(Schema::empty()), vec![]);
        assert_eq!((text.as_str(), rows.unwrap()), ("", 0));
    }
}

#[test]
fn repeated_names_stay_apart_in_json() {
    let schema = Schema::new(
        ["a", "a", "a_2", "a"].map(|name| Field::new(name, DataType::Int64, false)).to_vec(),
    );
    let columns = (1..=4).map(|i| Arc::new(Int64Array::from(vec![i])) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    assert_snapshot!(check(Format::Ndjson, None, std::slice::from_ref(&batch)), @r#"{"a":1,"a_3":2,"a_2":3,"a_4":4}"#);
    assert_snapshot!(check(Format::Csv, None, &[batch]), @r"
    a,a,a_2,a
    1,2,3,4
    ");
}

#[test]
fn long_results_come_out_whole() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20_000));
    let batch = batch(vec![("n", numbers)]);
    let lines = |format| check(format, None, &[batch.clone(), batch.clone()]).lines().count();
    assert_eq!(lines(Format::Csv), 40_001);
    assert_eq!(lines(Format::Json), 40_000);
    let another_header_when_numbers_get_a_fifth_digit = 4;
    assert_eq!(lines(Format::Table), 40_004 + another_header_when_numbers_get_a_fifth_digit);
}

#[test]
fn nulls_behind_encodings() {
    let dictionary = DictionaryArray::<Int32Type>::new(
        Int32Array::from(vec![Some(0), Some(1), None]),
        Arc::new(StringArray::from(vec![Some("a"), None])),
    );
    let list = FixedSizeListArray::new(
        Arc::new(Field::new("item", dictionary.data_type().clone(), true)),
        3,
        Arc::new(dictionary.clone()),
        None,
    );
    let list = arrow::compute::take(&list, &Int32Array::from(vec![Some(0), None, Some(0)]), None);
    let runs = RunArray::<Int32Type>::try_new(
        &Int32Array::from(vec![1, 3]),
        &Int64Array::from(vec![None, Some(5)]),
    );
    let batch = batch(vec![
        ("dictionary", Arc::new(dictionary)),
        ("list", list.unwrap()),
        ("runs", Arc::new(runs.unwrap())),
    ]);
    assert_snapshot!(check(Format::Tsv, None, std::slice::from_ref(&batch)), @r#"
    dictionary	list	runs
    a	["a",null,null]	\N
    \N	\N	5
    \N	["a",null,null]	5
    "#);
    assert_snapshot!(check(Format::Ndjson, None, &[batch]), @r#"
    {"dictionary":"a","list":["a",null,null],"runs":null}
    {"dictionary":null,"list":null,"runs":5}
    {"dictionary":null,"list":["a",null,null],"runs":5}
    "#);
}
