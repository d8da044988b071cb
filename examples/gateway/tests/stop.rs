//! The end of a gateway.

use super::{Setup, per_client, send, serve};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use tokio::sync::Notify;

#[tokio::test]
async fn it_answers_what_is_under_way_and_lets_pages_go() {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (upstream_arrived, upstream_goes_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
    let upstream = Router::new().fallback(async move || {
        upstream_arrived.notify_one();
        upstream_goes_on.notified().await;
        "served"
    });
    let setup = Setup::new(format!("http://{}", serve(upstream).await), &per_client("9/d")).await;
    let (address, page) = (setup.gateway.address(), setup.gateway.page_address());

    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let viewer = client.get(format!("http://{page}/events").parse().unwrap()).await.unwrap();
    let request = Request::get(format!("http://{address}/")).body(Body::empty()).unwrap();
    let under_way = tokio::spawn(send(request));
    arrived.notified().await;

    let stopped = tokio::spawn(setup.gateway.stop());
    viewer.into_body().collect().await.unwrap(); // it ends
    assert!(!stopped.is_finished());
    go_on.notify_one();
    assert_eq!(under_way.await.unwrap().body, "served");
    stopped.await.unwrap();
    let again = client.get(format!("http://{address}/").parse().unwrap()).await;
    assert!(again.is_err());
}
