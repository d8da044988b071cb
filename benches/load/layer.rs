//! What a layer adds to a request, without a network: the time of a service that answers at once, alone and behind
//! layers, and what it allocates. `cargo bench --bench layer`
//!
//! The variants take turns, in rounds, and the table has the medians. No request is denied.

use allocation_counter::measure;
use bytes::Bytes;
use casgate::Quota;
use casgate_tower::fields::Fields;
use casgate_tower::{Peer, Policy, RateLimitLayer};
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tower::{Layer, Service};

const ROUNDS: usize = 41;
const REQUESTS: u32 = 20_000;
const QUOTA: Quota = Quota::per_second(1_000_000);

type Request = http::Request<()>;

/// Answers at once, with a header as most servers write.
#[derive(Clone)]
struct Answers;

impl Service<Request> for Answers {
    type Response = http::Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<http::Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        let mut response = http::Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
        ready(Ok(response))
    }
}

/// A request of one of a thousand clients.
fn request(i: u32) -> Request {
    let mut request = Request::default();
    request.extensions_mut().insert(Peer([10, 0, (i % 1_000 / 256) as u8, (i % 256) as u8].into()));
    request
}

fn call<S: Service<Request>>(service: &mut S, request: Request) {
    let response = service.call(request);
    assert!(pin!(response).poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

/// A variant: how long one request took, and how many allocations.
type Variant = (&'static str, Box<dyn FnMut() -> (f64, u64)>);

fn variant<S: Service<Request> + 'static>(name: &'static str, mut service: S) -> Variant {
    let run = move || {
        let start = Instant::now();
        for i in 0..REQUESTS {
            call(&mut service, request(i));
        }
        let nanos = start.elapsed().as_nanos() as f64 / f64::from(REQUESTS);
        (nanos, measure(|| call(&mut service, request(0))).count_total)
    };
    (name, Box::new(run))
}

fn main() {
    let client = || Policy::per_client(QUOTA, 100_000);
    let one = || RateLimitLayer::new(client());
    let two = || RateLimitLayer::all([client(), Policy::global(QUOTA).named("all")]);
    let mut variants = [
        variant("the service alone", Answers),
        variant("a limit for each client, no fields", one().fields(Fields::NONE).layer(Answers)),
        variant("a limit for each client", one().layer(Answers)),
        variant("and one for all, no fields", two().fields(Fields::NONE).layer(Answers)),
        variant("and one for all", two().layer(Answers)),
    ];
    let mut runs = vec![Vec::with_capacity(ROUNDS); variants.len()];
    for _ in 0..ROUNDS {
        for (runs, (_, run)) in runs.iter_mut().zip(&mut variants) {
            runs.push(run());
        }
    }
    println!("| | ns a request | more than alone | allocations |");
    println!("|---|---:|---:|---:|");
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    for (of_variant, (name, _)) in runs.iter().zip(&variants) {
        let mut nanos: Vec<f64> = of_variant.iter().map(|run| run.0).collect();
        // Of two runs of one round.
        let mut more: Vec<f64> =
            of_variant.iter().zip(&runs[0]).map(|(run, alone)| run.0 - alone.0).collect();
        let allocations = of_variant.last().expect("a round").1;
        println!(
            "| {name} | {:.0} | {:.0} | {allocations} |",
            median(&mut nanos),
            median(&mut more)
        );
    }
}
