//! A limit for each client, in ten lines of an axum server.
//!
//! ```sh
//! cargo run --example axum_client
//! ```
//!
//! A client may send 100 requests an hour, 5 of them at once. The first response says how many are left:
//!
//! ```sh
//! curl -i http://127.0.0.1:3000/
//! # HTTP/1.1 200 OK
//! # ratelimit-policy: "default";q=100;w=3600;casgate-burst=5
//! # ratelimit: "default";r=4;t=144
//! ```
//!
//! The sixth is denied, and says when to come again:
//!
//! ```sh
//! for i in 2 3 4 5 6; do curl -i http://127.0.0.1:3000/; done
//! # HTTP/1.1 429 Too Many Requests
//! # content-type: application/problem+json
//! # retry-after: 36
//! # ratelimit: "default";r=0;t=36
//! #
//! # {"title":"Too Many Requests","status":429}
//! ```

use axum::Router;
use axum::routing::get;
use casgate::Quota;
use casgate_tower::RateLimitLayer;
use clap::Parser;
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Limits each client by its address.
#[derive(Debug, Parser)]
struct Args {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(default_value_t = 3000)]
    port: u16,
}

fn app() -> Router {
    // There is room for 100,000 clients at a time.
    let limit = RateLimitLayer::per_client(Quota::per_hour(100).with_burst(5), 100_000);
    Router::new().route("/", get(|| async { "hello\n" })).layer(limit)
}

async fn serve(listener: TcpListener) -> std::io::Result<()> {
    // Without the connection's info the server knows no client, and answers 500.
    axum::serve(listener, app().into_make_service_with_connect_info::<SocketAddr>()).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", Args::parse().port)).await?;
    println!("http://{}/", listener.local_addr()?);
    Ok(serve(listener).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt;

    #[tokio::test]
    async fn the_sixth_request_of_a_client_is_denied() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(serve(listener));

        // Whatever proxy the machine has, the server is not behind it.
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let get = async || client.get(&url).send().await.unwrap();
        let first = get().await;
        assert_eq!(first.status(), 200);
        let policy = r#""default";q=100;w=3600;casgate-burst=5"#;
        assert_eq!(first.headers()["ratelimit-policy"], policy);
        assert_eq!(first.headers()["ratelimit"], r#""default";r=4;t=144"#);
        for _ in 2..=5 {
            assert_eq!(get().await.status(), 200);
        }

        let denied = get().await;
        assert_eq!(denied.status(), 429);
        assert_eq!(denied.headers()["content-type"], "application/problem+json");
        let wait = denied.headers()["retry-after"].to_str().unwrap().to_owned();
        // Time passes, and the limiter may round up its own half a microsecond.
        assert!((30..=37).contains(&wait.parse().unwrap()), "{wait}");
        assert_eq!(denied.headers()["ratelimit"], format!(r#""default";r=0;t={wait}"#));
        let body = denied.text().await.unwrap();
        assert_eq!(body, r#"{"title":"Too Many Requests","status":429}"#);
    }

    #[tokio::test]
    async fn a_request_of_no_known_client_is_the_servers_mistake() {
        let response = app().oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
