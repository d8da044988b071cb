//! What observers are told.

use super::*;
use std::collections::HashSet;

/// Each policy that is asked is told of once, in the order of the policies; those that are not asked are not.
#[test]
fn each_request_tells_each_policy_that_is_asked_once() {
    let (clock, told) = (clock(), Told::default());
    let hour = |n| Quota::per_hour(n);
    let second = Quota::per_second(1).with_burst(9);
    let layer = RateLimitLayer::all([
        Policy::over_queue(line(second, &clock), second, secs(9)).named("queue"),
        bucket(hour(1), &clock).named("shadow").shadow(),
        bucket(hour(2), &clock).named("tight"),
        bucket(hour(9), &clock).named("elsewhere").only_if(|_| false),
        keyed(hour(2), &clock).named("keyed"),
        bucket(hour(9), &clock).named("exempt").exempt(|parts| parts.headers["x-key"] == "a"),
    ]);
    let service = around(&layer.observer(told.clone()));
    let facts = |key| {
        let _ = send(&service, request(key));
        let mut told = told.take();
        // When an exemption is told, compared with the others, is not promised.
        told.sort_by_key(|fact| *fact == is("exempt", Outcome::Exempt));
        told
    };
    use Outcome::{Admitted, Denied, Exempt, ShadowDenied};
    let mut all = [
        is("queue", Admitted),
        is("shadow", Admitted),
        is("tight", Admitted),
        is("keyed", Admitted),
        is("exempt", Exempt),
    ];
    assert_eq!(facts("a"), all);
    all[1] = is("shadow", ShadowDenied);
    assert_eq!(facts("a"), all);
    assert_eq!(facts("b"), [is("tight", Denied)]);
}

/// All policies that deny are told of, and no others.
#[test]
fn those_that_deny_are_told() {
    let (clock, told) = (clock(), Told::default());
    let layer = RateLimitLayer::all([
        bucket(Quota::per_hour(1), &clock).named("a"),
        bucket(Quota::per_hour(9), &clock).named("b"),
        bucket(Quota::per_hour(9), &clock)
            .named("c")
            .cost(|parts| if parts.headers["x-key"] == "large" { 10 } else { 1 }),
    ]);
    let service = around(&layer.observer(told.clone()));
    let facts = |key| {
        let _ = send(&service, request(key));
        told.take()
    };
    assert_eq!(facts("x").len(), 3);
    assert_eq!(facts("x"), [is("a", Outcome::Denied)]);
    assert_eq!(facts("large"), [is("a", Outcome::Denied), is("c", Outcome::Never)]);
}

/// A wait is told when it begins, and once more when it ends.
#[test]
fn a_wait_is_told_at_its_beginning_and_its_end() {
    let (clock, told) = (clock(), Told::default());
    let quota = Quota::per_second(1).with_burst(1);
    let layer = RateLimitLayer::all([
        Policy::over_queue(line(quota, &clock), quota, secs(1)).named("queue"),
        bucket(Quota::per_hour(9), &clock).named("other"),
    ]);
    let mut service = around(&layer.observer(told.clone()));
    let admitted = [is("queue", Outcome::Admitted), is("other", Outcome::Admitted)];
    assert_eq!(status(&service, request("a")), 200);
    assert_eq!(told.take(), admitted);
    let mut waiting = Box::pin(service.call(request("a")));
    assert_eq!(told.take(), [waits("queue")]);
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!(told.take(), [is("queue", Outcome::Timeout)]);
    clock.advance(secs(1));
    assert!(poll(&mut waiting).is_ready());
    let [queue, other] = admitted;
    assert_eq!(told.take(), [waited("queue"), queue, other]);
    let waiting = service.call(request("a"));
    drop(waiting);
    assert_eq!(told.take(), [waits("queue"), waited("queue"), is("queue", Outcome::Cancelled)]);
}

