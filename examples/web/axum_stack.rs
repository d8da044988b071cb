//! A stack of limits on an axum server behind a proxy: each client before authentication, each user after it.
//!
//! ```sh
//! cargo run --example axum_stack
//! ```
//!
//! The server trusts a proxy on the same host, so `curl` can play one. The fields have a line of the user's two quotas and
//! one of the client's. A report costs 100 permits of the hour.
//!
//! ```sh
//! curl -i -H 'x-forwarded-for: 203.0.113.9' -H 'authorization: Bearer ada' http://127.0.0.1:3000/api/reports/2026
//! # HTTP/1.1 200 OK
//! # ratelimit-policy: "burst";q=10;w=1, "hourly";q=1000;w=3600
//! # ratelimit: "burst";r=9;t=1, "hourly";r=900;t=3240
//! # ratelimit-policy: "client";q=600;w=3600;casgate-burst=20
//! # ratelimit: "client";r=19;t=114
//! ```
//!
//! A request without a token counts for its client, so guessing tokens is limited. Health checks cost nothing.
//!
//! ```sh
//! for i in $(seq 21); do curl -s -o /dev/null -w '%{http_code} ' -H 'x-forwarded-for: 203.0.113.10' http://127.0.0.1:3000/api/items; done
//! # 401 401 … 401 429
//! curl -H 'x-forwarded-for: 203.0.113.10' http://127.0.0.1:3000/healthz
//! # ok
//! ```

use axum::extract::{MatchedPath, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{StatusCode, request::Parts};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::{Router, routing::get};
use casgate::{KeyedLimiter, Quota};
use casgate_tower::address::{ClientAddress, ForwardedHeader, Network};
use casgate_tower::{KeyBy, Policy, RateLimitLayer};
use clap::Parser;
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Limits clients behind a proxy, and users.
#[derive(Debug, Parser)]
struct Args {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(default_value_t = 3000)]
    port: u16,

    /// What a client may send, with a token or without
    #[arg(long, default_value = "600/h burst 20")]
    client: Quota,

    /// What a user may send in a short time
    #[arg(long, default_value = "10/s")]
    burst: Quota,

    /// What a user may send in the long run
    #[arg(long, default_value = "1000/h")]
    hourly: Quota,

    /// The same for a user who pays
    #[arg(long, default_value = "10000/h")]
    hourly_paid: Quota,
}

/// Who sends the request, as the token says.
#[derive(Clone, Copy)]
struct User {
    id: u64,
    pays: bool,
}

/// Finds the user of a token. It stands for the real thing.
async fn authenticate(mut request: Request, next: Next) -> Result<Response, StatusCode> {
    let token = request.headers().get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
    let user = match token.as_bytes() {
        b"Bearer ada" => User { id: 1, pays: false },
        b"Bearer grace" => User { id: 2, pays: true },
        _ => return Err(StatusCode::UNAUTHORIZED),
    };
    request.extensions_mut().insert(user);
    Ok(next.run(request).await)
}

fn user(parts: &Parts) -> Option<&User> {
    parts.extensions.get()
}

/// The path is that of the route, whatever it is nested in: `/api/reports/{year}`.
fn cost(parts: &Parts) -> u32 {
    match parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str) {
        Some("/api/reports/{year}") => 100,
        _ => 1,
    }
}

fn app(args: &Args) -> Router {
    let address = ClientAddress::behind(Network::loopback(), ForwardedHeader::XForwardedFor);
    let per_client = Policy::per_key(args.client, 100_000, KeyBy::client(address))
        .named("client")
        .exempt(|parts| parts.uri.path() == "/healthz");

    let by_user = KeyBy::new(|parts| user(parts).map(|user| user.id));
    let burst = Policy::per_key(args.burst, 10_000, by_user.clone()).named("burst");
    let plans = KeyedLimiter::token_bucket(args.hourly, 10_000).with_tiers([args.hourly_paid]);
    let hourly = Policy::over_keyed(plans, args.hourly, by_user)
        .tiers([args.hourly_paid], |parts| user(parts).map_or(0, |user| user.pays.into()))
        .cost(cost)
        .named("hourly");

    let api = Router::new()
        .route("/items", get(|| async { "items\n" }))
        .route("/reports/{year}", get(|| async { "a report\n" }))
        .layer(RateLimitLayer::all([burst, hourly]))
        .layer(from_fn(authenticate)); // what is added later is asked earlier
    Router::new()
        .nest("/api", api)
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(RateLimitLayer::new(per_client))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let listener = TcpListener::bind(("127.0.0.1", args.port)).await?;
    println!("http://{}/", listener.local_addr()?);
    let app = app(&args).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use tower::ServiceExt;

    fn app_with(args: &[&str]) -> Router {
        app(&Args::parse_from([&["axum_stack"], args].concat()))
    }

    /// Sends a request as the proxy does, with this `X-Forwarded-For`.
    async fn send(app: &Router, client: &str, token: &str, path: &str) -> Response {
        let mut request = Request::get(path).header("x-forwarded-for", client);
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let proxy = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000)));
        let request = request.extension(proxy).body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap()
    }

    /// Returns how many of `n` requests pass before one is denied.
    async fn passing(app: &Router, n: u32, client: &str, token: &str, path: &str) -> u32 {
        for i in 0..n {
            if send(app, client, token, path).await.status() == 429 {
                return i;
            }
        }
        n
    }

    #[tokio::test]
    async fn each_response_tells_of_three_policies() {
        let response = send(&app_with(&[]), "203.0.113.9", "ada", "/api/reports/2026").await;
        assert_eq!(response.status(), 200);
        let lines = |name| response.headers().get_all(name).iter().collect::<Vec<_>>();
        let [user, client] = lines("ratelimit-policy")[..] else { panic!("{response:?}") };
        assert_eq!(user, r#""burst";q=10;w=1, "hourly";q=1000;w=3600"#);
        assert_eq!(client, r#""client";q=600;w=3600;casgate-burst=20"#);
        let [user, client] = lines("ratelimit")[..] else { panic!("{response:?}") };
        assert_eq!(user, r#""burst";r=9;t=1, "hourly";r=900;t=3240"#);
        assert_eq!(client, r#""client";r=19;t=114"#);
    }

    #[tokio::test]
    async fn a_client_is_limited_before_it_has_a_token() {
        let app = app_with(&["--client=20/day"]);
        assert_eq!(send(&app, "203.0.113.10", "", "/api/items").await.status(), 401);
        let ask = |client, path| passing(&app, 30, client, "", path);
        assert_eq!(ask("203.0.113.10", "/api/items").await, 19);
        // What the client itself put into the header changes nothing.
        assert_eq!(ask("192.0.2.1, 203.0.113.10", "/api/items").await, 0);
        assert_eq!(ask("203.0.113.10", "/healthz").await, 30);
        assert_eq!(ask("203.0.113.11", "/api/items").await, 20);
    }

    #[tokio::test]
    async fn a_user_is_limited_over_all_clients_and_routes_and_by_plan() {
        let quotas = ["--client=99/d", "--burst=50/d", "--hourly=1000/d", "--hourly-paid=4000/d"];
        let app = app_with(&quotas);
        assert_eq!(passing(&app, 30, "203.0.113.9", "ada", "/api/reports/2026").await, 10);
        assert_eq!(passing(&app, 30, "203.0.113.10", "ada", "/api/items").await, 0);
        assert_eq!(passing(&app, 60, "203.0.113.9", "grace", "/api/reports/2026").await, 40);
        assert_eq!(passing(&app, 60, "203.0.113.11", "grace", "/api/items").await, 0);
    }
}
