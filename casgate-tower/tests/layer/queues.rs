//! Requests that wait in line.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Wake;

const SECOND: Quota = Quota::per_second(1);

/// A queue of one permit a second, and a service behind it whose permit of the first second is spent.
fn queued(patience: Duration) -> (Arc<casgate::clock::ManualClock>, Arc<Line>, RateLimit<Served>) {
    let clock = clock();
    let queue = Arc::new(line(SECOND, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), SECOND, patience);
    let service = around(&RateLimitLayer::new(policy));
    assert_eq!(status(&service, request("a")), 200);
    (clock, queue, service)
}

fn is_served<F, E: std::fmt::Debug, B>(future: &mut F) -> bool
where
    F: Future<Output = Result<Response<B>, E>> + Unpin,
{
    matches!(poll(future), Poll::Ready(Ok(answer)) if answer.status().is_success())
}

#[test]
fn requests_are_served_in_the_order_of_their_arrival() {
    let (clock, queue, mut service) = queued(secs(9));
    let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(service.call(request("a")))).collect();
    assert_eq!(queue.waiting(), 4);
    while !waiting.is_empty() {
        assert!(waiting.iter_mut().all(|future| poll(future).is_pending()));
        clock.advance(secs(1));
        assert!(is_served(&mut waiting.remove(0)));
    }
    assert_eq!(queue.waiting(), 0);
}

