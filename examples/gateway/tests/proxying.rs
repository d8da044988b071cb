//! What reaches the upstream, and what comes back.

use super::{ANY_PORT, Setup, per_client, send, serve, serving};
use crate::upstream::Upstream;
use axum::Router;
use axum::body::Body;
use axum::extract::Request as Asked;
use axum::http::{Request, StatusCode, Uri};
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::convert::Infallible;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Tells what it was asked, one thing a line.
async fn mirror(request: Asked) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let mut seen = vec![format!("{} {}", parts.method, parts.uri)];
    seen.extend(
        parts.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())),
    );
    let body = body.collect().await.unwrap().to_bytes();
    seen.push(format!("body: {}", String::from_utf8_lossy(&body)));
    let headers = [
        ("connection", "x-internal"),
        ("x-internal", "of this connection"),
        ("keep-alive", "timeout=5"),
        ("x-answer", "of the upstream"),
    ];
    (StatusCode::CREATED, headers, seen.join("\n"))
}

#[tokio::test]
async fn a_request_and_its_answer_pass_without_what_is_for_one_connection() {
    let upstream = serve(Router::new().fallback(mirror)).await;
    let setup = Setup::new(format!("http://{upstream}/base/"), &per_client("9/d")).await;
    let gateway = setup.gateway.address();
    let request = Request::put(format!("http://{gateway}/a%20b?c=d&e"))
        .header("connection", "x-secret, x-forwarded-for, keep-alive")
        .header("x-secret", "of this connection")
        .header("proxy-authorization", "Basic secret")
        .header("te", "trailers")
        .header("x-custom", "of the client")
        .body(Body::from("hello"));
    let answer = send(request.unwrap()).await;

    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.headers["x-answer"], "of the upstream");
    for name in ["connection", "x-internal", "keep-alive"] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
    let mut seen: Vec<&str> = answer.body.lines().collect();
    seen.sort_unstable();
    let host = format!("host: {upstream}");
    let forwarded = format!("x-forwarded-host: {gateway}");
    let expected = [
        "PUT /base/a%20b?c=d&e",
        "body: hello",
        "content-length: 5",
        &host,
        "x-custom: of the client",
        "x-forwarded-for: 127.0.0.1",
        &forwarded,
        "x-forwarded-proto: http",
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn the_peer_is_appended_to_the_lines_of_the_client() {
    let upstream = serve(Router::new().fallback(mirror)).await;
    let setup = Setup::new(format!("http://{upstream}"), &per_client("9/d")).await;
    let request = Request::get(format!("http://{}/", setup.gateway.address()))
        .header("x-forwarded-for", "203.0.113.1, 203.0.113.2")
        .header("x-forwarded-for", "203.0.113.3");
    let body = send(request.body(Body::empty()).unwrap()).await.body;
    let chain = "x-forwarded-for: 203.0.113.1, 203.0.113.2, 203.0.113.3, 127.0.0.1";
    assert!(body.lines().any(|line| line == chain), "{body}");
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    let upstream = serve(Router::new().fallback(async |body: Body| body)).await;
    let setup = Setup::new(format!("http://{upstream}"), &per_client("9/d")).await;
    let (sender, receiver) = mpsc::channel::<Result<&str, Infallible>>(1);
    let request = Request::post(format!("http://{}/", setup.gateway.address()));
    let request = request.body(Body::from_stream(ReceiverStream::new(receiver))).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();

    sender.send(Ok("first")).await.unwrap();
    let mut answer = client.request(request).await.unwrap().into_body();
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first");
    // It was there before the request had an end.
    sender.send(Ok("second")).await.unwrap();
    drop(sender);
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "second");
}

#[tokio::test]
async fn an_upstream_that_hangs_up_is_a_502() {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let upstream = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let setup = Setup::new(format!("http://{upstream}"), &per_client("9/d")).await;
    assert_eq!(setup.status("192.0.2.1").await, 502);
}

#[tokio::test]
async fn the_page_is_not_on_the_public_port() {
    let setup = Setup::new(format!("http://{}", serving().await), &per_client("9/d")).await;
    for path in ["/", "/events", "/quota/client"] {
        let request = Request::get(format!("http://{}{path}", setup.gateway.address()));
        assert_eq!(send(request.body(Body::empty()).unwrap()).await.body, "served");
    }
}

#[test]
fn paths_are_joined() {
    for (base, asked, expected) in [
        ("http://u", "/", Some("http://u/")),
        ("http://u:81/", "/a?b", Some("http://u:81/a?b")),
        ("http://u/base", "/a", Some("http://u/base/a")),
        ("http://u/base/", "/", Some("http://u/base/")),
        ("http://u", "http://other/a", Some("http://u/a")),
        ("http://u", "//other/a", Some("http://u//other/a")),
        ("http://u", "*", None),
        ("http://u", "other:80", None),
    ] {
        let upstream: Upstream = base.parse().unwrap();
        let uri = upstream.at(&asked.parse::<Uri>().unwrap()).map(|uri| uri.to_string());
        assert_eq!(uri.as_deref(), expected, "{base} {asked}");
    }
}

#[test]
fn an_upstream_is_an_http_address() {
    for text in ["", "u", "u:80", "https://u", "http://u/?q", "http://user@u", "http://"] {
        assert!(text.parse::<Upstream>().is_err(), "{text}");
    }
}

/// `hop::forward` "says who asks, and for what host. After `strip`, so that a client cannot have it removed." Also not by one that calls
/// its `Host` a field of this connection.
#[tokio::test]
async fn a_client_cannot_have_removed_for_what_host_it_asks() {
    let upstream = serve(Router::new().fallback(mirror)).await;
    let setup = Setup::new(format!("http://{upstream}"), &per_client("9/d")).await;
    let gateway = setup.gateway.address();
    let request = Request::get(format!("http://{gateway}/")).header("connection", "host");
    let answer = send(request.body(Body::empty()).unwrap()).await;
    assert!(answer.body.contains(&format!("x-forwarded-host: {gateway}")), "{}", answer.body);
}
