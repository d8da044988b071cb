//! Limits hold for what passes the gateway.

use super::{Setup, per_client, serve, serving};
use axum::Router;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_upstream_sees_no_more_than_the_quota() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let upstream = Router::new().fallback(async move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let policies = "policies = [{ name = 'all', quota = '5/d', algorithm = 'fixed_window' }]";
    let setup = Setup::new(format!("http://{}", serve(upstream).await), policies).await;
    let setup = Arc::new(setup);
    let mut tasks = JoinSet::new();
    for _ in 0..40 {
        let setup = Arc::clone(&setup);
        tasks.spawn(async move { setup.status("192.0.2.1").await });
    }
    let statuses = tasks.join_all().await;
    let count = |status| statuses.iter().filter(|&&other| other == status).count();
    assert_eq!((count(200), count(429), served.load(Ordering::Relaxed)), (5, 35, 5));
}

#[tokio::test]
async fn each_client_has_its_own_limit() {
    let setup = Setup::new(format!("http://{}", serving().await), &per_client("2/d")).await;
    let mut statuses = Vec::new();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        statuses.push(setup.status(client).await);
    }
    assert_eq!(statuses, [200, 200, 429, 200]);
}
