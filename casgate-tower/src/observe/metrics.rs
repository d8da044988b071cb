use super::{Event, Observer};
use crate::Policy;
use crate::fields::Name;
use metrics::{
    SharedString, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use std::time::Duration;

/// Counts in the recorder of the crate [`metrics`](::metrics).
///
/// | metric | labels | what |
/// |---|---|---|
/// | `casgate.requests` | `policy`, `result` | requests, by [outcome](super::Outcome) |
/// | `casgate.wait.duration` | `policy` | how long those waited that did, in seconds |
/// | `casgate.waiting` | `policy` | how many wait now |
/// | `casgate.keys.inserted`, `.evicted`, `.denied` | `policy` | what [`keys`](Self::keys) reads |
///
/// An exporter for Prometheus spells them `casgate_requests` and so on. It adds `_total` to
/// counters if you say so: `metrics-exporter-prometheus` by `with_recommended_naming(true)`. No
/// label has as many values as there are keys.
///
/// ```
/// use casgate::Quota;
/// use casgate_tower::RateLimitLayer;
/// use casgate_tower::observe::Metrics;
///
/// // After the program has installed its recorder.
/// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000).observer(Metrics::new());
/// # drop(layer);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    _private: (),
}

impl Metrics {
    /// Describes the metrics to the recorder.
    #[must_use]
    pub fn new() -> Self {
        describe_counter!("casgate.requests", "Requests that a policy has decided on.");
        describe_histogram!(
            "casgate.wait.duration",
            metrics::Unit::Seconds,
            "How long requests waited in line."
        );
        describe_gauge!("casgate.waiting", "Requests that wait in line.");
        describe_counter!("casgate.keys.inserted", "Keys that were given a slot.");
        describe_counter!(
            "casgate.keys.evicted",
            "Keys whose slot was taken while they had permits outstanding."
        );
        describe_counter!("casgate.keys.denied", "Requests denied since no slot was free.");
        Self { _private: () }
    }

    /// Reads the [statistics](casgate::KeyedLimiter::stats) of a policy's keyed limiter into the
    /// recorder. Call it now and then, such as before each scrape; it does nothing for a policy
    /// without keys. Counters never fall: a policy to which a [reload](crate::config) has given a new
    /// limiter is counted again when it exceeds what the old one had.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{RateLimitLayer, observe::Metrics};
    /// let (metrics, layer) = (Metrics::new(), RateLimitLayer::per_client(Quota::per_minute(60), 1_000));
    /// if let Some(policy) = layer.policy("default") {
    ///     metrics.keys(&policy);
    /// }
    /// ```
    pub fn keys(&self, policy: &Policy) {
        let Some(stats) = policy.stats() else { return };
        let name = label(policy.name());
        counter!("casgate.keys.inserted", "policy" => name.clone()).absolute(stats.inserted);
        counter!("casgate.keys.evicted", "policy" => name.clone()).absolute(stats.evicted);
        counter!("casgate.keys.denied", "policy" => name).absolute(stats.denied_full);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event<'_>) {
        let (name, result) = (label(event.policy()), event.outcome().as_str());
        counter!("casgate.requests", "policy" => name, "result" => result).increment(1);
    }

    fn waits(&self, policy: &Name) {
        gauge!("casgate.waiting", "policy" => label(policy)).increment(1.0);
    }

    fn waited(&self, policy: &Name, wait: Duration) {
        gauge!("casgate.waiting", "policy" => label(policy)).decrement(1.0);
        histogram!("casgate.wait.duration", "policy" => label(policy)).record(wait);
    }
}

fn label(name: &Name) -> SharedString {
    SharedString::from_shared(name.shared())
}
