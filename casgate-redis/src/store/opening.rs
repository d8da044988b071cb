use redis::{Client, Connection, RedisResult};
use std::io::{Error, ErrorKind};
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
            // It has panicked.
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
        let client = source.lock().unwrap_or_else(PoisonError::into_inner)();
        // The store may be gone.
        let _ = sender.send(client.and_then(|client| client.get_connection_with_timeout(timeout)));
    })?;
    Ok(receiver)
}
