//! REDUCE, and calls of functions.

use proptest::prelude::*;

use super::*;

const N: (&str, LuaType) = ("n", LuaType::Int64);
const PEAK: &str = "function(a, b) return math.max(a, b) end";

/// Groups and values of a fold.
fn reduce(code: &str, groups: &[u32], values: ArrayRef, on_error: OnError) -> Answer {
    let inputs = vec![
        column("group", LuaType::UInt32),
        column("x", LuaType::try_from(values.data_type()).unwrap()),
    ];
    let step = LuaStep {
        args: vec![1],
        columns: vec![column(N.0, N.1)],
        on_error,
        ..LuaStep::new(LuaVerb::Reduce, code, "REDUCE LUA")
    };
    let program = LuaProgram { inputs, steps: vec![step] };
    let groups: ArrayRef = Arc::new(UInt32Array::from(groups.to_vec()));
    run_batches(&program, &[vec![groups, values]], 0)
}

#[test]
fn folds_each_group() {
    let answer = reduce(PEAK, &[0, 1, 0, 2, 1], ints(&[3, 5, 9, 1, 4]), OnError::Fail);
    assert_eq!(rendered(&answer), ["0|9", "1|5", "2|1"]);
    let answer = reduce(PEAK, &[], ints(&[]), OnError::Fail);
    assert_eq!(rendered(&answer), Vec::<String>::new());
    let answer = reduce(PEAK, &[0, 0], texts(&["10", "9"]), OnError::Fail);
    assert_eq!(rendered(&answer), ["0|10"], "values have the type of their accumulator");
    let big = i64::MAX;
    let sum = "function(a, b) return a + b end";
    let answer = reduce(sum, &[0, 0], ints(&[big - 5, 5]), OnError::Fail);
    assert_eq!(rendered(&answer), [format!("0|{big}")]);
}

#[test]
fn a_failing_fold_leaves_the_accumulator() {
    let code = "function(a, b) if b == 7 then error('seven') end return a + b end";
    let answer = reduce(code, &[0, 0, 0, 1], ints(&[1, 7, 2, 7]), OnError::Skip);
    assert_eq!(rendered(&answer), ["0|3", "1|7"], "the first value of a group needs no call");
    assert_eq!((answer.tolerated[0].rows, answer.tolerated[0].errors), (4, 1));
    assert_eq!(answer.tolerated[0].samples[0].arguments, ["x = 7 (number)"]);
    let answer = reduce(PEAK, &[0, 1, 1], texts(&["x", "y", "4"]), OnError::Skip);
    assert_eq!(rendered(&answer), ["1|4"], "a group of errors only is none");
    assert_eq!(answer.tolerated[0].errors, 2);
    let failed = reduce(code, &[0, 0], ints(&[1, 7]), OnError::Fail).failure.unwrap();
    assert_eq!((failed.step, failed.row, failed.lua_line), (0, Some(1), Some(1)));
    let failed = reduce("function(a, b) end", &[0, 0], ints(&[1, 7]), OnError::Fail);
    assert!(failed.failure.unwrap().message.contains("returned nothing, but AS has 1 column"));
}

fn call(code: &str, is_strict: bool, is_guarded: bool) -> Answer {
    let guards: ArrayRef =
        Arc::new(arrow::array::BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]));
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), None]));
    let args = if is_guarded { vec![0, 1] } else { vec![1] };
    let step = LuaStep {
        args,
        columns: vec![column(N.0, N.1)],
        is_strict,
        is_guarded,
        ..LuaStep::new(LuaVerb::Call, code, "FUNCTION f")
    };
    let inputs = vec![column("guard", LuaType::Boolean), column("x", LuaType::Int64)];
    let program = LuaProgram { inputs, steps: vec![step.clone(), step] };
    run_batches(&program, &[vec![guards, values]], 0)
}

#[test]
fn a_call_gives_a_value_for_every_row() {
    let double = "function(x) if x then return x * 2 end end";
    assert_eq!(rendered(&call(double, false, false)), ["2|2", "4|4", "6|6", "~|~"]);
    assert_eq!(rendered(&call("function(x) return x * 2 end", true, false))[3], "~|~");
    assert_eq!(rendered(&call(double, false, true)), ["2|2", "~|~", "~|~", "~|~"]);
    let failed = call("function(x) return x + 1 end", false, true).failure.unwrap();
    assert_eq!((failed.row, failed.arguments), (Some(3), vec!["x = nil".to_owned()]));
    let failed = call("function(x) return 1, 2 end", false, false).failure.unwrap();
    assert!(failed.message.contains("returned 2 values"), "{failed:?}");
}

proptest! {
    #[test]
    fn equals_a_plain_fold(rows in prop::collection::vec((0_u32..50, -100_i64..100), 0..300)) {
        // Groups are numbered in the order in which they come.
        let mut order = Vec::new();
        let mut peaks: Vec<i64> = Vec::new();
        let mut numbers = Vec::new();
        for (key, value) in &rows {
            let number = order.iter().position(|known| known == key).unwrap_or_else(|| {
                order.push(*key);
                peaks.push(*value);
                order.len() - 1
            });
            peaks[number] = peaks[number].max(*value);
            numbers.push(number as u32);
        }
        let values: Vec<i64> = rows.iter().map(|(_, value)| *value).collect();
        let answer = reduce(PEAK, &numbers, ints(&values), OnError::Fail);
        let expected: Vec<String> =
            peaks.iter().enumerate().map(|(number, peak)| format!("{number}|{peak}")).collect();
        prop_assert_eq!(rendered(&answer), expected);
    }
}
