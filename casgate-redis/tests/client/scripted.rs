use casgate_redis::{Call, Store, StoreError};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

type Reply = Result<Vec<i64>, StoreError>;

/// What a store was asked: its calls by key and arguments.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) calls: Vec<(String, Vec<i64>)>,
    pub(crate) timeout: Duration,
    reply: Sender<Result<Vec<Reply>, StoreError>>,
}

/// A store that shows each call to the test, and waits for its answer.
pub(crate) struct Scripted(Sender<Asked>);

impl Scripted {
    pub(crate) fn new() -> (Self, Calls) {
        let (sender, receiver) = channel();
        (Self(sender), Calls(receiver))
    }
}

impl Store for Scripted {
    fn call(&mut self, calls: &[Call<'_>], timeout: Duration) -> Result<Vec<Reply>, StoreError> {
        let calls =
            calls.iter().map(|call| (call.key.to_owned(), call.arguments.to_vec())).collect();
        let (reply, answer) = channel();
        let gone = |_| StoreError::new(casgate_redis::Cause::Unreachable, "the test is over");
        self.0.send(Asked { calls, timeout, reply }).map_err(|_| gone(()))?;
        answer.recv().unwrap_or_else(|_| Err(gone(())))
    }
}

/// The calls, as they come.
pub(crate) struct Calls(Receiver<Asked>);

impl Calls {
    /// The next one.
    pub(crate) fn next(&self) -> Asked {
        self.0.recv_timeout(Duration::from_secs(20)).expect("a call")
    }

    /// Waits until the store is dropped. Calls until then fail.
    pub(crate) fn wait_for_the_end(&self) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            match self.0.recv_timeout(Duration::from_secs(20)) {
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
                _ => assert!(Instant::now() < end, "the thread goes on"),
            }
        }
    }
}

impl Asked {
    /// The permits that each call wants.
    pub(crate) fn wants(&self) -> Vec<i64> {
        self.calls.iter().map(|(_, arguments)| arguments[9]).collect()
    }

    /// Grants each call so many permits.
    pub(crate) fn grant(self, permits: &[i64]) {
        let replies = permits.iter().map(|&permits| Ok(vec![permits, 2_000, 1_000, 7, 1, 0]));
        self.answer(Ok(replies.collect()));
    }

    pub(crate) fn answer(self, reply: Result<Vec<Reply>, StoreError>) {
        let _ = self.reply.send(reply);
    }
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
