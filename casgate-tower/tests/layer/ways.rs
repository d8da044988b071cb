//! The short ways through the layer do what the long ones do.

use super::*;
use casgate::FixedWindow;
use casgate_tower::MissingKey;
use casgate_tower::fields::Fields;
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

/// The limiter of one way, whose permits a test can count.
enum Limiting {
    Bucket(Arc<Bucket>),
    Window(Arc<Limiter<FixedWindow, Arc<ManualClock>>>),
    Keys(Arc<Keys>),
}

const QUOTA: Quota = Quota::per_minute(4);

impl Limiting {
    fn new(kind: u8, clock: &Arc<ManualClock>) -> Self {
        let with = Arc::clone(clock);
        match kind {
            0 => Self::Bucket(bucket_limiter(QUOTA, clock)),
            1 => Self::Window(Arc::new(Limiter::fixed_window(QUOTA).with_clock(with))),
            2 => Self::Keys(keys(QUOTA, clock)),
            _ => Self::Keys(Arc::new(KeyedLimiter::fixed_window(QUOTA, 100).with_clock(with))),
        }
    }

    fn policy(&self) -> Policy {
        match self {
            Self::Bucket(limiter) => Policy::over(Arc::clone(limiter), QUOTA),
            Self::Window(limiter) => {
                Policy::over(Arc::clone(limiter), QUOTA).refill(Refill::AtOnce)
            }
            Self::Keys(limiter) => {
                Policy::over_keyed(Arc::clone(limiter), QUOTA, by_header()).refill(Refill::AtOnce)
            }
        }
    }

    fn left(&self) -> [u32; 3] {
        match self {
            Self::Bucket(limiter) => [limiter.peek().remaining(); 3],
            Self::Window(limiter) => [limiter.peek().remaining(); 3],
            Self::Keys(keys) => ["0", "1", "2"].map(|key| keys.peek(key.as_bytes()).remaining()),
        }
    }
}

fn missing_keys() -> impl Strategy<Value = MissingKey> {
    prop_oneof![Just(MissingKey::default()), Just(MissingKey::Shared), Just(MissingKey::Exempt),]
}

/// The key, the status of the service, and how many seconds after the one before.
fn requests() -> impl Strategy<Value = Vec<(Option<u8>, u16, u64)>> {
    let key = prop::option::weighted(0.8, 0..3_u8);
    let status = prop_oneof![Just(200), Just(304), Just(206)];
    let after = prop_oneof![2 => Just(0), 1 => 0..40_u64];
    prop::collection::vec((key, status, after), 1..40)
}

