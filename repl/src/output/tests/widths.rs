//! The widths of a table whose rows come late or grow.

use futures::channel::mpsc;
use insta::assert_snapshot;

use super::*;

/// Prints `batches` from a stream that has nothing ready after each of them.
fn check_slow(terminal_width: Option<usize>, batches: &[RecordBatch]) -> String {
    let mut out = Vec::new();
    let (sender, receiver) = mpsc::unbounded();
    let stream = to_stream(batches[0].schema(), receiver);
    let options = OutputOptions { terminal_width, ..Default::default() };
    futures::executor::block_on(async {
        let mut printing = Box::pin(write_stream(stream, Format::Table, &mut out, options));
        for batch in batches {
            assert!(poll!(&mut printing).is_pending());
            sender.unbounded_send(Ok(batch.clone())).unwrap();
        }
        assert!(poll!(&mut printing).is_pending());
        drop(sender);
        printing.await.unwrap();
    });
    String::from_utf8(out).unwrap()
}

#[test]
fn table_grows_while_there_is_room() {
    let batches = growing(&[3, 2, 10, 30, 40]);
    assert_snapshot!(check(Format::Table, None, &batches), @r"
    ┌──────────────────────────────────────────┐
    │ a                                        │
    ├──────────────────────────────────────────┤
    │ xxx                                      │
    │ xx                                       │
    │ xxxxxxxxxx                               │
    │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx           │
    │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx │
    └──────────────────────────────────────────┘
    ");
    assert_snapshot!(check_slow(None, &batches), @r"
    ┌─────┐
    │ a   │
    ├─────┤
    │ xxx │
    │ xx  │
    └─────┘
    ┌────────────┐
    │ a          │
    ├────────────┤
    │ xxxxxxxxxx │
    └────────────┘
    ┌────────────────────────────────┐
    │ a                              │
    ├────────────────────────────────┤
    │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx │
    └────────────────────────────────┘
    ┌──────────────────────────────────────────┐
    │ a                                        │
    ├──────────────────────────────────────────┤
    │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx │
    └──────────────────────────────────────────┘
    ");
    assert_snapshot!(check_slow(Some(24), &batches), @r"
    ┌─────┐
    │ a   │
    ├─────┤
    │ xxx │
    │ xx  │
    └─────┘
    ┌────────────┐
    │ a          │
    ├────────────┤
    │ xxxxxxxxxx │
    └────────────┘
    ┌──────────────────────┐
    │ a                    │
    ├──────────────────────┤
    │ xxxxxxxxxxxxxxxxxxx… │
    │ xxxxxxxxxxxxxxxxxxx… │
    └──────────────────────┘
    ");
}

#[test]
fn table_loses_nothing_and_pads_little_for_a_very_long_line() {
    let long = "y".repeat(100_000);
    let table = check(Format::Table, None, &[batch(vec![("a", texts(&[Some(&long), Some("b")]))])]);
    assert!(table.contains(&long));
    assert!(table.len() < 120_000, "{}", table.len());
}
