//! What the page calls.

use super::{Setup, per_client, send, serving};
use axum::body::Body;
use axum::http::{Method, Request};

#[tokio::test]
async fn a_quota_holds_at_once_for_known_clients() {
    let setup = Setup::new(format!("http://{}", serving().await), &per_client("2/d")).await;
    let client = "192.0.2.1";
    assert_eq!([setup.status(client).await, setup.status(client).await], [200, 200]);
    assert_eq!(setup.status(client).await, 429);

    let answer = setup.page(Method::POST, "/quota/client", " 4 per day\n").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "4/d"));
    assert_eq!(setup.quota("client").await, "4/d");
    assert_eq!([setup.status(client).await, setup.status(client).await], [200, 200]);
    assert_eq!(setup.status(client).await, 429);

    setup.page(Method::POST, "/quota/client", "1/d").await;
    assert_eq!(setup.status(client).await, 429);
}

#[tokio::test]
async fn a_bad_quota_is_an_error_and_changes_nothing() {
    let setup = Setup::new(format!("http://{}", serving().await), &per_client("2/d")).await;
    let long = "1".repeat(300);
    for (name, quota, status) in [
        ("client", "", 400),
        ("client", "0/s", 400),
        ("client", "5/fortnight", 400),
        ("client", "5/s burst 0", 400),
        ("client", "99999999999/s", 400),
        ("client", &long, 413),
        ("unknown", "5/s", 404),
    ] {
        let answer = setup.page(Method::POST, &format!("/quota/{name}"), quota).await;
        assert_eq!(answer.status.as_u16(), status, "{name} {quota}");
        assert!(!answer.body.is_empty(), "{name} {quota}");
    }
    assert_eq!(setup.quota("client").await, "2/d");
    let client = "192.0.2.1";
    assert_eq!([setup.status(client).await, setup.status(client).await], [200, 200]);
    assert_eq!(setup.status(client).await, 429);
}

#[tokio::test]
async fn a_name_may_have_any_printable_character() {
    let policies = "policies = [{ name = 'a/b? <i>%41', quota = '2/d' }]";
    let setup = Setup::new(format!("http://{}", serving().await), policies).await;
    let path = "/quota/a%2Fb%3F%20%3Ci%3E%2541";
    assert_eq!(setup.page(Method::POST, path, "3/d").await.body, "3/d");
}

#[tokio::test]
async fn other_sites_are_kept_out() {
    let setup = Setup::new(format!("http://{}", serving().await), &per_client("2/d")).await;
    let address = setup.gateway.page_address();
    let own = address.to_string();
    for (host, origin, status) in [
        (own.as_str(), None, 200),
        (own.as_str(), Some(format!("http://{own}")), 200),
        ("localhost:1234", Some("http://localhost:1234".to_owned()), 200), // through a tunnel
        ("[::1]:80", None, 200),
        ("evil.example", None, 403),
        ("127.0.0.1.evil.example", None, 403),
        ("10.0.0.1", None, 403),
        (own.as_str(), Some("http://evil.example".to_owned()), 403),
        (own.as_str(), Some("null".to_owned()), 403),
    ] {
        let mut request = Request::post(format!("http://{address}/quota/client"));
        request = request.header("host", host);
        if let Some(origin) = &origin {
            request = request.header("origin", origin);
        }
        let answer = send(request.body(Body::from("5/d")).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{host} {origin:?}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let setup = Setup::new(format!("http://{}", serving().await), &per_client("2/d")).await;
    let answer = setup.page(Method::GET, "/", "").await;
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; connect-src 'self'"), "{policy}");
    for address in ["src=", "https:", "@import", "url("] {
        assert!(!answer.body.contains(address), "{address}");
    }
}

#[test]
fn the_page_listens_on_loopback_alone() {
    for (text, is_right) in [
        ("127.0.0.1:8081", true),
        ("[::1]:8081", true),
        ("0.0.0.0:8081", false),
        ("192.0.2.1:80", false),
        ("localhost", false),
    ] {
        assert_eq!(crate::loopback(text).is_ok(), is_right, "{text}");
    }
}
