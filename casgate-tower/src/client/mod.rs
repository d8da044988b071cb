//! Outgoing requests that keep an upstream's quota.
//!
//! A [`ClientLayer`] around an HTTP client lets requests wait in a [`Queue`] until the quota has
//! room for them. It heeds what the server answers: after a `Retry-After`, or where the `RateLimit`
//! fields say that nothing is left, it [pauses](casgate::wait::Queue::pause_until) until the time
//! that the server names.
//!
//! ```
//! use casgate::wait::Queue;
//! use casgate::{Limiter, Quota};
//! use casgate_tower::client::ClientLayer;
//! use std::time::Duration;
//!
//! // 10 requests a second, 5 at once. A request that would wait for more than a minute fails at once.
//! let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10).with_burst(5)));
//! let layer = ClientLayer::new(queue).patience(Duration::from_secs(60));
//! # drop(layer);
//! ```
//!
//! One layer is one quota: make one for each upstream. It retries nothing. A layer that does
//! belongs around it, so that each attempt takes its own permit:
//!
//! ```text
//! your code → timeout → retry → ClientLayer → the client
//! ```
//!
//! It works with services of [`http::Request`], such as hyper-util's client. For reqwest, map the
//! requests: see the example `reqwest_client` in the repository.
//!
//! # What it believes
//!
//! - `Retry-After`, in seconds or as a date, of a response with the status 429 or 503.
//! - Without it the `RateLimit` fields, or `X-RateLimit-*`, that say that nothing is left:
//!   [`fields::read`](crate::fields::read). As long as something is left it trusts its own limiter.
//!
//! Requests that were sent already are not called back. Those in line keep their order; one whose
//! patience ends in the pause fails at once. A wrong date or an absurd number stops a client for at
//! most a [day](ClientLayer::longest_pause).

mod error;
mod future;
mod heed;
mod service;

pub use error::ClientError;
pub use future::ClientFuture;
pub use service::Client;

use crate::policy::{Line, Waiting};
use casgate::algorithm::Weighted;
use casgate::clock::Clock;
use casgate::wait::{Acquire, Queue, Timer};
use http::request::Parts;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tower_layer::Layer;

/// A [tower layer](Layer) for outgoing requests: see [the module](self).
///
/// Its clones, and all clients made with them, share the queue.
#[derive(Clone)]
#[must_use]
pub struct ClientLayer {
    shared: Arc<Shared>,
}

struct Shared {
    upstream: Box<dyn Line>,
    patience: Duration,
    cost: Box<dyn Fn(&Parts) -> u32 + Send + Sync>,
    /// Zero: the server is not heeded.
    longest_pause: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl ClientLayer {
    /// Lets requests wait in a queue, or an `Arc` of one, for as long as it takes. A request enters
    /// the queue when the client is called. So a queue with tokio's timer needs a client that is
    /// called in a runtime.
    ///
    /// ```
    /// use casgate::wait::Queue;
    /// use casgate::{Limiter, Quota};
    /// use casgate_tower::client::ClientLayer;
    /// use std::sync::Arc;
    /// let queue = Arc::new(Queue::new(Limiter::token_bucket(Quota::per_second(10))));
    /// let layer = ClientLayer::new(Arc::clone(&queue));
    /// # drop(layer);
    /// ```
    pub fn new<A, C, T>(queue: impl Into<Arc<Queue<A, C, T>>>) -> Self
    where
        A: Weighted + 'static,
        C: Clock + 'static,
        T: Timer + 'static,
        Queue<A, C, T>: Send + Sync,
        Acquire<Arc<Queue<A, C, T>>>: Send,
    {
        let upstream = Box::new(Waiting::new(queue.into(), Duration::ZERO));
        let patience = Duration::MAX;
        let shared = Shared { upstream, patience, cost: Box::new(|_| 1), longest_pause: DAY };
        Self { shared: Arc::new(shared) }
    }

    /// Waits at most so long. A request that would wait for longer fails at once, and takes
    /// nothing.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, wait::Queue};
    /// # use casgate_tower::client::ClientLayer;
    /// # use std::time::Duration;
    /// # let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// let layer = ClientLayer::new(queue).patience(Duration::from_secs(30));
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As every method that configures: if the layer was cloned or applied before.
    pub fn patience(self, patience: Duration) -> Self {
        self.configure(|shared| shared.patience = patience)
    }

    /// Takes so many permits for a request, instead of one.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, wait::Queue};
    /// # use casgate_tower::client::ClientLayer;
    /// # let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// let layer = ClientLayer::new(queue).cost(|parts| if parts.method == "GET" { 1 } else { 5 });
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`patience`](Self::patience).
    pub fn cost(self, cost: impl Fn(&Parts) -> u32 + Send + Sync + 'static) -> Self {
        self.configure(|shared| shared.cost = Box::new(cost))
    }

    /// Heeds a server's pause for at most so long: a day by default, and never more than a year.
    /// Zero heeds nothing that the server says.
    ///
    /// ```
    /// # use casgate::{Limiter, Quota, wait::Queue};
    /// # use casgate_tower::client::ClientLayer;
    /// # use std::time::Duration;
    /// # let queue = Queue::new(Limiter::token_bucket(Quota::per_second(10)));
    /// let layer = ClientLayer::new(queue).longest_pause(Duration::from_secs(3_600));
    /// # drop(layer);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`patience`](Self::patience).
    pub fn longest_pause(self, pause: Duration) -> Self {
        self.configure(|shared| shared.longest_pause = pause.min(365 * DAY))
    }

    fn configure(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        change(
            Arc::get_mut(&mut self.shared)
                .expect("a layer is configured before it is cloned or applied"),
        );
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Client<S>;

    fn layer(&self, inner: S) -> Client<S> {
        Client::new(inner, Arc::clone(&self.shared))
    }
}

impl fmt::Debug for ClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientLayer").finish_non_exhaustive()
    }
}
