//! Sentences of the documentation, each with the case that once broke it.

use super::*;
use casgate::FixedWindow;
use casgate_tower::MissingKey;
use casgate_tower::config::{Config, Keys as ConfigKeys, Policies, Problem};
use casgate_tower::fields::{Fields, ProblemType};
use http_body_util::BodyExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn text(answer: Answer) -> String {
    let bytes = now(answer.into_body().collect()).unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn config(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

fn problem(text: &str) -> Option<Problem> {
    Policies::new(config(text), ConfigKeys::new()).err().map(|error| error.problem().clone())
}

/// `Policy::shadow`: "Denies nobody: … pass, also without a key."
#[test]
fn a_policy_in_shadow_passes_requests_without_a_key() {
    let layer = RateLimitLayer::new(keyed(Quota::per_hour(1), &clock()).shadow());
    assert_eq!(status(&around(&layer), keyless()), 200);
}

/// `Observer::waited`: "Is told that such a wait has ended." Also if another queue then denies.
#[test]
fn each_wait_is_ended_by_an_event_when_the_second_queue_denies() {
    let (clock, told) = (clock(), Told::default());
    let quota = Quota::per_second(1).with_burst(1);
    let second = Arc::new(line(quota, &clock).most_waiting(0));
    let layer = RateLimitLayer::all([
        Policy::over_queue(line(quota, &clock), quota, secs(9)).named("first"),
        Policy::over_queue(Arc::clone(&second), quota, secs(9)).named("second"),
    ]);
    let mut service = around(&layer.observer(told.clone()));
    assert_eq!(status(&service, request("a")), 200);
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    clock.advance(secs(1));
    assert!(second.limiter().is_allowed());
    told.take();
    assert!(poll(&mut waiting).is_ready());
    assert_eq!(told.take(), [waited("first"), is("second", Outcome::QueueFull)]);
}

/// `Observer::waited`, as above: the request is dropped while it waits in the second queue.
#[test]
fn each_wait_is_ended_by_an_event_when_the_second_wait_is_dropped() {
    let (clock, told) = (clock(), Told::default());
    let quota = Quota::per_second(1).with_burst(1);
    let second = Arc::new(line(quota, &clock));
    let layer = RateLimitLayer::all([
        Policy::over_queue(line(quota, &clock), quota, secs(9)).named("first"),
        Policy::over_queue(Arc::clone(&second), quota, secs(9)).named("second"),
    ]);
    let mut service = around(&layer.observer(told.clone()));
    assert_eq!(status(&service, request("a")), 200);
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    clock.advance(secs(1));
    assert!(second.limiter().is_allowed());
    assert!(poll(&mut waiting).is_pending());
    drop(waiting);
    let cancelled = is("second", Outcome::Cancelled);
    let expected = [waits("first"), waited("first"), waits("second"), waited("second"), cancelled];
    assert_eq!(told.take()[2..], expected);
}

/// Panics when it is told that a request was dropped.
struct Brittle;

impl Observer for Brittle {
    fn observe(&self, event: &Event<'_>) {
        assert_ne!(event.outcome(), Outcome::Cancelled);
    }
}

/// `ResponseFuture`: "Dropped while the request waits in line, it gives everything back that was charged."
#[test]
fn a_dropped_request_gives_back_what_others_charged_even_if_the_observer_panics() {
    let clock = clock();
    let quota = Quota::per_second(1).with_burst(1);
    let others = bucket_limiter(Quota::per_hour(5), &clock);
    let queue = Policy::over_queue(line(quota, &clock), quota, secs(9)).named("queue");
    let layer = RateLimitLayer::all([Policy::over(Arc::clone(&others), Quota::per_hour(5)), queue]);
    let mut service = around(&layer.observer(Brittle));
    assert_eq!(status(&service, request("a")), 200);
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(others.peek().remaining(), 3);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(waiting))).is_err());
    assert_eq!(others.peek().remaining(), 4);
}

