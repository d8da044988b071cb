//! The demo: an upstream, and clients that send requests to the gateway.

use crate::traffic::{self, Temper};
use crate::upstream::Upstream;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// An upstream and clients, which stop when it is dropped.
#[derive(Debug)]
pub(crate) struct Demo {
    address: SocketAddr,
    tasks: JoinSet<()>,
}

impl Demo {
    /// Starts the upstream on a free port.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _ = axum::serve(listener, upstream()).await;
        });
        Ok(Self { address, tasks })
    }

    pub(crate) fn upstream(&self) -> Upstream {
        format!("http://{}", self.address).parse().expect("it is the address of a server")
    }

    /// Starts the clients.
    pub(crate) fn with_traffic_to(mut self, gateway: SocketAddr) -> Self {
        for temper in Temper::ALL {
            self.tasks.spawn(traffic::send(temper, gateway));
        }
        self
    }
}

/// A server that thinks a little before it answers.
fn upstream() -> Router {
    let think = || tokio::time::sleep(Duration::from_millis(fastrand::u64(2..20)));
    Router::new()
        .route(
            "/login",
            post(move || async move {
                think().await;
                (StatusCode::UNAUTHORIZED, "The password is wrong.\n")
            }),
        )
        .fallback(get(move || async move {
            think().await;
            "An item.\n"
        }))
}
