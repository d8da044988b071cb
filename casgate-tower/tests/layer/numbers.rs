//! The numbers of one answer do not contradict each other.

use super::*;
use casgate_tower::fields::{self, Fields};
use http::HeaderMap;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Bucket,
    Window,
    Keyed,
    Queue,
}

#[derive(Clone, Copy, Debug)]
struct Spec {
    kind: Kind,
    permits: u32,
    period_ms: u64,
    burst: u32,
    /// Added to what a request costs.
    extra: u32,
    settles: bool,
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

impl Spec {
    fn quota(&self) -> Quota {
        Quota::new(self.permits, Duration::from_millis(self.period_ms)).unwrap()
    }

    /// The permits of a full limiter.
    fn limit(&self) -> u32 {
        if matches!(self.kind, Kind::Window) { self.permits } else { self.burst }
    }

    /// The permits that return steadily in that time.
    fn returning_in(&self, secs: u64) -> u64 {
        u64::from(self.permits) * secs * 1_000 / self.period_ms
    }

    fn policy(&self, clock: &Arc<ManualClock>) -> Policy {
        let quota = self.quota().with_burst(self.burst);
        let policy = match self.kind {
            Kind::Bucket => bucket(quota, clock),
            Kind::Window => window(self.quota(), clock),
            Kind::Keyed => keyed(quota, clock),
            Kind::Queue => Policy::over_queue(line(quota, clock), quota, Duration::ZERO),
        };
        let extra = self.extra;
        let policy = policy.cost(move |parts| {
            parts.headers["x-cost"].to_str().unwrap().parse::<u32>().unwrap() + extra
        });
        if !self.settles {
            return policy;
        }
        policy.refund_on([StatusCode::NOT_MODIFIED]).true_cost(|response| {
            (response.status == StatusCode::PARTIAL_CONTENT).then_some(25) // a debt
        })
    }
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let kind =
        prop_oneof![Just(Kind::Bucket), Just(Kind::Window), Just(Kind::Keyed), Just(Kind::Queue)];
    let spec = (kind, 1..20_u32, 1..90_000_u64, 1..30_u32, 0..3_u32, any::<bool>());
    let spec = spec.prop_map(|(kind, permits, period_ms, burst, extra, settles)| Spec {
        kind,
        permits,
        period_ms,
        burst,
        extra,
        settles,
    });
    prop::collection::vec(spec, 1..=4)
}

/// How many milliseconds after the one before, the key, the cost and the status of the service.
fn requests() -> impl Strategy<Value = Vec<(u64, u8, u32, u16)>> {
    let status = prop_oneof![3 => Just(200), 1 => Just(304), 1 => Just(206)];
    prop::collection::vec((0..5_000_u64, 0..3_u8, 0..8_u32, status), 1..60)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    /// A client that uses what is left keeps to the rate; `Retry-After` is after each `t`, and only in denials; the
    /// legacy fields are of the first policy, and a limiter that has all of its permits is full.
    #[test]
    fn the_numbers_of_an_answer_agree(specs in specs(), requests in requests()) {
        let clock = clock();
        let policies = specs.iter().zip(NAMES).map(|(spec, name)| spec.policy(&clock).named(name));
        let layer = RateLimitLayer::all(policies).fields(Fields::DRAFT_11.and(Fields::LEGACY));
        let inner = Served::default();
        let service = layer.layer(inner.clone());
        for (after, key, cost, status) in requests {
            clock.advance(Duration::from_millis(after));
            *inner.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
            let mut request = request(&key.to_string());
            request.headers_mut().insert("x-cost", cost.into());
            let answer = send(&service, request);
            let headers = answer.headers();
            let is_denied = answer.status() == StatusCode::TOO_MANY_REQUESTS;
            let retry_after = number(headers, "retry-after");
            prop_assert!(retry_after != Some(0) && (is_denied || retry_after.is_none()));
            let limits = fields::read(headers);
            for limit in &limits {
                let spec = specs[NAMES.iter().position(|name| *name == limit.name).unwrap()];
                let within = limit.within.unwrap().as_secs();
                prop_assert!(within >= 1 && retry_after.is_none_or(|wait| within <= wait));
                prop_assert!(limit.remaining <= spec.limit().into());
                if !is_denied && !matches!(spec.kind, Kind::Window) {
                    prop_assert!(limit.remaining <= spec.returning_in(within), "{:?}", headers);
                }
            }
            let [limit, remaining, reset] = ["limit", "remaining", "reset"]
                .map(|name| number(headers, &format!("x-ratelimit-{name}")).unwrap());
            prop_assert_eq!(remaining, limits[0].remaining);
            prop_assert!(remaining <= limit);
            prop_assert_eq!(remaining == limit, reset == 0, "{:?}", headers);
        }
    }
}
