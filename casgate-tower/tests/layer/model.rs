//! Random stacks and random requests against plain limiters.

use super::*;
use casgate::clock::Clock;
use casgate::{LimitN, Timestamp};
use casgate_tower::fields::{Announced, ProblemType, Standing};
use http_body_util::BodyExt;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Bucket,
    Window,
    Keyed,
}

#[derive(Clone, Debug)]
struct PolicySpec {
    kind: Kind,
    permits: u32,
    secs: u64,
    burst: u32,
    is_shadow: bool,
    /// Added to what a request costs.
    extra: u32,
    refunds: bool,
    corrects: bool,
}

#[derive(Clone, Debug)]
struct RequestSpec {
    after_ms: u64,
    key: u8,
    cost: u32,
    /// Which policies apply.
    mask: u8,
    status: u16,
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const TRUE_COST: u32 = 3;

fn policies() -> impl Strategy<Value = Vec<PolicySpec>> {
    let kind = prop_oneof![Just(Kind::Bucket), Just(Kind::Window), Just(Kind::Keyed)];
    let spec = (
        kind,
        1..8_u32,
        1..5_u64,
        1..8_u32,
        prop::bool::weighted(0.2),
        0..2_u32,
        any::<bool>(),
        any::<bool>(),
    );
    let spec =
        spec.prop_map(|(kind, permits, secs, burst, is_shadow, extra, refunds, corrects)| {
            PolicySpec { kind, permits, secs, burst, is_shadow, extra, refunds, corrects }
        });
    prop::collection::vec(spec, 1..=4)
}

fn requests() -> impl Strategy<Value = Vec<RequestSpec>> {
    let after = prop_oneof![3 => Just(0), 2 => 1..400_u64, 1 => 400..3_000_u64];
    let status = prop_oneof![4 => Just(200), 1 => Just(304), 1 => Just(206)];
    let spec = (after, 0..3_u8, 0..4_u32, prop_oneof![2 => Just(15_u8), 1 => 0..16_u8], status);
    let spec = spec.prop_map(|(after_ms, key, cost, mask, status)| RequestSpec {
        after_ms,
        key,
        cost,
        mask,
        status,
    });
    prop::collection::vec(spec, 1..60)
}

impl PolicySpec {
    fn quota(&self) -> Quota {
        let quota = Quota::new(self.permits, secs(self.secs)).unwrap();
        if matches!(self.kind, Kind::Window) { quota } else { quota.with_burst(self.burst) }
    }

    fn announced(&self, name: &str) -> Announced {
        let announced = Announced::new(Name::new(name).unwrap(), self.quota());
        let is_window = matches!(self.kind, Kind::Window);
        if is_window { announced.refill(Refill::AtOnce) } else { announced }
    }

    fn build(&self, i: usize, clock: &Arc<ManualClock>) -> Policy {
        let policy = match self.kind {
            Kind::Bucket => bucket(self.quota(), clock),
            Kind::Window => window(self.quota(), clock),
            Kind::Keyed => keyed(self.quota(), clock),
        };
        let number = |parts: &http::request::Parts, name| -> u32 {
            parts.headers[name].to_str().unwrap().parse().unwrap()
        };
        let extra = self.extra;
        let mut policy = policy.named(NAMES[i]).cost(move |parts| number(parts, "x-cost") + extra);
        policy = policy.only_if(move |parts| number(parts, "x-mask") >> i & 1 == 1);
        if self.is_shadow {
            policy = policy.shadow();
        }
        if self.refunds {
            policy = policy.refund_on([StatusCode::NOT_MODIFIED]);
        }
        if self.corrects {
            policy = policy.true_cost(|response| {
                (response.status == StatusCode::PARTIAL_CONTENT).then_some(TRUE_COST)
            });
        }
        policy
    }
}

/// A limiter of the model's own.
enum Plain {
    One(Box<dyn LimitN>),
    Keyed(Arc<Keys>),
}

impl Plain {
    fn new(spec: &PolicySpec, clock: &Arc<ManualClock>) -> Self {
        let clock_too = Arc::clone(clock);
        match spec.kind {
            Kind::Bucket => {
                Self::One(Box::new(Limiter::token_bucket(spec.quota()).with_clock(clock_too)))
            }
            Kind::Window => {
                Self::One(Box::new(Limiter::fixed_window(spec.quota()).with_clock(clock_too)))
            }
            Kind::Keyed => Self::Keyed(keys(spec.quota(), clock)),
        }
    }

