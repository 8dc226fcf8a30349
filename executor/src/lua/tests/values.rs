//! Each type, in and out, and the values that do not fit.

use arrow::array::{
    BinaryViewArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int32Array, LargeStringArray, ListArray, NullArray, StringViewArray,
    StructArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt8Array, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{Field, TimeUnit};

use super::*;

fn list_of(item: LuaType) -> LuaType {
    LuaType::List(Box::new(item))
}

/// What the identity gives for a column, declared with the column's own type.
fn identity(array: ArrayRef) -> ArrayRef {
    let columns = [("v", array)];
    let declared = LuaType::try_from(columns[0].1.data_type()).unwrap();
    let chain = chain(&columns).map("function(v) return v end", &[("v", declared)]);
    let answer = run_chain(chain, &columns);
    assert_eq!((&answer.failure, &answer.fault), (&None, &None));
    answer.rows[0].column(0).clone()
}

fn check_identity(array: impl Array + 'static) {
    let array: ArrayRef = Arc::new(array);
    let expected = cast(&array, &LuaType::try_from(array.data_type()).unwrap().to_arrow()).unwrap();
    assert_eq!(&identity(array.clone()), &expected);
    let sliced = array.slice(1, array.len() - 1);
    assert_eq!(&identity(sliced), &expected.slice(1, array.len() - 1));
}

#[test]
fn every_type_comes_back() {
    check_identity(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]));
    check_identity(Int8Array::from(vec![Some(-128), None, Some(127)]));
    check_identity(Int32Array::from(vec![Some(i32::MIN), None, Some(i32::MAX)]));
    check_identity(UInt8Array::from(vec![Some(255), None, Some(0)]));
    let wide =
        [i64::MIN, -i64::MAX, -(1 << 53) - 1, -(1 << 53), 0, 1 << 53, (1 << 53) + 1, i64::MAX];
    check_identity(Int64Array::from_iter(wide.iter().map(|v| Some(*v)).chain([None])));
    check_identity(UInt64Array::from(vec![Some(u64::MAX), None, Some((1 << 53) + 1), Some(7)]));
    check_identity(Float32Array::from(vec![Some(0.1), None, Some(f32::MAX), Some(f32::INFINITY)]));
    check_identity(Float64Array::from(vec![Some(0.1), None, Some(-0.0), Some(f64::INFINITY)]));
    let strings = vec![Some(""), None, Some("a\0b"), Some("two\nlines"), Some("🦀 über 一二三四")];
    check_identity(StringArray::from(strings.clone()));
    check_identity(LargeStringArray::from(strings.clone()));
    check_identity(StringViewArray::from(strings));
    check_identity(BinaryViewArray::from(vec![Some(&b"\xff\x00"[..]), None, Some(b"")]));
    check_identity(Date32Array::from(vec![Some(-1), None, Some(19000)]));
    check_identity(Date64Array::from(vec![Some(-86_400_000), None, Some(86_400_000)]));
    check_identity(TimestampSecondArray::from(vec![Some(-1), None, Some(1_700_000_000)]));
    check_identity(TimestampMillisecondArray::from(vec![Some(-1), None, Some(1_700_000_000_123)]));
    let micros = TimestampMicrosecondArray::from(vec![Some(-1), None, Some(1_700_000_000_123_457)]);
    check_identity(micros.with_timezone("+02:00"));
    let nanos =
        TimestampNanosecondArray::from(vec![Some(1000), None, Some(1_700_000_000_123_457_000)]);
    check_identity(nanos);
}

#[test]
fn unusual_inputs() {
    let nulls: ArrayRef = Arc::new(NullArray::new(2));
    assert_eq!(identity(nulls.clone()).data_type(), &DataType::Null);
    let decimals = Decimal128Array::from(vec![123456789012345678901234567890123_i128, -5])
        .with_precision_and_scale(38, 2)
        .unwrap();
    let expected = ["1234567890123456789012345678901.23", "-0.05"];
    assert_eq!(
        identity(Arc::new(decimals)).as_string_view(),
        &StringViewArray::from_iter_values(expected)
    );
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let words = cast(&texts(&["a", "b", "a"]), &dictionary).unwrap();
    assert_eq!(
        identity(words).as_string_view(),
        &StringViewArray::from_iter_values(["a", "b", "a"])
    );
    let interval = DataType::Duration(TimeUnit::Second);
    assert!(matches!(LuaType::try_from(&interval), Err(LuaError::UnsupportedType(_))));
}