/// A request that cannot be served in time is denied at once, and told when another one could wait in vain no longer.
#[test]
fn a_request_whose_permits_come_too_late_is_denied_at_once() {
    let (clock, queue, mut service) = queued(secs(2));
    let _waiting = [service.call(request("a")), service.call(request("a"))];
    let answer = send(&service, request("a"));
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    // Its permit is ready in three seconds, and it waits for two.
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(answer.headers()["ratelimit"], r#""default";r=0;t=1"#);
    assert_eq!(queue.waiting(), 2, "it does not stand in line");
    clock.advance(secs(1));
    let mut late = Box::pin(service.call(request("a")));
    assert!(poll(&mut late).is_pending());
}

/// Without patience a queue is a limit.
#[test]
fn a_queue_without_patience_denies_at_once() {
    let (clock, queue, service) = queued(Duration::ZERO);
    assert_eq!(send(&service, request("a")).headers()["retry-after"], "1");
    assert_eq!(queue.waiting(), 0);
    clock.advance(secs(1));
    assert_eq!(status(&service, request("a")), 200);
}

/// The longest patience does not overflow.
#[test]
fn patience_can_be_endless() {
    let (clock, _, mut service) = queued(Duration::MAX);
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    clock.advance(secs(1));
    assert!(is_served(&mut waiting));
}

#[test]
fn a_queue_that_is_full_denies() {
    let (clock, told) = (clock(), Told::default());
    let queue = line(SECOND, &clock).most_waiting(1);
    let layer = RateLimitLayer::new(Policy::over_queue(queue, SECOND, secs(9)));
    let mut service = around(&layer.observer(told.clone()));
    assert_eq!(status(&service, request("a")), 200);
    let waiting = service.call(request("a"));
    told.take();
    let answer = send(&service, request("a"));
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(told.take(), [is("default", Outcome::QueueFull)]);
    drop(waiting);
    assert_eq!(told.take(), [waited("default"), is("default", Outcome::Cancelled)]);
    let _waiting = service.call(request("a"));
    assert_eq!(told.take(), [waits("default")]);
}

#[test]
fn a_cost_that_never_fits_is_denied_at_once() {
    let (clock, told) = (clock(), Told::default());
    for cost in [2, u32::MAX] {
        let policy = Policy::over_queue(line(SECOND, &clock), SECOND, secs(9)).cost(move |_| cost);
        let service = around(&RateLimitLayer::new(policy).observer(told.clone()));
        let answer = send(&service, request("a"));
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(!answer.headers().contains_key("retry-after"));
        assert_eq!(told.take(), [is("default", Outcome::Never)]);
    }
}

/// Nobody is ahead of one who wants nothing.
#[test]
fn a_request_that_costs_nothing_does_not_wait() {
    let clock = clock();
    let queue = Arc::new(line(SECOND, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), SECOND, secs(9))
        .cost(|parts| u32::from(parts.headers["x-key"] != "free"));
    let mut service = around(&RateLimitLayer::new(policy));
    assert_eq!(status(&service, request("a")), 200);
    let _waiting = service.call(request("a"));
    assert_eq!(status(&service, request("free")), 200);
    assert_eq!(queue.waiting(), 1);
}

/// A queue that is closed denies those who wait and those who come, and tells no wait.
#[test]
fn a_closed_queue_denies() {
    let told = Told::default();
    let queue = Arc::new(line(SECOND, &clock()));
    let policy = Policy::over_queue(Arc::clone(&queue), SECOND, secs(9));
    let mut service = around(&RateLimitLayer::new(policy).observer(told.clone()));
    assert_eq!(status(&service, request("a")), 200);
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    told.take();
    queue.close();
    let Poll::Ready(Ok(answer)) = poll(&mut waiting) else { panic!("it waits on") };
    for answer in [answer, send(&service, request("a"))] {
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(!answer.headers().contains_key("retry-after"));
    }
    let denied = is("default", Outcome::Denied);
    assert_eq!(told.take(), [waited("default"), denied.clone(), denied]);
    assert_eq!(queue.limiter().peek().reset_after(), secs(1), "the place was given back");
}

/// In a stack a request stands in line last, holds what others charged meanwhile, and gives it back if it is dropped,
/// before or after it is polled.
#[test]
fn a_request_that_is_dropped_while_it_waits_gives_everything_back() {
    for polls in 0..2 {
        let clock = clock();
        let (quota, queue) = (Quota::per_day(9), Arc::new(line(SECOND, &clock)));
        let (all, each) = (bucket_limiter(quota, &clock), keys(quota, &clock));
        let layer = RateLimitLayer::all([
            Policy::over_queue(Arc::clone(&queue), SECOND, secs(9)).named("queue"),
            Policy::over(Arc::clone(&all), quota).named("all"),
            Policy::over_keyed(Arc::clone(&each), quota, by_header()).named("each"),
        ]);
        let left = || (all.peek().remaining(), each.peek(b"a".as_slice()).remaining());
        let mut service = around(&layer);
        assert_eq!(status(&service, request("a")), 200);
        let mut waiting = Box::pin(service.call(request("a")));
        for _ in 0..polls {
            assert!(poll(&mut waiting).is_pending());
        }
        assert_eq!((left(), queue.waiting()), ((7, 7), 1));
        drop(waiting);
        assert_eq!((left(), queue.waiting()), ((8, 8), 0));
        assert_eq!(queue.limiter().peek().reset_after(), secs(1));
    }
}

/// A wait that fails gives back what others charged; a request that others deny does not stand in line.
#[test]
fn a_wait_that_fails_costs_nothing() {
    let clock = clock();
    let (quota, queue) = (Quota::per_day(2), Arc::new(line(SECOND, &clock)));
    let all = bucket_limiter(quota, &clock);
    let layer = RateLimitLayer::all([
        Policy::over_queue(Arc::clone(&queue), SECOND, Duration::ZERO).named("queue"),
        Policy::over(Arc::clone(&all), quota).named("all"),
    ]);
    let service = around(&layer);
    assert_eq!(status(&service, request("a")), 200);
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!(all.peek().remaining(), 1, "the queue denied");
    assert!(all.is_allowed());
    clock.advance(secs(1));
    assert_eq!(status(&service, request("a")), 429);
    assert_eq!(queue.limiter().peek().remaining(), 1, "the other one denied");
}

/// A wait that fails late, since others took the permits from outside the queue, is a denial too.
#[test]
fn a_wait_can_fail_later() {
    let (clock, told) = (clock(), Told::default());
    let queue = Arc::new(line(SECOND, &clock));
    let other = bucket_limiter(Quota::per_day(5), &clock);
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&other), Quota::per_day(5)).named("other"),
        Policy::over_queue(Arc::clone(&queue), SECOND, secs(2)).named("queue"),
    ]);
    let mut service = around(&layer.observer(told.clone()));
    assert_eq!(status(&service, request("a")), 200);
    let mut waiting = [(); 2].map(|()| Box::pin(service.call(request("a"))));
    queue.limiter().charge(5);
    told.take();
    clock.advance(secs(1));
    assert!(is_served(&mut waiting[0]));
    let Poll::Ready(Ok(answer)) = poll(&mut waiting[1]) else { panic!("it waits on") };
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let told = told.take();
    assert_eq!(told.last(), Some(&is("queue", Outcome::Timeout)), "{told:?}");
    assert_eq!(other.peek().remaining(), 3);
}

