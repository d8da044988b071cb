//! Outgoing requests, on tokio's paused time.

use casgate::algorithm::Adjustable;
use casgate::wait::{Queue, TokioClock, TokioTimer};
use casgate::{Limiter, Quota, TokenBucket};
use casgate_tower::client::{ClientError, ClientLayer};
use http::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt, service_fn};

type Line = Queue<TokenBucket, TokioClock, TokioTimer>;

fn queue(quota: Quota) -> Arc<Line> {
    Arc::new(Queue::with_timer(
        Limiter::token_bucket(quota).with_clock(TokioClock::new()),
        TokioTimer,
    ))
}

type Answer = (u16, &'static [(&'static str, &'static str)]);

/// A server that gives these answers, the last of them again and again, and notes when it was asked.
fn server(
    answers: &[Answer],
) -> (
    impl Service<Request<()>, Response = Response<()>, Error = Infallible, Future: Send> + Clone + use<>,
    Log,
) {
    let log = Log::default();
    let (answers, asked) = (answers.to_vec(), log.clone());
    let service = service_fn(move |_: Request<()>| {
        let mut asked = asked.0.lock().unwrap();
        asked.push(Instant::now());
        let (status, headers) = answers[(asked.len() - 1).min(answers.len() - 1)];
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        std::future::ready(Ok(response))
    });
    (service, log)
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Instant>>>);

impl Log {
    /// When each request came, in milliseconds from the first.
    fn millis(&self) -> Vec<u128> {
        let asked = self.0.lock().unwrap();
        asked.iter().map(|at| at.duration_since(asked[0]).as_millis()).collect()
    }
}

fn request() -> Request<()> {
    Request::new(())
}

#[tokio::test(start_paused = true)]
async fn requests_keep_the_pace() {
    let (server, log) = server(&[(200, &[])]);
    let client = ClientLayer::new(queue(Quota::per_second(10).with_burst(2))).layer(server);
    for _ in 0..5 {
        client.clone().oneshot(request()).await.unwrap();
    }
    let came = log.millis();
    assert_eq!(came.len(), 5);
    // Not early; a timer wakes up to a millisecond late.
    for (came, due) in came.into_iter().zip([0, 0, 100, 200, 300]) {
        assert!((due..due + 4).contains(&came), "{came} instead of {due}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_would_wait_too_long_is_not_sent() {
    let (server, log) = server(&[(200, &[])]);
    let layer = ClientLayer::new(queue(Quota::per_minute(1))).patience(Duration::from_secs(20));
    let client = layer.layer(server);
    client.clone().oneshot(request()).await.unwrap();
    let error = client.clone().oneshot(request()).await.unwrap_err();
    let ClientError::TooLate { retry_after } = error else { panic!("{error:?}") };
    assert!((39..=40).contains(&retry_after.as_secs()), "{retry_after:?}");
    tokio::time::sleep(retry_after + Duration::from_millis(1)).await;
    client.oneshot(request()).await.unwrap();
    assert_eq!(log.millis().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_costs_too_much_and_a_closed_queue_are_errors() {
    let (server, log) = server(&[(200, &[])]);
    let queue = queue(Quota::per_second(10));
    let dear = ClientLayer::new(Arc::clone(&queue)).cost(|_| 11).layer(server.clone());
    assert_eq!(dear.oneshot(request()).await.unwrap_err(), ClientError::NeverFits);
    queue.close();
    let client = ClientLayer::new(queue).layer(server);
    assert_eq!(client.oneshot(request()).await.unwrap_err(), ClientError::Closed);
    assert!(log.0.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_servers_retry_after() {
    let (server, log) = server(&[(429, &[("retry-after", "30")]), (200, &[])]);
    let client = ClientLayer::new(queue(Quota::per_second(100))).layer(server);
    assert_eq!(
        client.clone().oneshot(request()).await.unwrap().status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    client.oneshot(request()).await.unwrap();
    assert!((30_000..30_010).contains(&log.millis()[1]), "{:?}", log.millis());
}

#[tokio::test(start_paused = true)]
async fn an_absurd_pause_ends() {
    let (server, log) = server(&[(429, &[("retry-after", "99999999999999999999")]), (200, &[])]);
    let layer =
        ClientLayer::new(queue(Quota::per_second(100))).longest_pause(Duration::from_secs(60));
    let client = layer.layer(server);
    for _ in 0..2 {
        client.clone().oneshot(request()).await.unwrap();
    }
    assert!((60_000..60_010).contains(&log.millis()[1]), "{:?}", log.millis());
}

/// Other processes spend from the same quota, and have left nothing. As long as something is left, the client's own limiter
/// decides: the server's number is of the server's period.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_the_server_says_that_nothing_is_left() {
    let (server, log) = server(&[
        (200, &[("ratelimit", r#""a";r=1;t=1"#)]),
        (200, &[("ratelimit", r#""a";r=0;t=2"#)]),
        (200, &[]),
    ]);
    let client = ClientLayer::new(queue(Quota::per_second(10).with_burst(5))).layer(server);
    for _ in 0..3 {
        client.clone().oneshot(request()).await.unwrap();
    }
    let came = log.millis();
    assert!(came[1] < 4 && (2_000..2_004).contains(&came[2]), "{came:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_heeds_nothing_sends_at_its_own_pace() {
    let (server, log) = server(&[(429, &[("retry-after", "30")])]);
    let layer = ClientLayer::new(queue(Quota::per_second(100))).longest_pause(Duration::ZERO);
    let client = layer.layer(server);
    for _ in 0..5 {
        client.clone().oneshot(request()).await.unwrap();
    }
    assert!(log.millis()[4] < 10, "{:?}", log.millis());
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_in_line_takes_no_permit() {
    let (server, log) = server(&[(200, &[])]);
    let client = ClientLayer::new(queue(Quota::per_second(1))).layer(server);
    client.clone().oneshot(request()).await.unwrap();
    for _ in 0..50 {
        let waits = client.clone().oneshot(request());
        assert!(tokio::time::timeout(Duration::from_millis(1), waits).await.is_err());
    }
    client.oneshot(request()).await.unwrap();
    assert!(log.millis()[1] < 1_010, "{:?}", log.millis());
}

/// A server that tells each client the truth: clones of one layer in many tasks never make it deny.
#[tokio::test(start_paused = true)]
async fn tasks_in_line_are_never_denied() {
    let limiter = Arc::new(
        Limiter::token_bucket(Quota::per_second(50).with_burst(5)).with_clock(TokioClock::new()),
    );
    let count = Arc::new(Mutex::new(0));
    let (own, denied) = (Arc::clone(&limiter), Arc::clone(&count));
    let server = service_fn(move |_: Request<()>| {
        let mut response = Response::new(());
        if own.check().is_err() {
            *denied.lock().unwrap() += 1;
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let layer = ClientLayer::new(queue(Quota::per_second(50).with_burst(5)));
    let tasks: Vec<_> =
        (0..200).map(|_| tokio::spawn(layer.layer(server.clone()).oneshot(request()))).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(*count.lock().unwrap(), 0);
}

/// The quota of an adjustable queue can follow what the upstream's contract says.
#[tokio::test(start_paused = true)]
async fn an_adjustable_queue_will_do() {
    let limiter =
        Limiter::adjustable_token_bucket(Quota::per_hour(1)).with_clock(TokioClock::new());
    let queue: Arc<Queue<Adjustable<TokenBucket>, _, _>> =
        Arc::new(Queue::with_timer(limiter, TokioTimer));
    let (server, log) = server(&[(200, &[])]);
    let client = ClientLayer::new(Arc::clone(&queue)).layer(server);
    client.clone().oneshot(request()).await.unwrap();
    let waits = tokio::spawn(client.oneshot(request()));
    tokio::task::yield_now().await;
    queue.set_quota(Quota::per_second(10));
    waits.await.unwrap().unwrap();
    assert!(log.millis()[1] <= 1_010, "{:?}", log.millis());
}