/// `observe`: "the policies that deny a request tell of it, and the others do not".
#[test]
fn a_denied_request_is_not_told_to_have_passed_as_exempt() {
    let (clock, told) = (clock(), Told::default());
    let layer = RateLimitLayer::all([
        bucket(Quota::per_hour(1), &clock).named("exempts").exempt(|_| true),
        bucket(Quota::per_hour(1), &clock).named("denies"),
    ]);
    let service = around(&layer.observer(told.clone()));
    assert_eq!(status(&service, request("a")), 200);
    told.take();
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!(told.take(), [is("denies", Outcome::Denied)]);
}

/// `ResponseFuture::poll` panics "if it is polled after it was ready", and refunds nothing again: here around a service
/// whose future is ready each time.
#[test]
fn a_response_is_settled_once() {
    let clock = clock();
    let quota = Quota::per_hour(9);
    let limiter = bucket_limiter(quota, &clock);
    let policy = Policy::over(Arc::clone(&limiter), quota).refund_on([StatusCode::OK]);
    let mut service = RateLimitLayer::new(policy).layer(tower::service_fn(|_: Request<()>| {
        std::future::poll_fn(|_| {
            Poll::Ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
        })
    }));
    assert!(limiter.check_n(5).is_ok());
    let mut response = Box::pin(service.call(request("a")));
    assert!(poll(&mut response).is_ready());
    let _ = catch_unwind(AssertUnwindSafe(|| poll(&mut response)));
    assert_eq!(limiter.peek().remaining(), 4);
}

