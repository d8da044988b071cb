//! The layer in an axum server, as a client sees it over HTTP/1.

use super::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Sends one request on a connection of its own, and returns the whole answer.
fn exchange(server: SocketAddr, method: &str) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    write!(stream, "{method} / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.to_ascii_lowercase()
}

/// An answer to HEAD has the fields and the length of one to GET, and no body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_of_head_has_no_body() {
    let layer = RateLimitLayer::new(Policy::per_client(Quota::per_day(2), 100));
    let app =
        axum::Router::new().route("/", axum::routing::get(|| async { "served" })).layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    let answers = tokio::task::spawn_blocking(move || {
        ["GET", "HEAD", "GET", "HEAD"].map(|method| exchange(address, method))
    });
    let [served, served_head, denied, denied_head] = answers.await.unwrap();
    server.abort();
    assert!(served.starts_with("http/1.1 200") && served.ends_with("\r\n\r\nserved"), "{served}");
    assert!(served.contains("ratelimit: \"default\";r=1;t="), "{served}");
    assert!(served_head.starts_with("http/1.1 200") && served_head.ends_with("\r\n\r\n"));
    assert!(denied.starts_with("http/1.1 429"), "{denied}");
    assert!(denied.ends_with("{\"title\":\"too many requests\",\"status\":429}"), "{denied}");
    assert!(denied_head.starts_with("http/1.1 429"), "{denied_head}");
    assert!(denied_head.ends_with("\r\n\r\n"), "{denied_head}");
    for answer in [denied, denied_head] {
        assert!(answer.contains("content-length: 42\r\n"), "{answer}");
        assert!(answer.contains("retry-after: "), "{answer}");
    }
}
