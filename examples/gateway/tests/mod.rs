//! Tests of the gateway over real connections.

#[cfg(feature = "chromium")]
mod browser;
mod limits;
mod page;
mod proxying;
mod reload;
mod stop;
mod tick;

use crate::gateway::{Gateway, Options};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::net::TcpListener;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Serves the router on a free port until the test ends.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// An upstream that answers "served" to everything.
async fn serving() -> SocketAddr {
    serve(Router::new().fallback(async || "served")).await
}

/// A gateway, and the directory with its file of policies.
struct Setup {
    gateway: Gateway,
    file: PathBuf,
    _dir: TempDir,
}

impl Setup {
    async fn new(upstream: String, policies: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("policies.toml");
        fs::write(&file, policies).unwrap();
        let options = Options {
            listen: ANY_PORT,
            page_listen: ANY_PORT,
            upstream: upstream.parse().unwrap(),
            config: Some(file.clone()),
        };
        Self { gateway: Gateway::start(options).await.unwrap(), file, _dir: dir }
    }

    /// The status of a request to the upstream, of the client that a trusted proxy names.
    async fn status(&self, client: &str) -> u16 {
        let request = Request::get(format!("http://{}/", self.gateway.address()));
        let request = request.header("x-forwarded-for", client).body(Body::empty()).unwrap();
        send(request).await.status.as_u16()
    }

    /// Calls the page.
    async fn page(&self, method: Method, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method);
        let request = request.uri(format!("http://{}{path}", self.gateway.page_address()));
        send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn quota(&self, name: &str) -> String {
        self.page(Method::GET, &format!("/quota/{name}"), "").await.body
    }
}

/// Policies that give nothing back while a test runs, for clients that are told apart by `X-Forwarded-For`.
fn per_client(quota: &str) -> String {
    format!(
        r#"
        client = {{ trusted = ["127.0.0.0/8"], header = "x-forwarded-for" }}
        [[policies]]
        name = "client"
        quota = "{quota}"
        key = "client"
        "#
    )
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn send(request: Request<Body>) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}
