use super::{Event, Observer};
use crate::Policy;
use crate::fields::Name;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use std::time::Duration;

/// Counts with the instruments of an OpenTelemetry [`Meter`].
///
/// | instrument | attributes | what |
/// |---|---|---|
/// | `casgate.requests` | `policy`, `result` | requests, by [outcome](super::Outcome) |
/// | `casgate.wait.duration` | `policy` | how long those waited that did, in seconds |
/// | `casgate.waiting` | `policy` | how many wait now |
/// | `casgate.keys.inserted`, `.evicted`, `.denied` | `policy` | of those that are [watched](Self::watch_keys) |
///
/// OpenTelemetry has no convention for rate limiting; these follow the shape of ASP.NET Core's. No
/// attribute has as many values as there are keys.
///
/// ```
/// use casgate::Quota;
/// use casgate_tower::RateLimitLayer;
/// use casgate_tower::observe::OpenTelemetry;
///
/// let meter = opentelemetry::global::meter("my-service");
/// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000).observer(OpenTelemetry::new(&meter));
/// # drop(layer);
/// ```
#[derive(Clone, Debug)]
pub struct OpenTelemetry {
    requests: Counter<u64>,
    waits: Histogram<f64>,
    waiting: UpDownCounter<i64>,
}

impl OpenTelemetry {
    /// Makes the instruments.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        Self {
            requests: meter
                .u64_counter("casgate.requests")
                .with_description("Requests that a policy has decided on.")
                .with_unit("{request}")
                .build(),
            waits: meter
                .f64_histogram("casgate.wait.duration")
                .with_description("How long requests waited in line.")
                .with_unit("s")
                .build(),
            waiting: meter
                .i64_up_down_counter("casgate.waiting")
                .with_description("Requests that wait in line.")
                .with_unit("{request}")
                .build(),
        }
    }

    /// Makes instruments that read the [statistics](casgate::KeyedLimiter::stats) of these policies
    /// whenever the meter collects. Those without keys are left out.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::{RateLimitLayer, observe::OpenTelemetry};
    /// let layer = RateLimitLayer::per_client(Quota::per_minute(60), 1_000);
    /// let meter = opentelemetry::global::meter("my-service");
    /// OpenTelemetry::watch_keys(&meter, layer.policy("default"));
    /// ```
    pub fn watch_keys(meter: &Meter, policies: impl IntoIterator<Item = Policy>) {
        let policies: Vec<Policy> = policies.into_iter().collect();
        let watch = |name, description, read: fn(&casgate::Stats) -> u64| {
            let policies = policies.clone();
            let counter = meter.u64_observable_counter(name).with_description(description);
            let counter = counter.with_callback(move |instrument| {
                for policy in &policies {
                    if let Some(stats) = policy.stats() {
                        instrument.observe(read(&stats), &[attribute(policy.name())]);
                    }
                }
            });
            // It lives in the meter.
            let _ = counter.build();
        };
        watch("casgate.keys.inserted", "Keys that were given a slot.", |stats| stats.inserted);
        watch(
            "casgate.keys.evicted",
            "Keys whose slot was taken while they had permits outstanding.",
            |stats| stats.evicted,
        );
        watch("casgate.keys.denied", "Requests denied since no slot was free.", |stats| {
            stats.denied_full
        });
    }
}

impl Observer for OpenTelemetry {
    fn observe(&self, event: &Event<'_>) {
        let result = KeyValue::new("result", event.outcome().as_str());
        self.requests.add(1, &[attribute(event.policy()), result]);
    }

    fn waits(&self, policy: &Name) {
        self.waiting.add(1, &[attribute(policy)]);
    }

    fn waited(&self, policy: &Name, wait: Duration) {
        self.waiting.add(-1, &[attribute(policy)]);
        self.waits.record(wait.as_secs_f64(), &[attribute(policy)]);
    }
}

fn attribute(name: &Name) -> KeyValue {
    KeyValue::new("policy", name.shared())
}
