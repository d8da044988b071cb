//! The clients of the demo.

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::f64::consts::TAU;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How a client behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Temper {
    /// Sends a few requests a second, evenly.
    Steady,
    /// Sends nothing for a while, and then much at once.
    Bursty,
    /// Sends more than it may, all the time.
    Flood,
    /// Tries passwords.
    Guesser,
    /// Searches for everything.
    Crawler,
    /// Is many clients, of whom now more and now fewer are there.
    Crowd,
}

/// How often a client looks whether it is time to send.
const STEP: Duration = Duration::from_millis(50);

/// The most requests that a client has under way.
const UNDER_WAY: usize = 200;

impl Temper {
    pub(crate) const ALL: [Self; 6] =
        [Self::Steady, Self::Bursty, Self::Flood, Self::Guesser, Self::Crawler, Self::Crowd];

    /// Requests per second at a time.
    fn rate(self, seconds: f64) -> f64 {
        let wave = |period: f64| 0.5 - 0.5 * (seconds * TAU / period).cos();
        match self {
            Self::Steady => 8.0,
            Self::Bursty if seconds % 7.0 < 0.4 => 180.0,
            Self::Bursty => 0.5,
            Self::Flood => 70.0 + 40.0 * wave(11.0),
            Self::Guesser => 2.0 + 12.0 * wave(17.0),
            Self::Crawler => 2.0 + 18.0 * wave(23.0),
            Self::Crowd => 5.0 + 60.0 * wave(31.0),
        }
    }

    /// What it asks for.
    fn request(self) -> (Method, &'static str) {
        match self {
            Self::Guesser => (Method::POST, "/login"),
            Self::Crawler => (Method::GET, "/search?q=everything"),
            Self::Crowd if fastrand::u8(..100) < 5 => (Method::GET, "/search?q=one+thing"),
            Self::Crowd if fastrand::u8(..100) < 1 => (Method::POST, "/login"),
            _ => (Method::GET, "/items/1"),
        }
    }

    /// The address that it is known by: of the networks for documentation.
    fn address(self) -> Ipv4Addr {
        match self {
            Self::Crowd => Ipv4Addr::new(198, 51, 100, fastrand::u8(1..=200)),
            // Four share the work, the first most of it.
            Self::Flood | Self::Guesser | Self::Crawler => {
                let which = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3][fastrand::usize(..10)];
                Ipv4Addr::new(192, 0, 2, self as u8 * 10 + which)
            }
            Self::Steady | Self::Bursty => Ipv4Addr::new(192, 0, 2, self as u8 * 10),
        }
    }
}

/// Sends requests until the task is dropped.
pub(crate) async fn send(temper: Temper, gateway: SocketAddr) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let (start, mut last) = (Instant::now(), Instant::now());
    let mut steps = tokio::time::interval(STEP);
    let mut under_way = JoinSet::new();
    loop {
        steps.tick().await;
        let expected = temper.rate(start.elapsed().as_secs_f64()) * last.elapsed().as_secs_f64();
        last = Instant::now();
        // Rounded at random, so that the mean is right.
        let count = (expected + fastrand::f64()) as usize;
        while under_way.try_join_next().is_some() {}
        for _ in 0..count.min(UNDER_WAY.saturating_sub(under_way.len())) {
            let (method, path) = temper.request();
            let request = Request::builder()
                .method(method)
                .uri(format!("http://{gateway}{path}"))
                .header("x-forwarded-for", temper.address().to_string())
                .body(Body::empty())
                .expect("its parts are valid");
            let answer = client.request(request);
            under_way.spawn(async move {
                // A denied request is no reason to stop, and neither is a gateway that is gone.
                if let Ok(answer) = answer.await {
                    let _ = answer.into_body().collect().await; // so that the connection stays
                }
            });
        }
    }
}