fn numbered(key: Option<u8>) -> Request<()> {
    key.map_or_else(keyless, |key| request(&key.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    /// A single policy without a test is decided in one step, and a layer without fields computes no numbers.
    /// Neither changes an answer, what an observer is told, or a permit.
    #[test]
    fn every_way_decides_the_same(
        kind in 0..4_u8,
        missing_key in missing_keys(),
        settles in any::<bool>(),
        requests in requests(),
    ) {
        let clock = clock();
        let inner = Served::default();
        let ways: Vec<_> = [(true, true), (true, false), (false, true), (false, false)]
            .into_iter()
            .map(|(is_short, has_fields)| {
                let (limiting, told) = (Limiting::new(kind, &clock), Told::default());
                let mut policy = limiting.policy().missing_key(missing_key);
                if settles {
                    policy = policy.refund_on([StatusCode::NOT_MODIFIED]).true_cost(|response| {
                        (response.status == StatusCode::PARTIAL_CONTENT).then_some(2)
                    });
                }
                if !is_short {
                    policy = policy.only_if(|_| true);
                }
                let mut layer = RateLimitLayer::new(policy);
                if !has_fields {
                    layer = layer.fields_when_admitted(Fields::NONE);
                }
                (layer.observer(told.clone()).layer(inner.clone()), limiting, told)
            })
            .collect();
        for (i, (key, status, after)) in requests.into_iter().enumerate() {
            clock.advance(secs(after));
            *inner.status.lock().unwrap() = StatusCode::from_u16(status).unwrap();
            let seen = ways.iter().map(|(service, limiting, told)| {
                let answer = send(service, numbered(key));
                let is_served = answer.status().as_u16() == status;
                let fields = (!is_served).then(|| answer.headers().clone());
                ((answer.status(), fields, limiting.left(), told.take()), answer.headers().clone())
            });
            let seen: Vec<_> = seen.collect();
            for (other, _) in &seen[1..] {
                prop_assert_eq!(other, &seen[0].0, "request {}", i);
            }
            prop_assert_eq!(&seen[0].1, &seen[2].1, "the fields of request {}", i);
        }
    }
}

/// What a service's future does: so many polls until it is ready, and then this.
#[derive(Clone, Copy, Debug)]
struct Does {
    polls: u8,
    /// An error instead of a response.
    status: Option<u16>,
}

/// Counts the futures that are alive, and panics if it is polled after it was ready.
struct Slow {
    does: Does,
    is_ready: bool,
    alive: Arc<AtomicUsize>,
}

impl Future for Slow {
    type Output = Result<Response<Full<Bytes>>, &'static str>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.is_ready, "the service's future is polled after it was ready");
        if let Some(polls) = self.does.polls.checked_sub(1) {
            self.does.polls = polls;
            return Poll::Pending;
        }
        self.is_ready = true;
        Poll::Ready(match self.does.status {
            Some(status) => {
                let mut response = Response::new(Full::from("served"));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                Ok(response)
            }
            None => Err("fails"),
        })
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Call(Does),
    Poll(usize),
    Drop(usize),
    Advance,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let status = prop_oneof![3 => Just(Some(200)), 1 => Just(Some(304)), 1 => Just(Some(206)), 1 => Just(None)];
    let does = (0..3_u8, status).prop_map(|(polls, status)| Does { polls, status });
    let step = prop_oneof![
        4 => does.prop_map(Step::Call),
        6 => (0..9_usize).prop_map(Step::Poll),
        1 => (0..9_usize).prop_map(Step::Drop),
        2 => Just(Step::Advance),
    ];
    prop::collection::vec(step, 1..80)
}

/// A call that is not over, and what the service does for it.
struct Open<F> {
    future: Pin<Box<F>>,
    does: Does,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    /// Whatever polls and drops come: a policy is charged for requests that were served, are served or wait, and
    /// corrected once by the response. A future that was ready is over.
    #[test]
    fn a_response_is_settled_once_whatever_the_polls(
        (queued, settles, fields, shadow) in any::<(bool, bool, bool, bool)>(),
        steps in steps(),
    ) {
        let clock = clock();
        let day = Quota::per_day(10_000);
        // A window, so that nothing returns meanwhile.
        let limiter = Arc::new(Limiter::fixed_window(day).with_clock(Arc::clone(&clock)));
        let mut policies = vec![Policy::over(Arc::clone(&limiter), day).named("counted").cost(|_| 4)];
        if settles {
            policies[0] = policies[0].clone().refund_on([StatusCode::NOT_MODIFIED]).true_cost(|response| {
                (response.status == StatusCode::PARTIAL_CONTENT).then_some(7)
            });
        }
        if shadow {
            policies.push(bucket(Quota::per_hour(3), &clock).named("shadow").shadow());
        }
        if queued {
            let second = Quota::per_second(1).with_burst(2);
            policies.push(Policy::over_queue(line(second, &clock), second, secs(3)).named("queue"));
        }
        let mut layer = RateLimitLayer::all(policies);
        if !fields {
            layer = layer.fields(Fields::NONE);
        }
        let alive = Arc::new(AtomicUsize::new(0));
        let mut service = layer.layer(tower::service_fn({
            let alive = Arc::clone(&alive);
            move |request: Request<()>| {
                alive.fetch_add(1, Ordering::Relaxed);
                let does = *request.extensions().get::<Does>().unwrap();
                Slow { does, is_ready: false, alive: Arc::clone(&alive) }
            }
        }));
        // What requests have cost that are over, or were dropped while they were served.
        let mut spent = 0;
        let mut open: Vec<Open<_>> = Vec::new();
        for step in steps {
            match step {
                Step::Call(does) => {
                    let mut request = keyless();
                    request.extensions_mut().insert(does);
                    open.push(Open { future: Box::pin(service.call(request)), does });
                }
                Step::Poll(i) if i < open.len() => {
                    let Poll::Ready(answer) = poll(&mut open[i].future) else { continue };
                    let over = open.remove(i);
                    let mut future = over.future;
                    spent += match answer.map(|answer| answer.status().as_u16()) {
                        Ok(429) => 0,
                        Ok(304) if settles => 0,
                        Ok(206) if settles => 7,
                        answer => {
                            prop_assert_eq!(answer.ok(), over.does.status);
                            4
                        }
                    };
                    // By the layer: the service's future would say something else.
                    let again = catch_unwind(AssertUnwindSafe(|| poll(&mut future).is_ready()));
                    let says = again.unwrap_err();
                    let says = says.downcast_ref::<String>().map_or_else(
                        || *says.downcast_ref::<&str>().unwrap(),
                        String::as_str,
                    );
                    prop_assert_eq!(says, "polled after it was ready");
                }
                Step::Drop(i) if i < open.len() => {
                    let before = alive.load(Ordering::Relaxed);
                    drop(open.remove(i));
                    // A request that was being served keeps its charge.
                    spent += 4 * (before - alive.load(Ordering::Relaxed)) as u32;
                }
                Step::Poll(_) | Step::Drop(_) => {}
                Step::Advance => clock.advance(secs(1)),
            }
            let held = 10_000 - limiter.peek().remaining();
            let held_open = (held - spent) / 4;
            prop_assert_eq!((held - spent) % 4, 0);
            prop_assert!(held_open as usize <= open.len());
            prop_assert!(held_open as usize >= alive.load(Ordering::Relaxed));
        }
        drop(open);
        prop_assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}
