use super::redis::{command, is_unknown, numbers};
use super::{Call, Cause, Store, StoreError};
use core::time::Duration;
use redis::cluster::{ClusterClient, ClusterConnection};
use redis::{ConnectionLike, RedisResult, Value};
use std::time::Instant;

/// A Redis Cluster. A limit has one key, so it is kept by one shard.
///
/// ```
/// use casgate_redis::{ClusterStore, Fleet};
/// use redis::cluster::ClusterClient;
///
/// let client = ClusterClient::builder(vec!["redis://127.0.0.1:7000/"]).retries(0).build()?;
/// let fleet = Fleet::over(ClusterStore::new(client));
/// # drop(fleet);
/// # Ok::<(), redis::RedisError>(())
/// ```
///
/// It connects when it is first called, and again after a failure of a node, a timeout or a broken
/// connection: then it learns the shards again. It asks for one lease after another, each in a
/// round trip. While a node does not answer, the limits of other nodes get their leases later.
///
/// Let the client not retry by itself, as above: the fleet does, and the pauses of the client would
/// be those of all limits. It then follows no redirection of a key either. So while a slot moves, a
/// limit whose key has moved is unavailable, until the slot has its new node.
pub struct ClusterStore {
    client: ClusterClient,
    connection: Option<ClusterConnection>,
}

impl ClusterStore {
    /// Makes a store of the cluster that the client knows. It does not connect yet.
    ///
    /// ```
    /// # use casgate_redis::ClusterStore;
    /// # use redis::cluster::ClusterClient;
    /// let store = ClusterStore::new(ClusterClient::new(vec!["redis://127.0.0.1:7000/"])?);
    /// # drop(store);
    /// # Ok::<(), redis::RedisError>(())
    /// ```
    #[must_use]
    pub const fn new(client: ClusterClient) -> Self {
        Self { client, connection: None }
    }

    /// One call, by name, or by text if the node does not know it.
    fn run(&mut self, call: &Call<'_>, timeout: Duration) -> RedisResult<Value> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.client.get_connection()?,
        };
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        let by_name = command("EVALSHA", call.script.sha1, call);
        let reply = match connection.req_command(&by_name) {
            Ok(reply) if !is_unknown(&reply) => Ok(reply),
            Err(error) if error.code() != Some("NOSCRIPT") => Err(error),
            _ => connection.req_command(&command("EVAL", call.script.text, call)),
        };
        // Else it could be one that a late reply comes to, or that has old shards in mind.
        if reply.is_ok() {
            self.connection = Some(connection);
        }
        reply
    }
}

impl Store for ClusterStore {
    fn call(
        &mut self,
        calls: &[Call<'_>],
        timeout: Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
        let deadline = Instant::now() + timeout;
        let run = |call| {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::new(Cause::Timeout, ""));
            }
            numbers(self.run(call, left))
        };
        Ok(calls.iter().map(run).collect())
    }
}

impl core::fmt::Debug for ClusterStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClusterStore").finish_non_exhaustive()
    }
}
