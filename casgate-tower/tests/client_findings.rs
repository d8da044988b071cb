//! What a second review found in the client's layer: each test names the sentence that it is about.

use casgate::algorithm::{Algorithm, FixedWindow, TokenBucket};
use casgate::wait::{Queue, TokioClock, TokioTimer};
use casgate::{Limiter, Quota};
use casgate_tower::client::{ClientError, ClientLayer};
use casgate_tower::{Policy, RateLimitLayer};
use http::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tower::{Layer, Service, ServiceExt, service_fn};

type Line<A = TokenBucket, C = TokioClock> = Queue<A, C, TokioTimer>;

fn line<A: Algorithm, C>(limiter: Limiter<A, C>) -> Arc<Line<A, C>> {
    Arc::new(Queue::with_timer(limiter, TokioTimer))
}

fn bucket(quota: Quota) -> Arc<Line> {
    line(Limiter::token_bucket(quota).with_clock(TokioClock::new()))
}

fn window(quota: Quota) -> Arc<Line<FixedWindow>> {
    line(Limiter::fixed_window(quota).with_clock(TokioClock::new()))
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const DAY: Duration = secs(86_400);

type Fields = &'static [(&'static str, &'static str)];

fn answer(status: u16, fields: Fields) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in fields {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

/// When requests came, from the creation on.
#[derive(Clone)]
struct Log(Arc<Mutex<Vec<Duration>>>, Instant);

impl Log {
    fn came(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

/// A server whose first answer takes a second, and is this one. All others are 200, at once.
fn server(
    status: u16,
    fields: Fields,
) -> (
    impl Service<Request<()>, Response = Response<()>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + use<>,
    Log,
) {
    let log = Log(Arc::default(), Instant::now());
    let asked = log.clone();
    let service = service_fn(move |_: Request<()>| {
        let mut came = asked.0.lock().unwrap();
        came.push(asked.1.elapsed());
        let is_first = came.len() == 1;
        async move {
            if is_first {
                sleep(secs(1)).await;
            }
            Ok(if is_first { answer(status, fields) } else { answer(200, &[]) })
        }
    });
    (service, log)
}

fn request() -> Request<()> {
    Request::new(())
}

/// `client`: "after a `Retry-After` nothing is sent before that time", also by the first in line, whose permit is booked however far
/// ahead that is.
#[tokio::test(start_paused = true)]
async fn the_first_in_line_is_not_sent_during_a_pause() {
    let (server, log) = server(429, &[("retry-after", "3600")]);
    let client = ClientLayer::new(bucket(Quota::per_minute(1))).layer(server);
    let first = tokio::spawn(client.clone().oneshot(request()));
    tokio::task::yield_now().await;
    let second = tokio::spawn(client.oneshot(request()));
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert!(log.came()[1] >= secs(3_600), "{:?}", log.came());
}

/// `client`: "after a `Retry-After` nothing is sent before that time". The third request comes when the server has asked for the
/// pause; that the second gives up its place in line must not end it.
#[tokio::test(start_paused = true)]
async fn a_pause_survives_that_a_request_in_line_is_dropped() {
    let (server, log) = server(429, &[("retry-after", "90")]);
    let client = ClientLayer::new(bucket(Quota::per_minute(1))).layer(server);
    let first = tokio::spawn(client.clone().oneshot(request()));
    tokio::task::yield_now().await;
    let second = timeout(secs(2), client.clone().oneshot(request()));
    assert!(second.await.is_err());
    assert!(first.await.unwrap().is_ok());
    client.oneshot(request()).await.unwrap();
    assert!(log.came()[1] >= secs(91), "{:?}", log.came());
}

/// As above, with requests that cost much: the pause that is lost can be as long as the whole burst takes to refill.
#[tokio::test(start_paused = true)]
async fn a_pause_survives_that_a_dear_request_in_line_is_dropped() {
    let (server, log) = server(429, &[("retry-after", "3000")]);
    let layer = ClientLayer::new(bucket(Quota::per_hour(60)))
        .cost(|parts| if parts.uri.path() == "/dear" { 60 } else { 1 });
    let client = layer.layer(server);
    let dear = || Request::builder().uri("/dear").body(()).unwrap();
    let first = tokio::spawn(client.clone().oneshot(dear()));
    tokio::task::yield_now().await;
    assert!(timeout(secs(2), client.clone().oneshot(dear())).await.is_err());
    assert!(first.await.unwrap().is_ok());
    client.oneshot(request()).await.unwrap();
    assert!(log.came()[1] >= secs(3_001), "{:?}", log.came());
}

/// `ClientLayer::longest_pause`: "Heeds a server's pause for at most so long". Also with a window.
#[tokio::test(start_paused = true)]
async fn a_pause_of_a_window_is_no_longer_than_the_longest() {
    let (server, log) = server(429, &[("retry-after", "99999999999")]);
    let month = Quota::new(1_000, 30 * DAY).unwrap();
    let client = ClientLayer::new(window(month)).longest_pause(secs(60)).layer(server);
    client.clone().oneshot(request()).await.unwrap();
    client.oneshot(request()).await.unwrap();
    assert!(log.came()[1] < secs(62), "{:?}", log.came());
}

/// `client`: "A wrong date or an absurd number stops a client for at most a day". Also with a window.
#[tokio::test(start_paused = true)]
async fn a_window_is_stopped_for_at_most_a_day() {
    let (server, log) = server(503, &[("retry-after", "1")]);
    let month = Quota::new(1_000, 30 * DAY).unwrap();
    let client = ClientLayer::new(window(month)).layer(server);
    client.clone().oneshot(request()).await.unwrap();
    client.oneshot(request()).await.unwrap();
    assert!(log.came()[1] <= DAY + secs(2), "{:?}", log.came());
}

/// `heed`: a date "in the past is no wait". With a window it is the rest of the window.
#[tokio::test(start_paused = true)]
async fn a_date_in_the_past_is_no_wait_for_a_window() {
    let (server, log) = server(503, &[("retry-after", "Thu, 01 Jan 1998 00:00:00 GMT")]);
    let client = ClientLayer::new(window(Quota::per_day(1_000))).layer(server);
    client.clone().oneshot(request()).await.unwrap();
    client.oneshot(request()).await.unwrap();
    assert!(log.came()[1] < secs(2), "{:?}", log.came());
}

/// As above: with a bucket it takes the burst.
#[tokio::test(start_paused = true)]
async fn a_wait_of_no_seconds_takes_no_permits() {
    let (server, log) = server(503, &[("retry-after", "0")]);
    let client = ClientLayer::new(bucket(Quota::per_hour(10))).layer(server);
    for _ in 0..3 {
        client.clone().oneshot(request()).await.unwrap();
    }
    assert!(log.came()[2] < secs(2), "{:?}", log.came());
}

/// `ClientFuture::poll` panics "if it is polled after it was ready", and learns nothing again.
#[tokio::test(start_paused = true)]
async fn a_response_is_learnt_once() {
    let server = service_fn(|_: Request<()>| {
        poll_fn(|_| Poll::Ready(Ok::<_, Infallible>(Response::new(()))))
    });
    let mut response =
        pin!(ClientLayer::new(bucket(Quota::per_second(1))).layer(server).call(request()));
    let mut poll = || response.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_ready());
    assert!(catch_unwind(AssertUnwindSafe(poll)).is_err());
}

/// `client`: "after a `Retry-After` nothing is sent before that time". Also nothing that costs nothing.
#[tokio::test(start_paused = true)]
async fn a_request_that_costs_nothing_is_not_sent_during_a_pause() {
    let (server, log) = server(429, &[("retry-after", "30")]);
    let layer = ClientLayer::new(bucket(Quota::per_second(1)))
        .cost(|parts| u32::from(parts.uri.path() != "/free"));
    let client = layer.layer(server);
    client.clone().oneshot(request()).await.unwrap();
    client.oneshot(Request::builder().uri("/free").body(()).unwrap()).await.unwrap();
    assert!(log.came()[1] >= secs(31), "{:?}", log.came());
}

/// `ClientLayer::patience`: "A request that would wait for longer fails at once".
#[tokio::test(start_paused = true)]
async fn a_pause_fails_those_in_line_at_once() {
    let (server, log) = server(429, &[("retry-after", "3600")]);
    let layer = ClientLayer::new(bucket(Quota::per_minute(1))).patience(secs(150));
    let client = layer.layer(server);
    let first = tokio::spawn(client.clone().oneshot(request()));
    tokio::task::yield_now().await;
    let second = tokio::spawn(client.clone().oneshot(request()));
    tokio::task::yield_now().await;
    let error = client.oneshot(request()).await.unwrap_err();
    assert!(matches!(error, ClientError::TooLate { .. }), "{error:?}");
    assert!(log.1.elapsed() < secs(2), "{:?}", log.1.elapsed());
    drop((first, second));
}

/// A server with two quotas that tells the truth of both, and when each request came.
fn honest(
    burst: Quota,
    long: Quota,
) -> (
    impl Service<Request<()>, Response = Response<()>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + use<>,
    Log,
) {
    let log = Log(Arc::default(), Instant::now());
    let (asked, clock) = (log.clone(), TokioClock::new());
    let limits = [("burst", burst), ("long", long)].map(|(name, quota)| {
        let limiter = Limiter::token_bucket(quota).with_clock(clock);
        Policy::over(limiter, quota).named(name)
    });
    let inner = service_fn(move |_: Request<()>| {
        asked.0.lock().unwrap().push(asked.1.elapsed());
        ready(Ok::<_, Infallible>(Response::new(bytes::Bytes::new())))
    });
    let service = RateLimitLayer::all(limits).layer(inner);
    (service.map_response(|response| response.map(drop)), log)
}

/// `client`: requests "wait in a `Queue` until the quota has room for them", and the server has room for 10 a second: that 9 are
/// left for a second is not that 9 are left of the 1,000 an hour. The client stops itself for as long as it takes to have them again.
#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_short_quota_is_not_all_that_is_left_of_a_long_one() {
    let (server, log) = honest(Quota::per_second(10), Quota::per_hour(1_000));
    let client = ClientLayer::new(bucket(Quota::per_hour(1_000))).layer(server);
    for _ in 0..30 {
        client.clone().oneshot(request()).await.unwrap();
    }
    assert!(log.came()[29] < secs(30), "{:?}", log.came());
}

/// As above, with a window: one response of the server stops the client until tomorrow.
#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_second_does_not_spend_the_day() {
    let (server, log) = honest(Quota::per_second(10), Quota::per_day(5_000));
    let client = ClientLayer::new(window(Quota::per_day(5_000))).layer(server);
    for _ in 0..30 {
        client.clone().oneshot(request()).await.unwrap();
    }
    assert!(log.came()[29] < secs(30), "{:?}", log.came());
}

/// `client`: "after a `Retry-After` nothing is sent before that time". Also if the quota of the queue is changed meanwhile.
#[tokio::test(start_paused = true)]
async fn a_pause_survives_a_new_quota() {
    let (server, log) = server(429, &[("retry-after", "3600")]);
    let queue =
        line(Limiter::adjustable_token_bucket(Quota::per_hour(1)).with_clock(TokioClock::new()));
    let client = ClientLayer::new(Arc::clone(&queue)).layer(server);
    client.clone().oneshot(request()).await.unwrap();
    queue.set_quota(Quota::per_second(10));
    client.oneshot(request()).await.unwrap();
    assert!(log.came()[1] >= secs(3_601), "{:?}", log.came());
}

/// `ClientError::NeverFits`: "It costs more permits than the limiter ever admits together."
#[tokio::test(start_paused = true)]
async fn a_pause_without_an_end_is_not_a_cost_that_never_fits() {
    let (server, _) = server(429, &[("retry-after", "99999999999999999999")]);
    let layer = ClientLayer::new(bucket(Quota::per_second(1))).patience(secs(1));
    let client = layer.longest_pause(Duration::MAX).layer(server);
    client.clone().oneshot(request()).await.unwrap();
    let error = client.oneshot(request()).await.unwrap_err();
    assert_ne!(error, ClientError::NeverFits);
}
