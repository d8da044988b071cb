//! Sentences of the documentation that do not hold. Each test fails, and says which sentence it contradicts.

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

/// FAILS. `Policy::shadow`: "Denies nobody: requests are decided and charged as if the policy held, and pass." A
/// request without a key is answered with 500.
#[test]
fn a_policy_in_shadow_passes_requests_without_a_key() {
    let layer = RateLimitLayer::new(keyed(Quota::per_hour(1), &clock()).shadow());
    assert_eq!(status(&around(&layer), keyless()), 200);
}

/// FAILS. `Observer::waits`: "The `Event` that follows ends the wait". In a stack of two queues the first wait ends
/// without an event if the second queue denies, so a gauge of those who wait never goes down again.
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
    let told = told.take();
    assert!(told.contains(&is("second", Outcome::QueueFull)), "{told:?}");
    let ends = told.iter().filter(|fact| matches!(fact, Fact::Is(name, _) if name == "first"));
    assert_eq!(ends.count(), 1, "{told:?}");
}

/// FAILS. `Observer::waits`, as above: the request is dropped while it waits in the second queue.
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
    let told = told.take();
    assert_eq!(told[2..4], [waits("first"), waits("second")]);
    let ends = told[4..].iter().filter(|fact| matches!(fact, Fact::Is(..)));
    assert_eq!(ends.count(), 2, "{told:?}");
}

/// Panics when it is told that a request was dropped.
struct Brittle;

impl Observer for Brittle {
    fn observe(&self, event: &Event<'_>) {
        assert_ne!(event.outcome(), Outcome::Cancelled);
    }
}

/// FAILS. `ResponseFuture`: "Dropped while the request waits in line, it gives everything back that was charged." If
/// the observer panics, nothing is given back: it is told first.
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

/// FAILS. `observe`: "In a stack those that deny are told; the others are told nothing", and `Exempt` "passed
/// uncharged". A policy that exempts a request tells that it passed, although another one denies it.
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

/// FAILS. `ResponseFuture::poll`: it panics "if it is polled after it was ready". Around a service whose future is
/// ready each time it does not, and refunds the request each time.
#[test]
fn a_response_is_settled_once() {
    let clock = clock();
    let quota = Quota::per_hour(9);
    let limiter = bucket_limiter(quota, &clock);
    let policy = Policy::over(Arc::clone(&limiter), quota).refund_on([StatusCode::OK]);
    let mut service = RateLimitLayer::new(policy).layer(tower::service_fn(|_: Request<()>| {
        std::future::poll_fn(|_| Poll::Ready(Ok::<_, Infallible>(Response::new(String::new()))))
    }));
    assert!(limiter.check_n(5).is_ok());
    let mut response = Box::pin(service.call(request("a")));
    assert!(poll(&mut response).is_ready());
    let _ = catch_unwind(AssertUnwindSafe(|| poll(&mut response)));
    assert_eq!(limiter.peek().remaining(), 4);
}