/// A wait is told to begin and to end, however it ends, and then its outcome.
#[test]
fn each_wait_begins_and_ends_before_its_outcome() {
    let (clock, told) = (clock(), Told::default());
    let quota = Quota::per_second(1).with_burst(1);
    let queue = Arc::new(line(quota, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), quota, secs(2)).named("queue");
    let mut service = around(&RateLimitLayer::new(policy).observer(told.clone()));
    assert_eq!(status(&service, request("a")), 200);
    let mut waiting = [(); 2].map(|()| Box::pin(service.call(request("a"))));
    assert_eq!(status(&service, request("a")), 429);
    clock.advance(secs(1));
    assert!(poll(&mut waiting[0]).is_ready());
    queue.close();
    assert!(poll(&mut waiting[1]).is_ready());
    let expected = [
        is("queue", Outcome::Admitted),
        waits("queue"),
        waits("queue"),
        is("queue", Outcome::Timeout),
        waited("queue"),
        is("queue", Outcome::Admitted),
        waited("queue"),
        is("queue", Outcome::Denied),
    ];
    assert_eq!(told.take(), expected);
}

/// envoyproxy/ratelimit #1132: of what an observer can make labels of, nothing is a key. The number that stands for
/// a key is for traces.
#[test]
fn an_event_has_a_policy_and_an_outcome_and_no_key() {
    type Seen = (String, Option<u64>, u32);

    #[derive(Clone, Default)]
    struct Events(Arc<Mutex<Vec<Seen>>>);

    impl Observer for Events {
        fn observe(&self, event: &Event<'_>) {
            let label = format!("{} {}", event.policy(), event.outcome().as_str());
            assert!(!format!("{event:?}").contains("secret"));
            let event = (label, event.key_hash(), event.cost());
            self.0.lock().unwrap().push(event);
        }
    }

    let (clock, events) = (clock(), Events::default());
    let layer = RateLimitLayer::all([
        keyed(Quota::per_hour(9), &clock).named("each").cost(|_| 3),
        bucket(Quota::per_hour(9), &clock).named("all"),
    ]);
    let service = around(&layer.observer(events.clone()));
    for key in ["secret", "secret 2", "secret"] {
        send(&service, request(key));
    }
    let events = std::mem::take(&mut *events.0.lock().unwrap());
    let labels: HashSet<_> = events.iter().map(|(label, ..)| label.as_str()).collect();
    assert_eq!(labels, HashSet::from(["each admitted", "all admitted"]));
    let hashes: Vec<_> = events.iter().filter_map(|(_, hash, ..)| *hash).collect();
    assert_eq!(hashes.len(), 3);
    assert!(hashes[0] == hashes[2] && hashes[0] != hashes[1]);
    let costs: Vec<_> = events.iter().map(|(_, _, cost)| *cost).collect();
    assert_eq!(costs[..2], [3, 1]);
}

/// An exempt request and one without a key cost nothing and have no number.
#[test]
fn an_event_of_nobody_has_no_cost() {
    struct Nobody(AtomicUsize);

    impl Observer for Nobody {
        fn observe(&self, event: &Event<'_>) {
            assert_eq!((event.cost(), event.key_hash()), (0, None));
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let nobody = Arc::new(Nobody(AtomicUsize::new(0)));
    let policy = keyed(Quota::per_hour(9), &clock()).exempt(|parts| parts.uri.path() == "/free");
    let service = around(&RateLimitLayer::new(policy).observer(Arc::clone(&nobody)));
    let free = Request::builder().uri("/free").header("x-key", "a").body(()).unwrap();
    assert_eq!((status(&service, free), status(&service, keyless())), (200, 500));
    assert_eq!(nobody.0.load(Ordering::Relaxed), 2);
}

/// A pair is told both, and an `Arc` or an `Option` what is in it.
#[test]
fn observers_can_be_combined() {
    let (clock, one, other) = (clock(), Told::default(), Told::default());
    let quota = Quota::per_second(1).with_burst(1);
    let layer = RateLimitLayer::new(Policy::over_queue(line(quota, &clock), quota, secs(9)));
    let observer = (Arc::new(one.clone()), (Some(other.clone()), None::<Told>));
    let mut service = around(&layer.observer(Told::default()).observer(observer));
    assert_eq!(status(&service, request("a")), 200);
    drop(service.call(request("a")));
    let facts = [
        is("default", Outcome::Admitted),
        waits("default"),
        waited("default"),
        is("default", Outcome::Cancelled),
    ];
    assert_eq!(one.take(), facts);
    assert_eq!(other.take(), facts);
}

/// Every outcome has a name of its own, which metrics can have.
#[test]
fn outcomes_have_names() {
    let names: HashSet<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(names.len(), Outcome::ALL.len());
    let is_plain = |name: &str| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    assert!(names.iter().all(|name| is_plain(name)), "{names:?}");
}