/// `Policy::tiers`: "A tier that the limiter does not have counts as tier 0." Also in the fields.
#[test]
fn a_tier_that_the_limiter_does_not_have_is_told_as_tier_0() {
    let policy = keyed(Quota::per_hour(5), &clock()).tiers([Quota::per_hour(500)], |_| 1);
    let answer = send(&around(&RateLimitLayer::new(policy)), request("a"));
    assert_eq!(answer.headers()["ratelimit"], r#""default";r=4;t=2880"#);
    assert_eq!(answer.headers()["ratelimit-policy"], r#""default";q=5;w=3600"#);
}

/// `Policy::true_cost`: "A window takes back what was too much as long as it lasts".
#[test]
fn a_true_cost_refunds_nothing_to_the_next_window() {
    let clock = clock();
    let quota = Quota::per_minute(10);
    let limiter = Arc::new(Limiter::fixed_window(quota).with_clock(Arc::clone(&clock)));
    let limiter: Arc<Limiter<FixedWindow, _>> = limiter;
    let policy = Policy::over(Arc::clone(&limiter), quota).cost(|_| 8).true_cost(|_| Some(1));
    let mut service = around(&RateLimitLayer::new(policy));
    let answer = service.call(request("a"));
    clock.advance(secs(60));
    let in_next = limiter.take_up_to(100);
    assert!(now(answer).is_ok());
    assert_eq!(in_next + limiter.take_up_to(100), 10);
}

/// `MissingKey::Shared`: "All such requests are one key." No client can choose it.
#[test]
fn the_key_of_requests_without_a_key_is_nobodys() {
    let clock = clock();
    let name = KeyBy::borrowed(|parts| parts.headers.get("x-key")?.to_str().ok());
    let policy = Policy::over_keyed(keys(Quota::per_hour(1), &clock), Quota::per_hour(1), name);
    let service = around(&RateLimitLayer::new(policy.missing_key(MissingKey::Shared)));
    assert_eq!(status(&service, request("requests without a key")), 200);
    assert_eq!(status(&service, keyless()), 200);
}

/// `Problem::Cost`: "A cost of more permits than there ever are together."
#[test]
fn a_cost_above_a_windows_permits_is_an_error() {
    let text = r#"
        [[policies]]
        name = "window"
        quota = "10/min"
        algorithm = "fixed_window"
        cost = 15
    "#;
    assert!(matches!(problem(text), Some(Problem::Cost(_))));
}

/// `Problem::Burst`: "A burst of a fixed window, which has none."
#[test]
fn a_burst_of_a_window_is_an_error() {
    let text = r#"
        [[policies]]
        name = "window"
        quota = "10/min burst 20"
        algorithm = "fixed_window"
    "#;
    assert!(problem(text).is_some());
}

/// `Problem::Cost`: not of a cost that fits.
#[test]
fn a_cost_that_fits_a_window_is_none_that_never_fits() {
    let text = r#"
        [[policies]]
        name = "window"
        quota = "10/min burst 2"
        algorithm = "fixed_window"
        cost = 5
    "#;
    assert_ne!(problem(text), Some(Problem::Cost(5)));
}

/// `PolicyConfig::paths`: "in the syntax of axum's routes". A misspelt path lifts no limit.
#[test]
fn a_path_that_axum_rejects_is_an_error() {
    for path in ["upload", "", "/users/:id", "/files/*name"] {
        let text =
            format!("[[policies]]\nname = \"uploads\"\nquota = \"20/h\"\npaths = [\"{path}\"]\n");
        assert!(matches!(problem(&text), Some(Problem::Path(..))), "{path:?}");
    }
}

/// `config`: "One whose key, algorithm and capacity are the same keeps its limiter". The section `client` is not part of it
/// where the program replaces that key.
#[test]
fn a_replaced_client_key_keeps_its_limiter() {
    let text = "
        [[policies]]
        name = \"a\"
        quota = \"1/d\"
        key = \"client\"
    ";
    let keys = ConfigKeys::new().with("client", by_header());
    let policies = Policies::new(config(text), keys).unwrap();
    let service = around(&policies.layer());
    assert_eq!(status(&service, request("a")), 200);
    policies.reload(config(&format!("[client]\nipv6_prefix = 56\n{text}"))).unwrap();
    assert_eq!(status(&service, request("a")), 429);
}

/// `RateLimitLayer::all`: "Of queues … it names the first that denies."
#[test]
fn the_answer_names_the_first_queue_that_denies() {
    let clock = clock();
    let (short, long) = (Quota::per_minute(6).with_burst(1), Quota::per_minute(1).with_burst(1));
    let layer = RateLimitLayer::all([
        Policy::over_queue(line(short, &clock), short, secs(1)).named("short"),
        Policy::over_queue(line(long, &clock), long, secs(1)).named("long"),
    ]);
    let service = around(&layer.problem_type(ProblemType::QuotaExceeded));
    assert_eq!(status(&service, request("a")), 200);
    let answer = send(&service, request("a"));
    assert_eq!(answer.headers()["retry-after"], "9");
    assert!(text(answer).contains(r#"["short"]"#));
}

/// `Event::key_hash`: "as long as the policy has its limiter: the same for the same key". So a new quota leaves it.
#[test]
fn a_key_has_one_hash_as_long_as_its_limiter() {
    #[derive(Clone, Default)]
    struct Hashes(Arc<Mutex<Vec<u64>>>);
    impl Observer for Hashes {
        fn observe(&self, event: &Event<'_>) {
            self.0.lock().unwrap().extend(event.key_hash());
        }
    }
    let text = "[[policies]]\nname = \"a\"\nquota = \"9/d\"\nkey = \"header:x-key\"\n";
    let policies = Policies::new(config(text), ConfigKeys::new()).unwrap();
    let hashes = Hashes::default();
    let service = around(&policies.layer().observer(hashes.clone()));
    send(&service, request("a"));
    policies.reload(config(&text.replace("9/d", "8/d"))).unwrap();
    send(&service, request("a"));
    let hashes = hashes.0.lock().unwrap();
    assert_eq!(hashes[0], hashes[1]);
}

/// `Late`: "After how long another one could succeed": not the time until the whole burst is back.
#[test]
fn a_full_queue_tells_when_another_request_could_succeed() {
    let clock = clock();
    let quota = Quota::per_second(1).with_burst(100);
    let queue = line(quota, &clock).most_waiting(0);
    assert!(queue.limiter().check_n(100).is_ok());
    let layer = RateLimitLayer::new(Policy::over_queue(queue, quota, secs(5)));
    let answer = send(&around(&layer), request("a"));
    assert_eq!(answer.headers()["retry-after"], "1");
}

/// `Fields::LEGACY`: `Reset` "is the seconds from now until the limiter is full again". Also from a queue.
#[test]
fn the_legacy_reset_of_a_queue_is_until_it_is_full() {
    let clock = clock();
    let quota = Quota::per_second(1).with_burst(10);
    let queue = line(quota, &clock);
    assert!(queue.limiter().check_n(10).is_ok());
    let layer = RateLimitLayer::new(Policy::over_queue(queue, quota, Duration::ZERO));
    let answer = send(&around(&layer.fields(Fields::LEGACY)), request("a"));
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "0");
    assert_eq!(answer.headers()["x-ratelimit-reset"], "10");
}

/// `Standing::remaining`: "the permits left". Also from a queue.
#[test]
fn a_denial_of_a_queue_tells_the_permits_that_are_left() {
    let quota = Quota::per_second(1).with_burst(2);
    let queue = line(quota, &clock());
    assert!(queue.limiter().is_allowed());
    let policy = Policy::over_queue(queue, quota, Duration::ZERO).cost(|_| 2);
    let answer = send(&around(&RateLimitLayer::new(policy)), request("a"));
    assert_eq!(answer.headers()["ratelimit"], r#""default";r=1;t=1"#);
}

/// A closed queue does not know when to come back, which is not the same as never.
#[test]
fn a_closed_queue_does_not_say_that_a_request_can_never_fit() {
    let quota = Quota::per_second(1);
    let queue = line(quota, &clock());
    queue.close();
    let layer = RateLimitLayer::new(Policy::over_queue(queue, quota, secs(5)));
    let mut grpc = request("a");
    grpc.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let answer = send(&around(&layer), grpc);
    assert_eq!(answer.headers()["grpc-status"], "8");
    assert_eq!(answer.headers()["grpc-message"], "rate limit exceeded");
}

/// `RateLimitLayer`: "a layer that admits a request, or answers it". Also with the largest burst that a quota can have.
#[test]
fn the_largest_burst_does_not_panic() {
    let quota = Quota::per_second(1_000_000).with_burst(u32::MAX);
    let policy = bucket(quota, &clock()).cost(|_| 0);
    assert_eq!(status(&around(&RateLimitLayer::new(policy)), request("a")), 200);
}

/// `Passage`: "Dropped before it has passed, it gives everything back: the request was not served."
#[test]
fn a_request_that_an_observer_stops_is_charged_nothing() {
    struct Panics;
    impl Observer for Panics {
        fn observe(&self, _: &Event<'_>) {
            panic!("told");
        }
    }
    let limiter = bucket_limiter(Quota::per_hour(5), &clock());
    let policy = Policy::over(Arc::clone(&limiter), Quota::per_hour(5));
    let inner = Served::default();
    let mut service = RateLimitLayer::new(policy).observer(Panics).layer(inner.clone());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(request("a"))))).is_err());
    assert_eq!((inner.calls(), limiter.peek().remaining()), (0, 5));
}

