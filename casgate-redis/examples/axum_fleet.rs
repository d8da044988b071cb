//! An axum server whose limit holds for all its instances together.
//!
//! ```text
//! cargo run --release -p casgate-redis --example axum_fleet -- --port 3000 &
//! cargo run --release -p casgate-redis --example axum_fleet -- --port 3001 &
//! for i in $(seq 30); do curl -si 127.0.0.1:$((3000 + i % 2)) | head -1; done
//! ```
//!
//! Of each ten seconds' requests to both, about as many are served as to one. Without Redis at 127.0.0.1 each admits its
//! half of the limit.

use axum::Router;
use axum::routing::get;
use casgate::Quota;
use casgate_redis::{Fleet, FleetLimiter, FleetQuota, OnUnavailable};
use casgate_tower::{Policy, RateLimitLayer};
use clap::Parser;
use std::error::Error;
use std::net::Ipv4Addr;

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value = "redis://127.0.0.1/")]
    redis: String,
    #[arg(long, default_value_t = 3_000)]
    port: u16,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let quota = Quota::per_second(1).with_burst(10);
    let fleet = Fleet::connect(arguments.redis.as_str())?;
    let shared = FleetQuota::rate(quota).on_unavailable(OnUnavailable::share(2));
    let limiter: FleetLimiter = fleet.limiter("axum", shared)?;

    let ask = |limiter: FleetLimiter, n| async move { limiter.ask(n).await };
    let policy = Policy::over_awaited(limiter, quota, ask).named("fleet");
    let app = Router::new().route("/", get(async || "hello\n")).layer(RateLimitLayer::new(policy));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
