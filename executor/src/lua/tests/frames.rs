//! Broken input of a child, and broken replies.

use proptest::prelude::*;

use super::*;

fn program() -> LuaProgram {
    let n = [("n", LuaType::Int64)];
    chain(&[("line", texts(&[]))]).map("function(line) return #line end", &n).0
}

/// A whole talk: setup, one batch, end.
fn talk() -> Vec<u8> {
    let program = program();
    let mut input = encode_setup(&program).unwrap();
    let batch = to_child(&program, &[texts(&["a", "bc"])], 2).unwrap();
    input.extend(BatchEncoder::try_new(&program).unwrap().encode(&batch).unwrap());
    input.extend(encode_end());
    input
}

#[test]
fn a_talk_ends_with_an_end() {
    let whole = talk();
    for cut in 0..=whole.len() {
        let served = serve(&whole[..cut], Vec::new());
        // A parent that dies between two frames must not look like one that has no more rows.
        let is_complete = cut == 0 || cut == whole.len();
        assert_eq!(served.is_ok(), is_complete, "cut at {cut}: {served:?}");
    }
}

#[test]
fn frames_out_of_order_are_faults() {
    let program = program();
    for input in [
        encode_end(),
        [encode_setup(&program).unwrap(), encode_setup(&program).unwrap()].concat(),
        [encode_setup(&program).unwrap(), vec![0; 40]].concat(),
        [header(Tag::Setup, 2).to_vec(), b"{}".to_vec()].concat(),
    ] {
        let mut output = Vec::new();
        assert!(serve(&input[..], &mut output).is_err());
        assert!(decode_all(&program, &output).fault.is_some());
    }
}

#[test]
fn programs_that_break_rules_are_faults() {
    for spoil in [
        |p: &mut LuaProgram| p.steps.clear(),
        |p: &mut LuaProgram| p.steps[0].args = vec![1],
        |p: &mut LuaProgram| p.steps[0].columns.clear(),
        |p: &mut LuaProgram| p.steps = vec![p.steps[0].clone(); MAX_STEPS + 1],
    ] {
        let mut program = program();
        spoil(&mut program);
        assert!(run_batches(&program, &[], 0).fault.is_some());
    }
}

#[test]
fn batches_of_another_schema_are_faults() {
    let other = chain(&[("n", ints(&[]))]).filter("function() return 1 end").0;
    let mut input = encode_setup(&program()).unwrap();
    let batch = to_child(&other, &[ints(&[1])], 1).unwrap();
    input.extend(BatchEncoder::try_new(&other).unwrap().encode(&batch).unwrap());
    assert!(serve(&input[..], Vec::new()).is_err());
}

#[test]
fn the_parent_that_has_gone_is_an_io_error() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let many = chain(&[("line", texts(&[]))])
        .flat_map("function() while true do emit(1) end end", &[("n", LuaType::Int64)])
        .0;
    let mut input = encode_setup(&many).unwrap();
    let batch = to_child(&many, &[texts(&["a"])], 1).unwrap();
    input.extend(BatchEncoder::try_new(&many).unwrap().encode(&batch).unwrap());
    assert!(matches!(serve(&input[..], Closed), Err(LuaError::Io(_))));
}

proptest! {
    #[test]
    fn a_changed_byte_never_panics(place in 0..talk().len(), byte: u8) {
        let mut broken = talk();
        broken[place] = byte;
        let _ = serve(&broken[..], Vec::new());
    }

    #[test]
    fn replies_that_are_noise_are_errors(tag in 0..4usize, body in prop::collection::vec(any::<u8>(), 1..200)) {
        let tag = [Tag::Rows, Tag::BatchDone, Tag::Failed, Tag::Setup][tag];
        prop_assert!(ReplyDecoder::new(program()).decode(tag, body).is_err());
    }
}
