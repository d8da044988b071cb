//! The live page and what it calls.

use crate::feed::Feed;
use crate::live::Live;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use casgate::{ParseQuotaError, Quota};
use casgate_tower::config::SetQuotaError;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::{Stream, StreamExt};

const PAGE: &str = include_str!("page.html");

/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// The longest text of a quota.
const LONGEST: usize = 200;

#[derive(Clone, Debug)]
struct Shown {
    live: Arc<Live>,
    feed: Arc<Feed>,
}

/// Makes the router of the page, for a loopback address.
pub(crate) fn router(live: Arc<Live>, feed: Arc<Feed>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/events", get(events))
        .route("/quota/{name}", get(quota).post(set_quota))
        .layer(middleware::from_fn(guard))
        .layer(axum::extract::DefaultBodyLimit::max(LONGEST))
        .with_state(Shown { live, feed })
}

/// Keeps other sites out of a page without a password. Their scripts can reach a loopback address through the browser:
/// under a name of their own, which `Host` shows, or with a form, whose `Origin` is another.
async fn guard(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "The page is for this machine alone.\n").into_response()
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(host) = text(HOST) else { return false };
    let is_loopback = host.parse().is_ok_and(|host: Authority| {
        let name = host.host().trim_matches(['[', ']']);
        name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    });
    let is_same_origin = text(ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
    is_loopback && is_same_origin
}

async fn page() -> impl IntoResponse {
    const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; \
        script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(PAGE))
}

async fn events(State(shown): State<Shown>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = shown.feed.ticks();
    Sse::new(ticks.map(|tick| Ok(Event::default().retry(RETRY).data(tick))))
}

async fn quota(
    State(shown): State<Shown>,
    Path(name): Path<String>,
) -> Result<String, (StatusCode, String)> {
    let policy = shown.live.policies.get(&name);
    let policy = policy.ok_or((StatusCode::NOT_FOUND, SetQuotaError::NoSuchPolicy.to_string()))?;
    Ok(policy.quota().to_string())
}

/// Changes a quota, and returns its canonical text.
async fn set_quota(
    State(shown): State<Shown>,
    Path(name): Path<String>,
    text: String,
) -> Result<String, (StatusCode, String)> {
    let quota: Quota = text
        .trim()
        .parse()
        .map_err(|error: ParseQuotaError| (StatusCode::BAD_REQUEST, error.to_string()))?;
    shown.live.set_quota(&name, quota).map_err(|error| {
        let status = match error {
            SetQuotaError::NoSuchPolicy => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, error.to_string())
    })?;
    Ok(quota.to_string())
}
