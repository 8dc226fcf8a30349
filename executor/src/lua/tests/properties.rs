//! What holds for any column.

use arrow::array::{BooleanArray, Float64Array, StringViewArray, UInt64Array};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Ships slices of a column through the identity, fused with itself, and joins the replies.
fn through(array: ArrayRef, cut: usize) -> Vec<ArrayRef> {
    let declared = LuaType::try_from(array.data_type()).unwrap();
    let code = "function(v) return v end";
    let outputs = [("v", declared)];
    let program = chain(&[("v", array.clone())]).map(code, &outputs).map(code, &outputs).0;
    let cut = cut.min(array.len());
    let halves = [vec![array.slice(0, cut)], vec![array.slice(cut, array.len() - cut)]];
    let answer = run_batches(&program, &halves, 0);
    assert_eq!((answer.failure, answer.fault, answer.batches_done), (None, None, 2));
    answer.rows.iter().map(|batch| batch.column(0).clone()).collect()
}

fn check(array: ArrayRef, cut: usize) {
    let replies = through(array.clone(), cut);
    let mut from = 0;
    for reply in replies {
        let expected = array.slice(from, reply.len());
        let expected = arrow::compute::cast(&expected, reply.data_type()).unwrap();
        assert_eq!(&reply, &expected);
        from += reply.len();
    }
    assert_eq!(from, array.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn integers(values in vec(any::<Option<i64>>(), 0..40), cut in 0..40usize) {
        check(Arc::new(Int64Array::from(values)), cut);
    }

    #[test]
    fn unsigned(values in vec(any::<Option<u64>>(), 0..40), cut in 0..40usize) {
        check(Arc::new(UInt64Array::from(values)), cut);
    }

    #[test]
    fn floats(values in vec(any::<Option<f64>>(), 0..40), cut in 0..40usize) {
        check(Arc::new(Float64Array::from(values)), cut);
    }

    #[test]
    fn booleans(values in vec(any::<Option<bool>>(), 0..40), cut in 0..40usize) {
        check(Arc::new(BooleanArray::from(values)), cut);
    }

    #[test]
    fn strings(values in vec(any::<Option<String>>(), 0..40), cut in 0..40usize) {
        check(Arc::new(StringViewArray::from_iter(values)), cut);
    }

    #[test]
    fn integers_as_decimal_text(values in vec(any::<i64>(), 1..40)) {
        let columns = [("v", ints(&values))];
        let text = [("t", LuaType::Text)];
        let code = "function(v) return v end";
        let chain = chain(&columns).map(code, &text).map(code, &[("v", LuaType::Int64)]);
        let expected: Vec<_> = values.iter().map(i64::to_string).collect();
        prop_assert_eq!(rendered(&run_chain(chain, &columns)), expected);
    }

    #[test]
    fn doubles_as_decimal_text(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
        let columns: [(&str, ArrayRef); 1] = [("v", Arc::new(Float64Array::from(vec![value])))];
        let code = "function(v) return v end";
        let chain = chain(&columns).map(code, &[("t", LuaType::Text)]);
        let text = rendered(&run_chain(chain, &columns)).concat();
        prop_assert_eq!(text.parse::<f64>().unwrap(), value);
    }
}