/// Two queues in a stack: a request stands in one after the other, and gives all back if it is dropped in the second.
#[test]
fn a_request_that_is_dropped_in_the_second_queue_gives_the_first_ones_permit_back() {
    let clock = clock();
    let (first, second) = (Arc::new(line(SECOND, &clock)), Arc::new(line(SECOND, &clock)));
    let layer = RateLimitLayer::all([
        Policy::over_queue(Arc::clone(&first), SECOND, secs(9)).named("first"),
        Policy::over_queue(Arc::clone(&second), SECOND, secs(9)).named("second"),
    ]);
    let mut service = around(&layer);
    assert_eq!(status(&service, request("a")), 200);
    for is_dropped in [true, false] {
        let mut waiting = Box::pin(service.call(request("a")));
        assert_eq!((first.waiting(), second.waiting()), (1, 0));
        second.limiter().charge(1);
        clock.advance(secs(1));
        assert!(poll(&mut waiting).is_pending());
        assert_eq!((first.waiting(), second.waiting()), (0, 1));
        assert_eq!(first.limiter().peek().remaining(), 0);
        if is_dropped {
            drop(waiting);
            assert_eq!((first.waiting(), second.waiting()), (0, 0));
            assert_eq!(first.limiter().peek().remaining(), 1);
            assert!(first.limiter().is_allowed());
        } else {
            clock.advance(secs(1));
            assert!(is_served(&mut waiting));
        }
    }
}

/// In shadow nothing waits, and a permit is taken where there is one.
#[test]
fn a_queue_in_shadow_lets_nobody_wait() {
    let (clock, told) = (clock(), Told::default());
    let queue = Arc::new(line(SECOND, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), SECOND, secs(9)).shadow();
    let service = around(&RateLimitLayer::new(policy).observer(told.clone()));
    for outcome in [Outcome::Admitted, Outcome::ShadowDenied] {
        assert_eq!(status(&service, request("a")), 200);
        assert_eq!(told.take(), [is("default", outcome)]);
        assert_eq!((queue.waiting(), queue.limiter().peek().remaining()), (0, 0));
    }
}

/// A response settles with the queue's limiter.
#[test]
fn a_request_that_has_waited_is_settled() {
    let clock = clock();
    let queue = Arc::new(line(SECOND, &clock));
    let policy = Policy::over_queue(Arc::clone(&queue), SECOND, secs(9));
    let mut service = around(&RateLimitLayer::new(policy.refund_on([StatusCode::OK])));
    assert!(queue.limiter().is_allowed());
    let mut waiting = Box::pin(service.call(request("a")));
    assert!(poll(&mut waiting).is_pending());
    clock.advance(secs(1));
    assert!(is_served(&mut waiting));
    assert_eq!(queue.limiter().peek().remaining(), 1);
}