/// FAILS. `Policy::tiers`: "A tier that the limiter does not have counts as tier 0." The limiter decides so, but
/// clients are told the quota of the tier that does not exist.
#[test]
fn a_tier_that_the_limiter_does_not_have_is_told_as_tier_0() {
    let policy = keyed(Quota::per_hour(5), &clock()).tiers([Quota::per_hour(500)], |_| 1);
    let answer = send(&around(&RateLimitLayer::new(policy)), request("a"));
    assert_eq!(answer.headers()["ratelimit"], r#""default";r=4;t=2880"#);
    assert_eq!(answer.headers()["ratelimit-policy"], r#""default";q=5;w=3600"#);
}

/// FAILS. `Policy::true_cost`: "what was too much is refunded". Where the limiter is a window and the response comes in
/// the next one, it is refunded to that one, which then admits more than its quota. `refund_on` gives nothing back.
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

/// FAILS. `Policy::true_cost`: "Corrects the charge when the response tells the true cost". If the key has a higher
/// tier by then, the correction takes it back to the tier of the request, and forgets what it has spent since.
#[test]
fn a_true_cost_forgets_nothing_that_a_higher_tier_has_spent() {
    let clock = clock();
    let (free, paid) = (Quota::per_hour(10), Quota::per_hour(1_000));
    let limiter =
        KeyedLimiter::token_bucket(free, 100).with_tiers([paid]).with_clock(Arc::clone(&clock));
    let limiter = Arc::new(limiter);
    let policy = Policy::over_keyed(Arc::clone(&limiter), free, by_header())
        .tiers([paid], |parts| u16::from(parts.headers.contains_key("x-paid")))
        .true_cost(|_| Some(2));
    let mut service = around(&RateLimitLayer::new(policy));
    let slow = service.call(request("a")); // before the client pays
    let key = limiter.key(b"a".as_slice()).tier(1);
    assert!(key.check_n(500).is_ok());
    let before = key.peek().remaining();
    assert!(now(slow).is_ok());
    assert!(key.peek().remaining() < before, "{} of {before}", key.peek().remaining());
}

/// FAILS. `MissingKey::Shared`: "All such requests are one key." A client can choose that key, if keys are texts, and
/// spend the limit of all requests without one.
#[test]
fn the_key_of_requests_without_a_key_is_nobodys() {
    let clock = clock();
    let name = KeyBy::borrowed(|parts| parts.headers.get("x-key")?.to_str().ok());
    let policy = Policy::over_keyed(keys(Quota::per_hour(1), &clock), Quota::per_hour(1), name);
    let service = around(&RateLimitLayer::new(policy.missing_key(MissingKey::Shared)));
    assert_eq!(status(&service, request("requests without a key")), 200);
    assert_eq!(status(&service, keyless()), 200);
}

/// FAILS. `Problem::Cost`: "a cost of more permits than there ever are together". A window has no burst, so a request
/// of 15 permits never fits in 10.
#[test]
fn a_cost_above_a_windows_permits_is_an_error() {
    let text = r#"
        [[policies]]
        name = "window"
        quota = "10/min burst 20"
        algorithm = "fixed_window"
        cost = 15
    "#;
    assert!(matches!(problem(text), Some(Problem::Cost(_))));
}

/// FAILS. `Problem::Cost`: "A burst of a fixed window" is said to be an error, and is none.
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

/// FAILS. `Problem::Cost`: with a window of 10 permits and a burst of 2, a cost of 5 always fits and is an error.
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

/// FAILS. `PolicyConfig::paths`: "in the syntax of axum's routes". There a path begins with a slash and no part of it
/// with a colon or a star; here such a path is accepted and never matches, so a misspelt path lifts the limit.
#[test]
fn a_path_that_axum_rejects_is_an_error() {
    for path in ["upload", "", "/users/:id", "/files/*name"] {
        let text =
            format!("[[policies]]\nname = \"uploads\"\nquota = \"20/h\"\npaths = [\"{path}\"]\n");
        assert!(matches!(problem(&text), Some(Problem::Path(..))), "{path:?}");
    }
}

/// FAILS. `config`: "One whose key, algorithm and capacity are the same keeps its limiter". Where the program replaces
/// the key `client`, the section `client` of the file is not part of it, and yet its change lifts what was spent.
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

/// FAILS. `RateLimitLayer::all`: "The answer names all that deny, and its `Retry-After` is the longest." Of two queues
/// that deny at once only the first is asked, and the client is told the shorter wait.
#[test]
fn the_answer_names_all_queues_that_deny() {
    let clock = clock();
    let (short, long) = (Quota::per_minute(6).with_burst(1), Quota::per_minute(1).with_burst(1));
    let layer = RateLimitLayer::all([
        Policy::over_queue(line(short, &clock), short, secs(1)).named("short"),
        Policy::over_queue(line(long, &clock), long, secs(1)).named("long"),
    ]);
    let service = around(&layer.problem_type(ProblemType::QuotaExceeded));
    assert_eq!(status(&service, request("a")), 200);
    let answer = send(&service, request("a"));
    assert_eq!(answer.headers()["retry-after"], "59");
    assert!(text(answer).contains(r#"["short","long"]"#));
}

/// FAILS. `RateLimitLayer::all`, as above: a queue that denies is not named next to another policy.
#[test]
fn the_answer_names_a_queue_that_denies_next_to_another_policy() {
    let clock = clock();
    let (short, long) = (Quota::per_minute(6).with_burst(1), Quota::per_minute(1).with_burst(1));
    let layer = RateLimitLayer::all([
        bucket(short, &clock).named("short"),
        Policy::over_queue(line(long, &clock), long, secs(1)).named("long"),
    ]);
    let service = around(&layer.problem_type(ProblemType::QuotaExceeded));
    assert_eq!(status(&service, request("a")), 200);
    let answer = send(&service, request("a"));
    assert_eq!(answer.headers()["retry-after"], "59");
    assert!(text(answer).contains(r#"["short","long"]"#));
}

/// FAILS. `RateLimitLayer::all`: "those before it are refunded: so no bound is exceeded". A request that waits in a
/// queue holds a permit that has been refilled meanwhile. Dropped, it gives it back all the same, and two requests
/// pass at one instant through a bucket with a burst of one.
#[test]
fn a_permit_that_is_given_back_after_a_wait_exceeds_no_bound() {
    let clock = clock();
    let quota = Quota::per_second(1).with_burst(1);
    let queue = line(Quota::per_hour(60).with_burst(1), &clock);
    assert!(queue.limiter().is_allowed());
    let queue = Policy::over_queue(queue, Quota::per_hour(60), secs(90)).named("queue");
    let layer = RateLimitLayer::all([
        bucket(quota, &clock),
        queue.only_if(|parts| parts.headers["x-key"] == "slow"),
    ]);
    let mut service = around(&layer);
    let mut waiting = Box::pin(service.call(request("slow")));
    assert!(poll(&mut waiting).is_pending());
    clock.advance(secs(1));
    assert_eq!(status(&service, request("fast")), 200);
    drop(waiting);
    assert_eq!(status(&service, request("fast")), 429);
}

/// FAILS. `Event::key_hash`: "the same for the same key". A reload that changes the capacity changes the number.
#[test]
fn a_key_has_one_hash_in_a_process() {
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
    policies.reload(config(&format!("{text}capacity = 5_000\n"))).unwrap();
    send(&service, request("a"));
    let hashes = hashes.0.lock().unwrap();
    assert_eq!(hashes[0], hashes[1]);
}

/// FAILS. `Late`: "after how long another one could succeed". A full queue tells the time until the whole burst is
/// back, though a permit is ready after a second.
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

/// FAILS. `Fields::LEGACY`: `Reset` "is the seconds from now until the limiter is full again". An answer from a queue
/// says 0.
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

/// FAILS. `Standing::remaining`: "the permits left". A request for two permits that a queue denies is told that none is
/// left, though there is one.
#[test]
fn a_denial_of_a_queue_tells_the_permits_that_are_left() {
    let quota = Quota::per_second(1).with_burst(2);
    let queue = line(quota, &clock());
    assert!(queue.limiter().is_allowed());
    let policy = Policy::over_queue(queue, quota, Duration::ZERO).cost(|_| 2);
    let answer = send(&around(&RateLimitLayer::new(policy)), request("a"));
    assert_eq!(answer.headers()["ratelimit"], r#""default";r=1;t=1"#);
}

/// FAILS. `Denial::retry_after` tells "no wait helps" from "none is known" to nobody: a gRPC client of a closed queue is
/// told that its request can never fit.
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

/// FAILS. `ResponseFuture`: "Dropped while the request waits in line, it gives everything back that was charged." Its
/// permit in the queue is lost if another request was settled meanwhile.
#[test]
fn a_dropped_request_gives_its_permit_back_after_another_was_settled() {
    let clock = clock();
    let quota = Quota::per_second(1).with_burst(1);
    let queue = Arc::new(line(quota, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), quota, secs(9)).true_cost(|_| Some(3));
    let mut service = around(&RateLimitLayer::new(policy));
    let first = service.call(request("a"));
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    assert!(now(first).is_ok()); // charges two more
    drop(waiting);
    // Three permits were used, which are back after three seconds.
    assert_eq!(queue.limiter().peek().reset_after(), secs(3));
}

/// FAILS. `RateLimitLayer`: "a layer that admits a request, or answers it". With the largest burst that a quota can have,
/// `Standing::admitted` overflows, and panics where overflows are checked.
#[test]
fn the_largest_burst_does_not_panic() {
    let quota = Quota::per_second(1_000_000).with_burst(u32::MAX);
    let policy = bucket(quota, &clock()).cost(|_| 0);
    assert_eq!(status(&around(&RateLimitLayer::new(policy)), request("a")), 200);
}

/// FAILS. `Passage`: "Dropped before it has passed, it gives everything back: the request was not served." An observer
/// that panics when it is told of the admission stops the request, which stays charged.
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

/// FAILS. `RateLimitLayer`: "Its response gets the fields, and settles refunds and true costs", in this order. So `r`,
/// which is "the permits left", is what was left before the true cost: here 9, and only 2 are.
#[test]
fn the_fields_tell_what_is_left_after_the_true_cost() {
    let policy = bucket(Quota::per_hour(10), &clock()).true_cost(|_| Some(8));
    let answer = send(&around(&RateLimitLayer::new(policy)), request("a"));
    assert_eq!(answer.headers()["ratelimit"].to_str().unwrap().split(';').nth(1), Some("r=2"));
}

/// FAILS. `SetQuotaError::CostNeverFits`: "A request of the policy costs more permits than the quota ever admits
/// together." Of a window the burst is compared, which it does not have.
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

/// FAILS. `ResponseFuture`: "Dropped while the request waits in line, it gives everything back that was charged." As
/// above, in a stack of two queues: what one request gives back to the first queue's limiter costs another one its
/// place there.
#[test]
fn requests_that_are_dropped_in_two_queues_give_everything_back() {
    let clock = clock();
    let quota = Quota::per_second(1).with_burst(1);
    let (first, second) = (Arc::new(line(quota, &clock)), Arc::new(line(quota, &clock)));
    let layer = RateLimitLayer::all([
        Policy::over_queue(Arc::clone(&first), quota, secs(9)).named("first"),
        Policy::over_queue(Arc::clone(&second), quota, secs(9)).named("second"),
    ]);
    let mut service = around(&layer);
    second.limiter().charge(5);
    let mut in_second = Box::pin(service.call(request("a")));
    assert!(poll(&mut in_second).is_pending());
    let mut in_first = Box::pin(service.call(request("a")));
    assert!(poll(&mut in_first).is_pending());
    assert_eq!((first.waiting(), second.waiting()), (1, 1));
    drop(in_second);
    drop(in_first);
    assert_eq!(first.limiter().peek().remaining(), 1);
}

/// FAILS. `Policy::tiers`: "Decides by a tier of the keyed limiter, such as a customer's plan." The response to a tier
/// without a limit overflows in `Standing::admitted`: it panics, or says `r=0` where overflows are not checked.
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
