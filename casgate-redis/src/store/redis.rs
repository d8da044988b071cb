use super::opening::Opening;
use super::{Call, Cause, Store, StoreError};
use core::time::Duration;
use redis::{Client, Cmd, Connection, IntoConnectionInfo, RedisError, RedisResult, Value};
use std::time::Instant;

/// A Redis or Valkey server, or the primary that Sentinels name.
///
/// It connects when it is first called, and again after a broken connection, a timeout, or a reply
/// that says that the server is none to write to. Each time the address is resolved again.
///
/// ```
/// use casgate_redis::{Fleet, RedisStore};
/// use std::time::Duration;
///
/// // A lease is good only if a replica has it within 20 ms: then a failover adds no permits.
/// let store = RedisStore::new("redis://127.0.0.1/")?.wait_for_replicas(1, Duration::from_millis(20));
/// let fleet = Fleet::over(store);
/// # drop(fleet);
/// # Ok::<(), casgate_redis::StoreError>(())
/// ```
///
/// Passwords, TLS and databases are parts of the URL, or of a [`redis::ConnectionInfo`]. TLS needs
/// [features of two crates](crate::operating#tls).
pub struct RedisStore {
    opening: Opening,
    connection: Option<Connection>,
    replicas: Option<(u32, Duration)>,
}

impl RedisStore {
    /// Makes a store of one server, by its URL as a `&str` or a `String`, or by a
    /// [`redis::ConnectionInfo`]. It does not connect yet.
    ///
    /// ```
    /// # use casgate_redis::RedisStore;
    /// assert!(RedisStore::new("redis://user:password@127.0.0.1:6379/0").is_ok());
    /// assert!(RedisStore::new("http://127.0.0.1/").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the address is none.
    pub fn new(server: impl IntoConnectionInfo) -> Result<Self, StoreError> {
        let info = server.into_connection_info().map_err(|error| of(&error))?;
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let client = Client::open(info.set_tcp_settings(tcp)).map_err(|error| of(&error))?;
        Ok(Self::from_source(move || Ok(client.clone())))
    }

    /// Makes a store of the primary that Sentinels name. They are asked again for each connection,
    /// one after another. While one of them accepts connections and does not reply, the store is
    /// unavailable.
    ///
    /// ```
    /// use casgate_redis::RedisStore;
    /// use redis::ConnectionAddr;
    /// use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
    ///
    /// let sentinels = [ConnectionAddr::Tcp("127.0.0.1".to_owned(), 26_379)];
    /// let primary = SentinelServerType::Master;
    /// let sentinel = SentinelClientBuilder::new(sentinels, "mymaster".to_owned(), primary)?.build()?;
    /// let store = RedisStore::from_sentinel(sentinel);
    /// # drop(store);
    /// # Ok::<(), redis::RedisError>(())
    /// ```
    #[cfg(feature = "sentinel")]
    #[must_use]
    pub fn from_sentinel(mut sentinel: redis::sentinel::SentinelClient) -> Self {
        Self::from_source(move || sentinel.get_client())
    }

    fn from_source(source: impl FnMut() -> RedisResult<Client> + Send + 'static) -> Self {
        Self { opening: Opening::new(Box::new(source)), connection: None, replicas: None }
    }

    /// Drops leases that fewer than `replicas` replicas have after `timeout` (`WAIT`): then a
    /// failover to one of those that have it loses no grant. The limit is unavailable while too few
    /// replicas answer.
    ///
    /// ```
    /// # use casgate_redis::RedisStore;
    /// # use std::time::Duration;
    /// let store = RedisStore::new("redis://127.0.0.1/")?.wait_for_replicas(1, Duration::from_millis(20));
    /// # drop(store);
    /// # Ok::<(), casgate_redis::StoreError>(())
    /// ```
    #[must_use]
    pub const fn wait_for_replicas(mut self, replicas: u32, timeout: Duration) -> Self {
        self.replicas = Some((replicas, timeout));
        self
    }

    /// Sends all by the connection that is open, or by a new one.
    fn send(&mut self, commands: &[Cmd], deadline: Instant) -> RedisResult<Vec<Value>> {
        let was_open = self.connection.is_some();
        let result = self.send_once(commands, deadline);
        match result {
            // The server closed a connection that was idle, or restarted: once more, by a new one.
            Err(error) if was_open && error.is_connection_dropped() => {
                self.send_once(commands, deadline)
            }
            result => result,
        }
    }

    fn send_once(&mut self, commands: &[Cmd], deadline: Instant) -> RedisResult<Vec<Value>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.opening.open(until(deadline))?,
        };
        let packed: Vec<u8> = commands.iter().flat_map(Cmd::get_packed_command).collect();
        connection.set_write_timeout(Some(until(deadline)))?;
        connection.send_packed_command(&packed)?;
        let mut replies = Vec::with_capacity(commands.len());
        while replies.len() < commands.len() {
            connection.set_read_timeout(Some(until(deadline)))?;
            match connection.recv_response()? {
                Value::Push { .. } => {}
                reply => replies.push(reply),
            }
        }
        // Kept only if nothing failed: after a timeout a late reply would be taken for the next one.
        self.connection = Some(connection);
        Ok(replies)
    }

    /// Sends the scripts by name, and by text those that the server does not know. After their
    /// replies are those to each `WAIT`.
    fn run(&mut self, calls: &[Call<'_>], deadline: Instant) -> RedisResult<Vec<Value>> {
        let wait = self.replicas.map(|(replicas, timeout)| {
            let mut wait = redis::cmd("WAIT");
            wait.arg(replicas).arg(timeout.as_millis().max(1) as u64); // zero would wait without end
            wait
        });
        let by_name = calls.iter().map(|call| command("EVALSHA", call.script.sha1, call));
        let mut replies = self.send(&by_name.chain(wait.clone()).collect::<Vec<_>>(), deadline)?;
        let unknown: Vec<usize> =
            (0..calls.len()).filter(|&index| is_unknown(&replies[index])).collect();
        if !unknown.is_empty() {
            let texts = unknown.iter().map(|&i| command("EVAL", calls[i].script.text, &calls[i]));
            let mut again = self.send(&texts.chain(wait).collect::<Vec<_>>(), deadline)?;
            // Besides the first one: by another connection it would not wait for what the first one waits for.
            if self.replicas.is_some() {
                replies.extend(again.pop());
            }
            for (index, reply) in unknown.into_iter().zip(again) {
                replies[index] = reply;
            }
        }
        Ok(replies)
    }
}

