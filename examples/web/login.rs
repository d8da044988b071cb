//! A login where failures alone are limited, by client and by account.
//!
//! ```sh
//! cargo run --example login
//! ```
//!
//! A wrong password costs a permit of the client and one of the account. The right one gives both back.
//!
//! ```sh
//! curl -w '%{http_code}\n' -d guess http://127.0.0.1:3000/login/ada
//! # wrong name or password
//! # 401
//! curl -w '%{http_code}\n' -d 'correct horse' http://127.0.0.1:3000/login/ada
//! # welcome
//! # 200
//! ```
//!
//! An account has 5 failures at once and then 5 an hour, wherever they come from. A client has 20, whatever it tries.
//! After the fifth even the right password is denied, unread:
//!
//! ```sh
//! for i in 2 3 4 5; do curl -d guess http://127.0.0.1:3000/login/ada; done
//! curl -i -d 'correct horse' http://127.0.0.1:3000/login/ada
//! # HTTP/1.1 429 Too Many Requests
//! # retry-after: 720
//! #
//! # {"title":"Too Many Requests","status":429}
//! ```
//!
//! # What an attacker sees
//!
//! - Many guesses at once get no further than one after the other: each is charged before the password is read.
//! - A name without an account answers and counts as one with an account.
//! - No header field tells how many guesses are left. Only `Retry-After` hints at which of the two limits denies.
//! - A success of the attacker's own gives back what it cost itself, and no failure. One that is held back while permits
//!   return gives them back later, so limit how long a request may take.
//! - The owner of an account under attack is denied too, from any address. Where that is worse than a slow guess, give the
//!   account a larger quota, or let a second factor pass by `exempt`.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use casgate::Quota;
use casgate_tower::fields::Fields;
use casgate_tower::{KeyBy, Policy, RateLimitLayer};
use clap::Parser;
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Limits failed logins by client and by account.
#[derive(Debug, Parser)]
struct Args {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(default_value_t = 3000)]
    port: u16,
}

/// The account that someone wants to enter, in the form in which accounts are told apart.
#[derive(Clone, Hash)]
struct Account(String);

/// Reads the account where the layer can find it. `ADA` and `%61da` must not be two accounts, or each way to write a name
/// has a limit of its own.
async fn name_account(Path(name): Path<String>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Account(name.to_lowercase()));
    next.run(request).await
}

/// It stands for the real thing, which takes as long for a name without an account.
async fn login(
    Extension(Account(name)): Extension<Account>,
    password: String,
) -> (StatusCode, &'static str) {
    match (name.as_str(), password.as_str()) {
        ("ada", "correct horse") | ("mallory", "secret") => (StatusCode::OK, "welcome\n"),
        _ => (StatusCode::UNAUTHORIZED, "wrong name or password\n"),
    }
}

fn app() -> Router {
    let by_account = KeyBy::borrowed(|parts| parts.extensions.get::<Account>());
    let client = Policy::per_client(Quota::per_hour(20), 100_000).named("client");
    let account = Policy::per_key(Quota::per_hour(5), 100_000, by_account).named("account");
    // Both admit a guess, or it is charged to neither.
    let failures = [client, account].map(|policy| policy.refund_on([StatusCode::OK]));
    Router::new()
        .route("/login/{name}", post(login))
        .layer(RateLimitLayer::all(failures).fields(Fields::NONE))
        // What is added later is asked earlier.
        .layer(from_fn(name_account))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", Args::parse().port)).await?;
    println!("http://{}/login/ada", listener.local_addr()?);
    let app = app().into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use casgate_tower::Peer;
    use tower::ServiceExt;

    async fn try_at(app: &Router, client: u8, name: &str, password: &'static str) -> Response {
        let request = Request::post(format!("/login/{name}"))
            .extension(Peer([192, 0, 2, client].into()))
            .body(Body::from(password))
            .unwrap();
        app.clone().oneshot(request).await.unwrap()
    }

    async fn status(app: &Router, client: u8, name: &str, password: &'static str) -> u16 {
        try_at(app, client, name, password).await.status().as_u16()
    }

    #[tokio::test]
    async fn failures_alone_are_counted_by_account() {
        let app = app();
        for (client, name) in [(1, "ada"), (2, "ADA"), (3, "%61da"), (4, "ada"), (5, "Ada")] {
            for _ in 0..30 {
                assert_eq!(status(&app, client, "ada", "correct horse").await, 200);
            }
            assert_eq!(status(&app, client, name, "guess").await, 401);
        }
        let denied = try_at(&app, 6, "ada", "correct horse").await;
        assert_eq!(denied.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait = denied.headers()["retry-after"].to_str().unwrap();
        assert!((700..=721).contains(&wait.parse().unwrap()), "{wait}");
        assert!(!denied.headers().contains_key("ratelimit"));
        assert_eq!(status(&app, 6, "grace", "guess").await, 401);
    }

    /// One client tries one password at many accounts, between logins of its own.
    #[tokio::test]
    async fn failures_alone_are_counted_by_client() {
        let app = app();
        for i in 0..20 {
            assert_eq!(status(&app, 7, &format!("user-{i}"), "guess").await, 401);
            assert_eq!(status(&app, 7, "mallory", "secret").await, if i < 19 { 200 } else { 429 });
        }
        assert_eq!(status(&app, 7, "user-20", "guess").await, 429);
        // The account is charged nothing by what its client is denied.
        for _ in 0..5 {
            assert_eq!(status(&app, 8, "user-20", "guess").await, 401);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_guesses_at_once_get_no_further() {
        let app = app();
        let guesses = (0..200).map(|i| {
            let app = app.clone();
            tokio::spawn(async move { status(&app, i, "ada", "guess").await })
        });
        let mut read = 0;
        for guess in guesses.collect::<Vec<_>>() {
            read += u32::from(guess.await.unwrap() == 401);
        }
        assert_eq!(read, 5);
    }
}
