//! Outgoing requests with reqwest that keep an upstream's quota, and heed what it answers.
//!
//! ```sh
//! cargo run --example reqwest_client
//! ```
//!
//! The upstream runs in this process. It admits 2 requests at once, and then 10 a second. The client believes in more, as it
//! would if other processes spent from its quota. But each response says what is left. So the client meets no 429
//! here: it waits as long as the upstream says, in whole seconds.
//!
//! ```text
//!  0.01 s  200 OK  "default";r=1;t=1
//!  0.01 s  200 OK  "default";r=0;t=1
//!  1.01 s  200 OK  "default";r=1;t=1
//!  1.02 s  200 OK  "default";r=0;t=1
//!  2.02 s  200 OK  "default";r=1;t=1
//! ```
//!
//! A layer that retries belongs around this one, so that each attempt takes its own permit.

use axum::Router;
use casgate::wait::Queue;
use casgate::{Limiter, Quota};
use casgate_tower::RateLimitLayer;
use casgate_tower::client::{ClientError, ClientLayer};
use clap::Parser;
use http::Request;
use reqwest::{Body, Response};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt, service_fn};

/// Waits for permits before it sends.
#[derive(Debug, Parser)]
struct Args {
    /// The port of the upstream on 127.0.0.1; 0 takes a free one
    #[arg(default_value_t = 0)]
    port: u16,

    /// What the upstream admits
    #[arg(long, default_value = "10/s burst 2")]
    upstream: Quota,

    /// What the client believes that it admits
    #[arg(long, default_value = "100/s")]
    client: Quota,

    /// How many requests the client sends
    #[arg(long, default_value_t = 5)]
    requests: u32,
}

/// reqwest's client has a request and a response of its own. These lines make it a service of `http::Request`.
fn limited(
    client: reqwest::Client,
    queue: Arc<Queue>,
    patience: Duration,
) -> impl Service<Request<Body>, Response = Response, Error = ClientError<reqwest::Error>, Future: Send>
+ Clone {
    let send = service_fn(move |request: Request<Body>| {
        let client = client.clone();
        async move {
            let response = client.execute(request.try_into()?).await?;
            Ok(http::Response::<Body>::from(response))
        }
    });
    // Clones share the queue: make one of this for each upstream.
    ClientLayer::new(queue).patience(patience).layer(send).map_response(Response::from)
}

fn get(url: &str) -> http::Result<Request<Body>> {
    Request::get(url).body(Body::default())
}

/// Serves an upstream, and returns its URL.
async fn upstream(port: u16, quota: Quota) -> std::io::Result<String> {
    let limit = RateLimitLayer::per_client(quota, 1_000);
    let app = Router::new().route("/", axum::routing::get(|| async { "hello\n" })).layer(limit);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let url = upstream(args.port, args.upstream).await?;
    let queue = Arc::new(Queue::new(Limiter::token_bucket(args.client)));
    let client = limited(reqwest::Client::new(), queue, Duration::from_secs(60));
    let start = Instant::now();
    for _ in 0..args.requests {
        let response = client.clone().oneshot(get(&url)?).await?;
        let field =
            response.headers().get("ratelimit").map_or("", |field| field.to_str().unwrap_or(""));
        println!("{:5.2} s  {}  {field}", start.elapsed().as_secs_f64(), response.status());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever proxy the machine has, the server is not behind it.
    fn direct() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    /// A client that waits for nothing, and believes in 1,000 permits a day.
    fn impatient()
    -> impl Service<Request<Body>, Response = Response, Error = ClientError<reqwest::Error>> + Clone
    {
        let queue = Queue::new(Limiter::token_bucket(Quota::per_day(1_000)));
        limited(direct(), Arc::new(queue), Duration::ZERO)
    }

    #[track_caller]
    fn assert_waits(error: ClientError<reqwest::Error>, secs: u64) {
        let ClientError::TooLate { retry_after } = error else { panic!("{error:?}") };
        assert!((secs - 60..=secs + 1).contains(&retry_after.as_secs()), "{retry_after:?}");
    }

    #[tokio::test]
    async fn after_a_denial_nothing_is_sent() {
        let url = upstream(0, Quota::per_day(4)).await.unwrap();
        let (client, another) = (impatient(), direct());
        // Each spends from the same quota.
        for left in [3, 1] {
            let response = client.clone().oneshot(get(&url).unwrap()).await.unwrap();
            let field = response.headers()["ratelimit"].to_str().unwrap().to_owned();
            assert!(field.starts_with(&format!(r#""default";r={left};"#)), "{field}");
            assert_eq!(response.text().await.unwrap(), "hello\n");
            assert_eq!(another.get(&url).send().await.unwrap().status(), 200);
        }
        // The response said that one permit was left, which the other took meanwhile.
        let denied = client.clone().oneshot(get(&url).unwrap()).await.unwrap();
        assert_eq!(denied.status(), 429);
        // From now on the client knows.
        assert_waits(client.oneshot(get(&url).unwrap()).await.unwrap_err(), 21_600);
    }

    #[tokio::test]
    async fn a_response_that_leaves_nothing_is_heeded() {
        let url = upstream(0, Quota::per_day(2)).await.unwrap();
        let client = impatient();
        for _ in 0..2 {
            assert_eq!(client.clone().oneshot(get(&url).unwrap()).await.unwrap().status(), 200);
        }
        for _ in 0..9 {
            let error = client.clone().oneshot(get(&url).unwrap()).await.unwrap_err();
            assert_waits(error, 43_200);
        }
    }
}