/// `RateLimitLayer`: "Its response settles refunds and true costs, and gets the fields", in this order.
#[test]
fn the_fields_tell_what_is_left_after_the_true_cost() {
    let policy = bucket(Quota::per_hour(10), &clock()).true_cost(|_| Some(8));
    let answer = send(&around(&RateLimitLayer::new(policy)), request("a"));
    assert_eq!(answer.headers()["ratelimit"].to_str().unwrap().split(';').nth(1), Some("r=2"));
}

/// `SetQuotaError`: no cost that never fits, and no burst of a window.
#[test]
fn a_quota_that_a_windows_cost_never_fits_is_not_set() {
    let text = r#"
        [[policies]]
        name = "window"
        quota = "10/min"
        algorithm = "fixed_window"
        cost = 5
    "#;
    let policies = Policies::new(config(text), ConfigKeys::new()).unwrap();
    assert!(policies.set_quota("window", "4/min burst 9".parse().unwrap()).is_err());
}

/// `Policy::tiers`: "Decides by a tier of the keyed limiter, such as a customer's plan." Also one without a limit.
#[test]
fn a_tier_without_a_limit_can_be_told() {
    let quota = Quota::per_hour(5);
    let limiter = KeyedLimiter::token_bucket(quota, 100)
        .with_tiers([casgate::Allowance::Unlimited])
        .with_clock(clock());
    let policy = Policy::over_keyed(limiter, quota, by_header()).tiers([], |_| 1);
    let service = around(&RateLimitLayer::new(policy));
    for _ in 0..9 {
        let answer = send(&service, request("a"));
        assert!(!answer.headers()["ratelimit"].to_str().unwrap().contains(";r=0;"));
    }
}
