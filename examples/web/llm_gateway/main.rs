//! A gateway to a language model: each API key has a budget of requests and one of tokens, by its plan.
//!
//! ```sh
//! cargo run --example llm_gateway -- --tokens 10000/d
//! ```
//!
//! How many tokens an answer takes is known at its end. So a request is charged an estimate, and its response corrects
//! it. The mock of a model answers with as many words as the prompt says. The estimates are 102 here, and the first answer
//! takes 3:
//!
//! ```sh
//! ask() { curl -i -H 'x-api-key: free' -H 'x-max-tokens: 100' -d "$1" http://127.0.0.1:3000/v1/"${2:-complete}"; }
//! ask 'write 3'
//! # ratelimit: "requests";r=59;t=59, "tokens";r=9997;t=86375
//! ask 'write 3'
//! # ratelimit: "requests";r=58;t=58, "tokens";r=9994;t=86349
//! ```
//!
//! An answer that takes more than is left puts the budget into debt. The next request waits for all of it:
//!
//! ```sh
//! ask 'write 20000'
//! # HTTP/1.1 200 OK
//! ask 'write 3'
//! # HTTP/1.1 429 Too Many Requests
//! # retry-after: 87334
//! #
//! # {"type":"…#quota-exceeded","title":"Quota exceeded","status":429,"violated-policies":["tokens"]}
//! ```
//!
//! A stream (`ask 'write 3' stream`) has sent its head long before its end. It is settled by hand, through the
//! limiter that it shares with the policy.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, request::Parts};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router, routing::post};
use casgate::{KeyedLimiter, Quota};
use casgate_tower::fields::ProblemType;
use casgate_tower::{KeyBy, Policy, RateLimitLayer};
use clap::Parser;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Limits requests and tokens by API key.
#[derive(Debug, Parser)]
struct Args {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(default_value_t = 3000)]
    port: u16,

    /// Requests of a key
    #[arg(long, default_value = "60/min")]
    requests: Quota,

    /// Tokens of a key
    #[arg(long, default_value = "10000/min")]
    tokens: Quota,

    /// Tokens of a key with the better plan
    #[arg(long, default_value = "100000/min")]
    tokens_pro: Quota,
}

/// Whose API key it is. The plan is the tier of the limiter.
#[derive(Clone, Copy)]
struct Account {
    id: u64,
    plan: u16,
}

/// What the model says that it used, as an extension of the response.
#[derive(Clone, Copy)]
struct Usage(u32);

/// Keys that nobody was given must not have a budget: they are stopped before the layer.
async fn authenticate(mut request: Request, next: Next) -> Result<Response, StatusCode> {
    let account = match request.headers().get("x-api-key").map(|key| key.as_bytes()) {
        Some(b"free") => Account { id: 1, plan: 0 },
        Some(b"pro") => Account { id: 2, plan: 1 },
        _ => return Err(StatusCode::UNAUTHORIZED),
    };
    request.extensions_mut().insert(account);
    Ok(next.run(request).await)
}

fn account(parts: &Parts) -> Option<Account> {
    parts.extensions.get().copied()
}

/// A token is about 4 bytes of the prompt. The answer has as many as the client allows, or 500: tell the model the same.
/// It is never zero, which would pass a budget in debt.
fn estimate(parts: &Parts) -> u32 {
    let number = |name| parts.headers.get(name)?.to_str().ok()?.parse::<u32>().ok();
    let prompt = number("content-length").unwrap_or(4_000).div_ceil(4);
    prompt.saturating_add(number("x-max-tokens").unwrap_or(500)).max(1)
}

/// Stands for the model.
fn words(prompt: &str) -> u32 {
    prompt.rsplit(' ').find_map(|word| word.parse().ok()).unwrap_or(3)
}

async fn complete(prompt: String) -> impl IntoResponse {
    let n = words(&prompt);
    let answer: Value =
        json!({ "text": "word ".repeat(n as usize), "usage": { "total_tokens": n } });
    // An answer without a usage leaves the estimate.
    let used = answer["usage"]["total_tokens"].as_u64();
    (used.map(|n| Extension(Usage(n.try_into().unwrap_or(u32::MAX)))), Json(answer))
}

/// The tokens of a stream. Its end settles them, and so does a client that hangs up before.
struct Meter {
    tokens: Arc<KeyedLimiter>,
    account: Account,
    estimate: u32,
    used: u32,
}

impl Meter {
    fn count<W>(&mut self, word: W) -> W {
        self.used += 1;
        word
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // The policy's key is this very value, so the limiter finds the same budget under it.
        let budget = self.tokens.key(&self.account.id).tier(self.account.plan);
        match self.used.checked_sub(self.estimate) {
            // A key that a full table has no slot for keeps no debt.
            Some(missing) => drop(budget.charge(missing)),
            None => budget.refund_n(self.estimate - self.used),
        }
    }
}

async fn stream(
    State(tokens): State<Arc<KeyedLimiter>>,
    Extension(account): Extension<Account>,
    parts: Parts,
    prompt: String,
) -> Body {
    let mut meter = Meter { tokens, account, estimate: estimate(&parts), used: 0 };
    let words = stream::iter((0..words(&prompt)).map(|_| "word\n"));
    Body::from_stream(words.map(move |word| Ok::<_, Infallible>(meter.count(word))))
}

fn app(args: &Args) -> Router {
    let by_account = KeyBy::new(|parts| account(parts).map(|account| account.id));
    let requests = Policy::per_key(args.requests, 10_000, by_account.clone()).named("requests");
    let limiter = KeyedLimiter::token_bucket(args.tokens, 10_000).with_tiers([args.tokens_pro]);
    let limiter = Arc::new(limiter);
    let tokens = Policy::over_keyed(Arc::clone(&limiter), args.tokens, by_account)
        .tiers([args.tokens_pro], |parts| account(parts).map_or(0, |account| account.plan))
        .cost(estimate)
        .true_cost(|response| response.extensions.get::<Usage>().map(|usage| usage.0))
        .named("tokens");
    let limit = RateLimitLayer::all([requests, tokens]).problem_type(ProblemType::QuotaExceeded);
    Router::new()
        .route("/v1/complete", post(complete))
        .route("/v1/stream", post(stream))
        .layer(limit)
        // What is added later is asked earlier.
        .layer(from_fn(authenticate))
        .with_state(limiter)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let listener = TcpListener::bind(("127.0.0.1", args.port)).await?;
    println!("http://{}/v1/complete", listener.local_addr()?);
    Ok(axum::serve(listener, app(&args)).await?)
}

#[cfg(test)]
mod tests;
