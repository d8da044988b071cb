use super::panic_text;
use redis::{Client, Connection, ErrorKind as Kind, RedisError, RedisResult};
use std::any::Any;
use std::io::{Error, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Opens connections, each in a thread of its own.
///
/// Names are resolved and Sentinels are asked without a timeout. The caller waits no longer than it
/// wants, and finds the connection the next time.
pub(super) struct Opening {
    source: Arc<Mutex<Source>>,
    under_way: Option<Receiver<RedisResult<Connection>>>,
}

pub(super) type Source = Box<dyn FnMut() -> RedisResult<Client> + Send>;

impl Opening {
    pub(super) fn new(source: Source) -> Self {
        Self { source: Arc::new(Mutex::new(source)), under_way: None }
    }

    /// Returns a connection, or an error after `timeout`.
    pub(super) fn open(&mut self, timeout: Duration) -> RedisResult<Connection> {
        let under_way = match self.under_way.take() {
            Some(under_way) => under_way,
            None => start(Arc::clone(&self.source), timeout)?,
        };
        match under_way.recv_timeout(timeout) {
            Ok(connection) => connection,
            Err(RecvTimeoutError::Timeout) => {
                self.under_way = Some(under_way);
                Err(Error::from(ErrorKind::TimedOut).into())
            }
            // It was the operating system that ended it.
            Err(RecvTimeoutError::Disconnected) => Err(Error::from(ErrorKind::NotConnected).into()),
        }
    }
}

fn start(
    source: Arc<Mutex<Source>>,
    timeout: Duration,
) -> RedisResult<Receiver<RedisResult<Connection>>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new().name("casgate-connect".to_owned()).spawn(move || {
        let connect = || {
            let client = source.lock().unwrap_or_else(PoisonError::into_inner)()?;
            client.get_connection_with_timeout(timeout)
        };
        // The client panics where the program gives its TLS library no cryptography.
        let connection = panic::catch_unwind(AssertUnwindSafe(connect));
        // The store may be gone.
        let _ = sender.send(connection.unwrap_or_else(|panic| Err(panicked(&*panic))));
    })?;
    Ok(receiver)
}

fn panicked(panic: &(dyn Any + Send)) -> RedisError {
    (Kind::Client, "the client panicked", panic_text(panic)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_what_it_said() {
        let text = "\nNo provider.\nInstall one.\n";
        let mut opening = Opening::new(Box::new(move || panic!("{text}")));
        for _ in 0..2 {
            let error = opening.open(Duration::from_secs(20)).err().expect("no connection");
            assert!(error.to_string().contains("No provider. Install one."), "{error}");
        }
    }
}