impl Store for RedisStore {
    fn call(
        &mut self,
        calls: &[Call<'_>],
        timeout: Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
        let deadline = Instant::now() + timeout;
        let mut replies = self.run(calls, deadline).map_err(|error| of(&error))?;
        let waits = replies.split_off(calls.len());
        if let Some((replicas, _)) = self.replicas {
            let mut reached = u32::MAX;
            for wait in waits {
                let of_one = wait.extract_error().and_then(|n| Ok(redis::from_redis_value(n)?));
                reached = reached.min(of_one.map_err(|error| of(&error))?);
            }
            if reached < replicas {
                let detail = format!("{reached} of {replicas} have the lease");
                return Err(StoreError::new(Cause::Replicas, detail));
            }
        }
        let replies: Vec<_> = replies.into_iter().map(|reply| numbers(Ok(reply))).collect();
        let is_wrong_server = |reply: &Result<Vec<i64>, StoreError>| {
            let lost = [Cause::ReadOnly, Cause::Cluster, Cause::Authentication, Cause::Unreachable];
            reply.as_ref().is_err_and(|error| lost.contains(&error.cause()))
        };
        if replies.iter().any(is_wrong_server) {
            self.connection = None;
        }
        Ok(replies)
    }
}

impl core::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RedisStore").field("replicas", &self.replicas).finish_non_exhaustive()
    }
}

pub(super) fn command(name: &str, script: &str, call: &Call<'_>) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(call.key).arg(call.arguments);
    command
}

pub(super) fn is_unknown(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

/// The numbers of a script's reply.
pub(super) fn numbers(reply: RedisResult<Value>) -> Result<Vec<i64>, StoreError> {
    let numbers = reply.and_then(Value::extract_error);
    let numbers = numbers.and_then(|value| Ok(redis::from_redis_value(value)?));
    numbers.map_err(|error| of(&error))
}

/// The time until the deadline, but never zero, which a socket takes for no timeout at all.
fn until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// Whether an error without a code of its own says that access is denied.
fn is_denial(detail: &str) -> bool {
    [
        // Without a password, a server that wants one reads no command as long as ours.
        "unauthenticated",
        // The script may run, and a command in it may not: of Redis 7.0, and of later ones and Valkey.
        "The user executing the script can't",
        "ACL failure in script",
    ]
    .iter()
    .any(|text| detail.contains(text))
}

/// An error of the client as one of a store.
pub(super) fn of(error: &RedisError) -> StoreError {
    let cause = match error.code() {
        Some("READONLY") => Cause::ReadOnly,
        Some("LOADING" | "BUSY") => Cause::Busy,
        Some("OOM") => Cause::OutOfMemory,
        Some("NOREPLICAS") => Cause::Replicas,
        Some("CLUSTERDOWN" | "MASTERDOWN" | "TRYAGAIN" | "MOVED" | "ASK") => Cause::Cluster,
        Some("WRONGPASS" | "NOAUTH" | "NOPERM") => Cause::Authentication,
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => Cause::Authentication,
        _ if error.detail().is_some_and(is_denial) => Cause::Authentication,
        _ if error.is_timeout() => Cause::Timeout,
        _ if error.is_io_error() => Cause::Unreachable,
        _ => Cause::Other,
    };
    StoreError::new(cause, error.to_string())
}

#[cfg(all(test, not(casgate_loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_a_server_has_its_cause() {
        for (cause, errors) in [
            (Cause::ReadOnly, &["READONLY You can't write against a read only replica."][..]),
            (
                Cause::Busy,
                &["LOADING Redis is loading the dataset in memory", "BUSY Redis is busy"],
            ),
            (Cause::OutOfMemory, &["OOM command not allowed when used memory > 'maxmemory'."]),
            (Cause::Replicas, &["NOREPLICAS Not enough good replicas to write."]),
            (
                Cause::Cluster,
                &[
                    "CLUSTERDOWN The cluster is down",
                    "MASTERDOWN Link with MASTER is down",
                    "TRYAGAIN Multiple keys request during rehashing of slot",
                    "MOVED 3999 127.0.0.1:6381",
                    "ASK 3999 127.0.0.1:6381",
                ],
            ),
            (
                Cause::Authentication,
                &[
                    "WRONGPASS invalid username-password pair or user is disabled.",
                    "NOAUTH Authentication required.",
                    "NOPERM this user has no permissions to run the 'eval' command",
                    "ERR Protocol error: unauthenticated bulk length",
                    "ERR The user executing the script can't run this command or subcommand",
                    "ERR ACL failure in script: User fleet has no permissions to run 'del'",
                ],
            ),
            (Cause::Other, &["ERR unknown command 'EVALSHA'", "WRONGTYPE of another kind"]),
        ] {
            for error in errors {
                let reply = redis::parse_redis_value(format!("-{error}\r\n").as_bytes());
                let error = numbers(reply).expect_err("it is an error");
                assert_eq!(error.cause(), cause, "{error}");
            }
        }
    }
}