#[test]
fn lists_and_structs() {
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
        Some(vec![Some(1), Some(2)]),
        None,
        Some(vec![]),
        Some(vec![None, Some(i64::MAX), None]),
    ]);
    check_identity(lists);
    let record = StructArray::from(vec![
        (Arc::new(Field::new("host", DataType::Utf8, true)), texts(&["a", "b", "c"])),
        (Arc::new(Field::new("n", DataType::Int64, true)), ints(&[1, 2, 3])),
    ]);
    check_identity(record);
    let columns = [("l", texts(&["a b", "c"]))];
    let fields =
        LuaType::Struct(vec![column("w", list_of(LuaType::Text)), column("n", LuaType::Int8)]);
    let code = "function(l) local w = {} for x in l:gmatch('%a') do w[#w + 1] = x end
        return { { w = w, n = #w }, { n = 0 } } end";
    let chain = chain(&columns).map(code, &[("r", list_of(fields))]);
    let expected = ["[{w: [a, b], n: 2}, {w: , n: 0}]", "[{w: [c], n: 1}, {w: , n: 0}]"];
    assert_eq!(rendered(&run_chain(chain, &columns)), expected);
}

#[test]
fn views_with_many_buffers() {
    let long = |k: usize| format!("a string that is not inlined, number {k}");
    let mut builder = arrow::array::StringViewBuilder::new().with_fixed_block_size(64);
    (0..50).for_each(|k| builder.append_value(long(k)));
    let views = builder.finish();
    assert!(views.data_buffers().len() > 1);
    let middle = identity(Arc::new(views.slice(20, 10)));
    let expected: Vec<_> = (20..30).map(long).collect();
    assert!(middle.as_string_view().iter().map(|v| v.unwrap().to_owned()).eq(expected));
}

/// The value of a Lua expression in a column, as text, or what is wrong with it.
fn evaluate(expression: &str, declared: LuaType) -> Result<String, String> {
    let columns = [("x", ints(&[1]))];
    let code = format!("function() return {expression} end");
    let answer = run_chain(chain(&columns).map(&code, &[("c", declared)]), &columns);
    match answer.failure {
        Some(failure) => Err(failure.message),
        None => Ok(rendered(&answer)[0].clone()),
    }
}

fn check_fits(expression: &str, declared: LuaType, expected: &str) {
    assert_eq!(evaluate(expression, declared).as_deref(), Ok(expected), "{expression}");
}

fn check_misfit(expression: &str, declared: LuaType, expected: &str) {
    let message = evaluate(expression, declared).expect_err(expression);
    assert!(message.contains(expected), "{expression}: {message}");
}

#[test]
fn numbers_fit_exactly_or_not_at_all() {
    use LuaType::{Float32, Float64, Int8, Int32, Int64, UInt64};
    check_fits("9223372036854775807LL", Int64, "9223372036854775807");
    check_fits("1ULL", Int64, "1");
    check_fits("2^62", Int64, "4611686018427387904");
    check_fits("'-9223372036854775808'", Int64, "-9223372036854775808");
    check_fits("'9007199254740993'", Int64, "9007199254740993");
    check_fits("'18446744073709551615'", UInt64, "18446744073709551615");
    check_fits("'007'", Int8, "7");
    check_fits("'-4.5'", Float64, "-4.5");
    check_fits("1e308", Float64, "1e308");
    check_fits("0/0", Float64, "NaN");
    check_fits("'0.1'", Float32, "0.1");
    check_misfit("1.5", Int64, "1.5 (number) does not fit column c BIGINT: not a whole number");
    check_misfit("2^63", Int64, "does not fit column c BIGINT");
    check_misfit("-2^64", Int64, "does not fit");
    check_misfit("0/0", Int64, "does not fit");
    check_misfit("1/0", Int64, "does not fit");
    check_misfit("9223372036854775808ULL", Int64, "9223372036854775808ULL (64-bit number)");
    check_misfit("'9223372036854775808'", Int64, "does not fit");
    check_misfit("-1", UInt64, "BIGINT UNSIGNED");
    check_misfit("-1LL", UInt64, "does not fit");
    check_misfit("2147483648", Int32, "does not fit column c INT");
    check_misfit("128LL", Int8, "does not fit column c TINYINT");
    check_misfit("'4.5'", Int64, "not a whole number");
    check_misfit("9007199254740993LL", Float64, "a double would round it");
    check_misfit("1e39", Float32, "does not fit column c FLOAT");
    check_misfit("true", Int64, "true (boolean) does not fit column c BIGINT");
    check_misfit("{}", Float64, "a table does not fit column c DOUBLE");
    check_misfit("1i", Float64, "a cdata does not fit");
    for text in ["-", "", "0x10", " 12", "12 ", "1,5", "inf", "nan"] {
        check_misfit(&format!("'{text}'"), Int64, "(string) does not fit column c BIGINT");
        check_misfit(&format!("'{text}'"), Float64, "(string) does not fit column c DOUBLE");
    }
}

#[test]
fn other_types_are_strict() {
    use LuaType::{Binary, Boolean, Date, Null, Text, Timestamp};
    check_fits("12", Text, "12");
    check_fits("-0.1", Text, "-0.1");
    check_fits("1/3", Text, "0.3333333333333333");
    check_fits("1e15", Text, "1000000000000000");
    check_fits("1e17", Text, "1e+17");
    check_fits("9007199254740993LL", Text, "9007199254740993");
    check_fits("18446744073709551615ULL", Text, "18446744073709551615");
    check_misfit("true", Text, "tostring makes it text");
    check_misfit("'\\255'", Text, "not valid UTF-8");
    check_misfit("{}", Text, "a table does not fit column c TEXT");
    check_fits("'\\255'", Binary, "ff");
    check_misfit("1", Binary, "does not fit");
    check_misfit("1", Boolean, "1 (number) does not fit column c BOOLEAN");
    check_misfit("'true'", Boolean, "does not fit");
    check_misfit("1", Null, "does not fit column c NULL");
    check_fits("1700000000.1234567", Timestamp, "2023-11-14T22:13:20.123457");
    check_fits("'1700000000'", Timestamp, "2023-11-14T22:13:20");
    check_misfit("1e11", Timestamp, "does not fit column c TIMESTAMP");
    check_misfit("0/0", Timestamp, "does not fit");
    check_misfit("'2024-01-01'", Timestamp, "seconds since the epoch");
    check_fits("86400 * 2 - 1", Date, "1970-01-02");
    check_fits("-1", Date, "1969-12-31");
    check_misfit("1e15", Date, "does not fit column c DATE");
    check_misfit("0/0", Date, "does not fit");
}

#[test]
fn tables_are_read_with_their_metatables() {
    use LuaType::{Int64, Struct};
    let list = list_of(Int64);
    check_fits("{ 1, 2 }", list.clone(), "[1, 2]");
    check_fits("{ n = 3, 1, nil, 3 }", list.clone(), "[1, , 3]");
    check_misfit("'x'", list.clone(), "does not fit column c BIGINT[]");
    check_misfit("{ 'x' }", list.clone(), "does not fit column c[] BIGINT");
    check_misfit("setmetatable({}, { __index = function() error('mine') end })", list, "mine");
    let record = Struct(vec![column("a", Int64)]);
    check_fits("setmetatable({}, { __index = { a = 4 } })", record.clone(), "{a: 4}");
    check_misfit("{ a = 1, b = 2 }", record.clone(), "it has no field \"b\"");
    check_misfit("{ 1 }", record, "it has no field 1");
}

#[test]
fn arguments_have_the_types_of_lua() {
    let types = "function(...) local t = {} for k = 1, select('#', ...) do
        t[k] = type((select(k, ...))) end return table.concat(t, ' ') end";
    let columns: [(&str, ArrayRef); 6] = [
        ("a", ints(&[1 << 53])),
        ("b", ints(&[(1 << 53) + 1])),
        ("c", Arc::new(BooleanArray::from(vec![true]))),
        ("d", Arc::new(TimestampSecondArray::from(vec![1]))),
        ("e", Arc::new(Int64Array::from(vec![None]))),
        ("f", texts(&["x"])),
    ];
    let chain = chain(&columns).map(types, &[("t", LuaType::Text)]);
    assert_eq!(rendered(&run_chain(chain, &columns)), ["number cdata boolean number nil string"]);
}

#[test]
fn a_fused_step_sees_what_a_separate_child_would() {
    let columns = [("x", ints(&[1]))];
    let code = "function() return '41', 5LL, 2^60, 1.9999999, 12 end";
    let chain = chain(&columns)
        .map(
            code,
            &[
                ("a", LuaType::Int64),
                ("b", LuaType::Int64),
                ("c", LuaType::Int64),
                ("d", LuaType::Date),
                ("e", LuaType::Text),
            ],
        )
        .map(
            "function(a, b, c, d, e) return type(a), type(b), type(c), d, type(e) end",
            &["a", "b", "c", "d", "e"].map(|name| (name, LuaType::Text)),
        );
    assert_eq!(rendered(&run_chain(chain, &columns)), ["number|number|cdata|0|string"]);
}

#[test]
fn more_than_two_gigabytes_is_an_error() {
    let big = arrow::buffer::Buffer::from(vec![b'x'; 1 << 20]);
    let mut builder = arrow::array::StringViewBuilder::new();
    let block = builder.append_block(big);
    for _ in 0..2049 {
        builder.try_append_view(block, 0, 1 << 20).unwrap();
    }
    let views: ArrayRef = Arc::new(builder.finish());
    let program = chain(&[("line", views.clone())]).filter("function() return true end").0;
    let error = to_child(&program, &[views], 2049).unwrap_err();
    assert!(matches!(error, LuaError::TooLarge { .. }), "{error}");
}