    fn with<R>(&self, key: &str, act: impl FnOnce(&dyn LimitN) -> R) -> R {
        match self {
            Self::One(limit) => act(&**limit),
            Self::Keyed(keys) => act(&keys.key(key.as_bytes())),
        }
    }
}

/// What the answer is to say.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// What is left at each policy that holds.
    Admitted(Vec<(&'static str, u32)>),
    /// Who denies, and after how many seconds nobody would.
    Denied(Vec<&'static str>, Option<u64>),
}

struct Model {
    specs: Vec<PolicySpec>,
    limits: Vec<Plain>,
    announced: Vec<Announced>,
    clock: Arc<ManualClock>,
}

impl Model {
    fn decide(&self, request: &RequestSpec) -> Verdict {
        let key = request.key.to_string();
        let asked: Vec<_> = (0..self.specs.len()).filter(|i| request.mask >> i & 1 == 1).collect();
        let cost = |i: usize| request.cost + self.specs[i].extra;
        let (mut denies, mut waits) = (Vec::new(), Vec::new());
        for &i in asked.iter().filter(|&&i| !self.specs[i].is_shadow) {
            let denied = self.limits[i].with(&key, |limit| {
                (limit.peek().remaining() < cost(i)).then(|| limit.check_n(cost(i)).unwrap_err())
            });
            if let Some(denied) = denied {
                denies.push(NAMES[i]);
                waits.push(denied.retry_after_secs());
            }
        }
        if !denies.is_empty() {
            let wait = waits.into_iter().collect::<Option<Vec<_>>>();
            return Verdict::Denied(denies, wait.and_then(|waits| waits.into_iter().max()));
        }
        let mut left = Vec::new();
        for &i in &asked {
            let (spec, cost) = (&self.specs[i], cost(i));
            // What returns within a microsecond is told as returned, but by a window.
            let slack = if matches!(spec.kind, Kind::Window) { 0 } else { 999 };
            let soon = self.clock.now() + Duration::from_nanos(slack);
            let remaining = self.limits[i].with(&key, |limit| match limit.check_n(cost) {
                Ok(admitted) if spec.refunds && request.status == 304 => {
                    limit.refund(&admitted);
                    limit.peek_at(soon).remaining()
                }
                Ok(admitted) if spec.corrects && request.status == 206 => {
                    limit.refund(&admitted.part(cost.saturating_sub(TRUE_COST)));
                    limit.charge(TRUE_COST.saturating_sub(cost)).unwrap();
                    limit.peek_at(soon).remaining()
                }
                Ok(admitted) => Standing::admitted(&self.announced[i], &admitted).remaining(),
                Err(_) => {
                    assert!(spec.is_shadow);
                    0
                }
            });
            if !spec.is_shadow {
                left.push((NAMES[i], remaining));
            }
        }
        Verdict::Admitted(left)
    }
}

fn verdict(answer: Answer, policies: usize) -> Verdict {
    if answer.status() == StatusCode::TOO_MANY_REQUESTS {
        let retry_after = answer.headers().get("retry-after");
        let wait = retry_after.map(|wait| wait.to_str().unwrap().parse().unwrap());
        let body = now(answer.into_body().collect()).unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let named = body["violated-policies"].as_array().unwrap();
        let is_named = |name: &&str| named.iter().any(|named| named == *name);
        return Verdict::Denied(NAMES.into_iter().filter(is_named).collect(), wait);
    }
    let limits = casgate_tower::fields::read(answer.headers());
    let mut left = Vec::new();
    for name in &NAMES[..policies] {
        left.extend(
            limits
                .iter()
                .find(|limit| limit.name == *name)
                .map(|limit| (*name, limit.remaining as u32)),
        );
    }
    Verdict::Admitted(left)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    /// Each request is admitted by all policies or charged to none, as if one had peeked at plain limiters and charged them
    /// in their order.
    #[test]
    fn a_stack_decides_as_its_limiters_do(specs in policies(), requests in requests()) {
        let clock = clock();
        clock.set(Timestamp::from_secs(1_000));
        let policies = specs.iter().enumerate().map(|(i, spec)| spec.build(i, &clock));
        let layer = RateLimitLayer::all(policies).problem_type(ProblemType::QuotaExceeded);
        let inner = Served::default();
        let service = layer.layer(inner.clone());
        let limits = specs.iter().map(|spec| Plain::new(spec, &clock)).collect();
        let announced = specs.iter().zip(NAMES).map(|(spec, name)| spec.announced(name)).collect();
        let model = Model { specs, limits, announced, clock: Arc::clone(&clock) };
        let mut served = 0;
        for (i, spec) in requests.iter().enumerate() {
            clock.advance(Duration::from_millis(spec.after_ms));
            *inner.status.lock().unwrap() = StatusCode::from_u16(spec.status).unwrap();
            let request = Request::builder()
                .header("x-key", spec.key.to_string())
                .header("x-cost", spec.cost)
                .header("x-mask", u16::from(spec.mask))
                .body(())
                .unwrap();
            let again = request.clone();
            let expected = model.decide(spec);
            served += usize::from(matches!(expected, Verdict::Admitted(_)));
            let answered = verdict(send(&service, request), model.specs.len());
            prop_assert_eq!(&answered, &expected, "request {}", i);
            prop_assert_eq!(inner.calls(), served);
            if i + 1 == requests.len() {
                if let Verdict::Denied(_, Some(wait)) = expected {
                    // `Retry-After` is no lie: nobody else asks meanwhile.
                    clock.advance(secs(wait));
                    prop_assert_eq!(send(&service, again).status(), spec.status);
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Call,
    Poll(usize),
    Drop(usize),
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Call),
        2 => (0..9_usize).prop_map(Step::Poll),
        1 => (0..9_usize).prop_map(Step::Drop),
        2 => (1..2_000_u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    /// Whatever requests do in one or two lines: other policies are charged for those that were served and those that
    /// wait, and for no others.
    #[test]
    fn others_are_charged_for_the_served_and_the_waiting(
        queues in 1..=2_usize,
        patience in 0..4_u64,
        most in 0..4_usize,
        steps in steps(),
    ) {
        let clock = clock();
        let (day, second) = (Quota::per_day(1_000), Quota::per_second(1).with_burst(2));
        let window = KeyedLimiter::fixed_window(day, 100).with_clock(Arc::clone(&clock));
        let before = Arc::new(window);
        let after = Arc::new(Limiter::fixed_window(day).with_clock(Arc::clone(&clock)));
        let lines = (0..queues).map(|i| {
            let queue = line(second, &clock).most_waiting(most);
            Policy::over_queue(queue, second, secs(patience)).named(["first", "second"][i])
        });
        let first = Policy::over_keyed(Arc::clone(&before), day, by_header()).named("before");
        let last = Policy::over(Arc::clone(&after), day).named("after");
        let all = [first].into_iter().chain(lines).chain([last]);
        let inner = Served::default();
        let mut service = RateLimitLayer::all(all).layer(inner.clone());
        let mut waiting = Vec::new();
        for step in steps {
            match step {
                Step::Call => waiting.push(Box::pin(service.call(request("a")))),
                Step::Poll(i) if i < waiting.len() => {
                    if poll(&mut waiting[i]).is_ready() {
                        drop(waiting.remove(i));
                    }
                }
                Step::Drop(i) if i < waiting.len() => drop(waiting.remove(i)),
                Step::Poll(_) | Step::Drop(_) => {}
                Step::Advance(ms) => clock.advance(Duration::from_millis(ms)),
            }
            // Those that were answered at once are here until they are polled.
            waiting.retain_mut(|future| poll(future).is_pending());
            let held = (inner.calls() + waiting.len()) as u32;
            prop_assert_eq!(after.peek().remaining(), 1_000 - held);
            prop_assert_eq!(before.peek(b"a".as_slice()).remaining(), 1_000 - held);
        }
    }
}