/// A new quota reaches those who wait.
#[test]
fn a_new_quota_reaches_those_who_wait() {
    let clock = clock();
    let limiter = Limiter::adjustable_token_bucket(SECOND).with_clock(Arc::clone(&clock));
    let queue = Arc::new(Queue::with_timer(limiter, ByHand));
    let policy = Policy::over_queue(Arc::clone(&queue), SECOND, secs(100));
    let mut service = around(&RateLimitLayer::new(policy));
    assert_eq!(status(&service, request("a")), 200);
    let mut waiting = Box::pin(service.call(request("a")));
    queue.set_quota(Quota::per_minute(1).with_burst(1));
    clock.advance(secs(2));
    assert!(poll(&mut waiting).is_pending());
    queue.set_quota(Quota::per_second(1_000).with_burst(1));
    clock.advance(secs(1));
    assert!(is_served(&mut waiting));
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The wait begins without a waker, in `call`. The task that polls last is woken, by the timer and by the queue.
#[test]
fn the_task_that_polled_last_is_woken() {
    /// Keeps the wakers of those who sleep, in the order of their polls.
    #[derive(Clone, Default)]
    struct Sleepers(Arc<Mutex<Vec<Waker>>>);

    impl Future for Sleepers {
        type Output = ();

        fn poll(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            self.0.lock().unwrap().push(cx.waker().clone());
            Poll::Pending
        }
    }

    let (clock, sleepers) = (clock(), Sleepers::default());
    let timer = {
        let sleepers = sleepers.clone();
        move |_: Duration| sleepers.clone()
    };
    let limiter = Limiter::token_bucket(SECOND).with_clock(Arc::clone(&clock));
    let queue = Queue::with_timer(limiter, timer);
    let mut service = around(&RateLimitLayer::new(Policy::over_queue(queue, SECOND, secs(9))));
    assert_eq!(status(&service, request("a")), 200);
    let ahead = service.call(request("a"));
    let mut waiting = Box::pin(service.call(request("a")));
    let wakes = [(); 2].map(|()| Arc::new(Wakes::default()));
    let count = |i: usize| wakes[i].0.load(Ordering::Relaxed);
    for (i, task) in wakes.iter().enumerate() {
        let waker = Waker::from(Arc::clone(task));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let last = sleepers.0.lock().unwrap().last().unwrap().clone();
        last.wake(); // as a timer does
        assert_eq!(count(i), 1);
    }
    drop(ahead); // its place moves up
    assert_eq!((count(0), count(1)), (1, 2));
    clock.advance(secs(1));
    assert!(is_served(&mut waiting));
}

/// A service that panics when a request has waited keeps the charge, and the future is over.
#[test]
fn a_service_that_panics_after_a_wait_keeps_the_charge() {
    let clock = clock();
    let other = bucket_limiter(Quota::per_day(5), &clock);
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&other), Quota::per_day(5)).named("other"),
        Policy::over_queue(line(SECOND, &clock), SECOND, secs(9)).named("queue"),
    ]);
    let calls = AtomicUsize::new(0);
    let calls = &calls;
    let mut service = layer.layer(tower::service_fn(move |_: Request<()>| {
        assert_eq!(calls.fetch_add(1, Ordering::Relaxed), 0, "only the first is served");
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    assert!(now(service.call(request("a"))).is_ok());
    let mut waiting = Box::pin(service.call(request("a")));
    clock.advance(secs(1));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut waiting).is_ready())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut waiting).is_ready())).is_err());
    drop(waiting);
    assert_eq!(other.peek().remaining(), 3);
}

/// Threads whose requests give up in line: of the permits that others charged meanwhile none is lost, and none is given
/// back twice.
#[test]
fn threads_that_give_up_lose_no_permit_of_other_policies() {
    let clock = clock();
    let (quota, burst) = (Quota::per_day(1_000), Quota::per_day(1).with_burst(50));
    let (all, each) = (bucket_limiter(quota, &clock), keys(quota, &clock));
    let queue = Arc::new(line(burst, &clock));
    let layer = RateLimitLayer::all([
        Policy::over(Arc::clone(&all), quota).named("all"),
        Policy::over_queue(Arc::clone(&queue), burst, Duration::MAX).named("queue"),
        Policy::over_keyed(Arc::clone(&each), quota, by_header()).named("each"),
    ]);
    let inner = Served::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut service = layer.layer(inner.clone());
            scope.spawn(move || {
                for i in 0..100 {
                    let mut response = Box::pin(service.call(request("a")));
                    if i % 3 != 0 {
                        let _ = poll(&mut response);
                    }
                }
            });
        }
    });
    let served = inner.calls() as u32;
    assert_eq!(all.peek().remaining(), 1_000 - served);
    assert_eq!(each.peek(b"a".as_slice()).remaining(), 1_000 - served);
    assert_eq!((served, queue.waiting()), (50, 0));
}
