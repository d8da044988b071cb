//! The reverse proxy.

use crate::hop;
use crate::upstream::Upstream;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a connection to the upstream may take.
const CONNECT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
struct Proxy {
    upstream: Upstream,
    client: Client<HttpConnector, Body>,
}

/// Makes a router that passes every request on. Bodies stream through in both directions.
pub(crate) fn router(upstream: Upstream) -> Router {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    Router::new().fallback(pass_on).with_state(Proxy { upstream, client })
}

async fn pass_on(
    State(proxy): State<Proxy>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let Some(uri) = proxy.upstream.at(request.uri()) else {
        return (StatusCode::BAD_REQUEST, "The request names no path.\n").into_response();
    };
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    hop::strip(request.headers_mut());
    hop::forward(request.headers_mut(), peer.ip());
    match proxy.client.request(request).await {
        Ok(mut response) => {
            hop::strip(response.headers_mut());
            response.map(Body::new)
        }
        // What is wrong behind the gateway is not for its clients to know.
        Err(_) => (StatusCode::BAD_GATEWAY, "The upstream does not answer.\n").into_response(),
    }
}
