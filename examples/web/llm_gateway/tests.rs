use super::*;
use tower::ServiceExt;

/// Quotas of a day, so that nothing returns while a test runs.
fn daily() -> Router {
    let daily = ["--requests=60/d", "--tokens=10000/d", "--tokens-pro=100000/d"];
    app(&Args::parse_from([&["llm_gateway"], &daily[..]].concat()))
}

/// Sends a prompt whose estimate is 102.
async fn ask(app: &Router, key: &str, path: &str, prompt: &'static str) -> Response {
    let request = Request::post(path)
        .header("x-api-key", key)
        .header("x-max-tokens", "100")
        .header("content-length", 7)
        .body(Body::from(prompt))
        .unwrap();
    app.clone().oneshot(request).await.unwrap()
}

/// Asks for nothing, and returns the tokens that the budget has.
async fn left(app: &Router, key: &str) -> u32 {
    let response = ask(app, key, "/v1/complete", "write 0").await;
    let field = response.headers()["ratelimit"].to_str().unwrap();
    let (_, tokens) = field.split_once(r#""tokens";r="#).unwrap();
    tokens.split(';').next().unwrap().parse::<u32>().unwrap()
}

async fn read(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.into()).unwrap()
}

#[tokio::test]
async fn the_response_corrects_the_estimate() {
    let app = daily();
    let first = ask(&app, "free", "/v1/complete", "write 3").await;
    let field = first.headers()["ratelimit"].to_str().unwrap();
    assert!(field.ends_with(r#", "tokens";r=9997;t=86375"#), "{field}");
    assert!(read(first).await.contains(r#""usage":{"total_tokens":3}"#));
    assert_eq!(left(&app, "free").await, 9_997);
}

#[tokio::test]
async fn a_long_answer_puts_the_budget_into_debt() {
    let app = daily();
    assert_eq!(ask(&app, "free", "/v1/complete", "write 20006").await.status(), 200);
    let denied = ask(&app, "free", "/v1/complete", "write 3").await;
    assert_eq!(denied.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait = denied.headers()["retry-after"].to_str().unwrap().to_owned();
    assert!((87_300..=87_335).contains(&wait.parse().unwrap()), "{wait}");
    let body = read(denied).await;
    assert!(body.ends_with(
        r#"#quota-exceeded","title":"Quota exceeded","status":429,"violated-policies":["tokens"]}"#
    ));
    let empty =
        Request::post("/v1/complete").header("x-api-key", "free").header("x-max-tokens", "0");
    let empty = empty.header("content-length", 0).body(Body::empty()).unwrap();
    assert_eq!(app.clone().oneshot(empty).await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    // Another key has its own budget, and ten times as much by its plan.
    assert_eq!(ask(&app, "pro", "/v1/complete", "write 20006").await.status(), 200);
    assert_eq!(left(&app, "pro").await, 79_994);
    assert_eq!(ask(&app, "none", "/v1/complete", "write 3").await.status(), 401);
}

#[tokio::test]
async fn a_stream_is_settled_at_its_end() {
    let app = daily();
    for key in ["free", "pro"] {
        let all = left(&app, key).await;
        let response = ask(&app, key, "/v1/stream", "write 500").await;
        // The estimate, until it ends.
        assert_eq!(left(&app, key).await, all - 102);
        assert_eq!(read(response).await.lines().count(), 500);
        assert_eq!(left(&app, key).await, all - 500);
        // The client hangs up after 3 words, or at once.
        let mut body =
            ask(&app, key, "/v1/stream", "write 500").await.into_body().into_data_stream();
        for _ in 0..3 {
            assert_eq!(body.next().await.unwrap().unwrap(), "word\n");
        }
        drop(body);
        assert_eq!(left(&app, key).await, all - 503);
        drop(ask(&app, key, "/v1/stream", "write 500").await);
        assert_eq!(left(&app, key).await, all - 503);
    }
}

#[tokio::test]
async fn requests_have_a_budget_of_their_own() {
    let app = daily();
    for _ in 0..60 {
        assert_eq!(ask(&app, "pro", "/v1/complete", "write 1").await.status(), 200);
    }
    let denied = ask(&app, "pro", "/v1/complete", "write 1").await;
    assert!(read(denied).await.ends_with(r#""violated-policies":["requests"]}"#));
}
