use arrow::record_batch::RecordBatch;
use datafusion::error::Result;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::mpsc;

use super::TextError;
use super::reader::TextReader;

/// Batches that a reading thread may be ahead of the query.
const BATCHES_AHEAD: usize = 2;

enum Message {
    Batch(RecordBatch),
    Failed(TextError),
    End,
}

/// Reads in a thread of its own: for pipes and the network, where a read may wait for ever.
///
/// Dropping the stream ends the thread at its next batch. A thread that waits in `read(2)`
/// cannot be ended; it is no task of the runtime, so that neither a shutdown nor the end of
/// the process waits for it. The stream ends well only after the thread said so: a panic is an
/// error.
pub(crate) fn read_in_thread(
    file: String,
    open: impl FnOnce() -> Result<Option<TextReader>, TextError> + Send + 'static,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    std::thread::Builder::new()
        .name("gleam-text".to_owned())
        .spawn(move || send_all(&sender, open))
        .map_err(|source| TextError::Open { file: file.clone(), source })?;
    Ok(stream::unfold(Some((receiver, file)), next_message).boxed())
}

fn send_all(
    sender: &mpsc::Sender<Message>,
    open: impl FnOnce() -> Result<Option<TextReader>, TextError>,
) {
    let end = match open() {
        Err(error) => Message::Failed(error),
        Ok(reader) => {
            for batch in reader.into_iter().flatten() {
                let message = match batch {
                    Ok(batch) => Message::Batch(batch),
                    Err(error) => Message::Failed(error),
                };
                if sender.blocking_send(message).is_err() {
                    return;
                }
            }
            Message::End
        }
    };
    // A receiver that is gone wanted no more.
    let _ = sender.blocking_send(end);
}

type Receiving = Option<(mpsc::Receiver<Message>, String)>;

async fn next_message(state: Receiving) -> Option<(Result<RecordBatch>, Receiving)> {
    let (mut receiver, file) = state?;
    match receiver.recv().await {
        Some(Message::Batch(batch)) => Some((Ok(batch), Some((receiver, file)))),
        Some(Message::Failed(error)) => Some((Err(error.into()), None)),
        Some(Message::End) => None,
        None => Some((Err(TextError::ReaderLost { file }.into()), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let stream = read_in_thread("f".to_owned(), || panic!("on purpose")).unwrap();
        let batches = stream.collect::<Vec<_>>().await;
        assert_eq!(batches.len(), 1);
        let error = batches[0].as_ref().unwrap_err().to_string();
        assert!(error.contains("the thread that reads f ended early"), "{error}");
    }

    #[tokio::test]
    async fn a_failure_to_open_is_the_only_item() {
        let stream = read_in_thread("f".to_owned(), || Err(TextError::StdinTaken)).unwrap();
        assert_eq!(stream.collect::<Vec<_>>().await.len(), 1);
    }
}
