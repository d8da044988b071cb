//! A reverse proxy with rate limits and a live page: `cargo run --release --example gateway`.
//!
//! Without arguments it starts a demo: an upstream and a few clients of different temper, in this process, over real
//! HTTP. Open the page that it names, watch the charts, and move a slider: the new quota holds at once.
//!
//! With an upstream of your own there is no demo:
//!
//! ```sh
//! cargo run --release --example gateway -- --upstream http://127.0.0.1:3000 --config policies.toml
//! ```
//!
//! `examples/gateway/policies.toml` is a file to start from. The gateway reads it each second, and a change holds at
//! once. A file with a mistake is reported on the page, and changes nothing.
//!
//! The page has no password, so it listens on a loopback address alone. It is never on the public port.
//!
//! What it leaves out: TLS, HTTP/2, upgrades such as WebSocket, several upstreams, and time limits for slow requests.

mod demo;
mod feed;
mod file;
mod gateway;
mod hop;
mod live;
mod page;
mod proxy;
mod tally;
#[cfg(test)]
mod tests;
mod tick;
mod top;
mod traffic;
mod upstream;

use clap::Parser;
use demo::Demo;
use gateway::{Gateway, Options};
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use upstream::Upstream;

/// Limits requests on their way to an upstream, and shows how on a live page.
#[derive(Debug, Parser)]
struct Args {
    /// Where clients send their requests
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// Where the live page is: a loopback address, since it has no password
    #[arg(long, default_value = "127.0.0.1:8081", value_parser = loopback)]
    page_listen: SocketAddr,

    /// Where requests go, such as http://127.0.0.1:3000; without it there is a demo
    #[arg(long)]
    upstream: Option<Upstream>,

    /// The policies, in TOML, read again when the file changes; without it they are those of the demo
    #[arg(long)]
    config: Option<PathBuf>,
}

/// How long requests may take that are under way when the gateway stops.
const GRACE: Duration = Duration::from_secs(10);

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "it is not an address with a port")?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("the page has no password: it needs a loopback address, such as 127.0.0.1".into())
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (upstream, demo) = match args.upstream {
        Some(upstream) => (upstream, None),
        None => {
            let demo = Demo::start().await?;
            (demo.upstream(), Some(demo))
        }
    };
    let gateway = Gateway::start(Options {
        listen: args.listen,
        page_listen: args.page_listen,
        upstream: upstream.clone(),
        config: args.config,
    })
    .await?;
    let note = if demo.is_some() { " (a demo, with clients of its own)" } else { "" };
    println!("http://{} to {upstream}{note}", gateway.address());
    println!("http://{} shows what happens", gateway.page_address());
    let demo = demo.map(|demo| demo.with_traffic_to(gateway.address()));

    let (pressed, mut ctrl_c) = tokio::sync::mpsc::unbounded_channel();
    ctrlc::set_handler(move || {
        let _ = pressed.send(());
    })?;
    ctrl_c.recv().await;
    drop(demo);
    tokio::select! {
        () = gateway.stop() => Ok(()),
        () = tokio::time::sleep(GRACE) => Err("some requests took too long to wait for".into()),
        _ = ctrl_c.recv() => Ok(()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}
