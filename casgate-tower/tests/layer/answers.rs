//! What a client is answered.

use super::*;
use casgate_tower::fields::{Fields, ProblemType};
use http_body::{Body, Frame};
use http_body_util::BodyExt;

fn bytes(answer: Answer) -> Bytes {
    now(answer.into_body().collect()).unwrap().to_bytes()
}

fn grpc(key: &str) -> Request<()> {
    let mut request = request(key);
    request.headers_mut().insert("content-type", "application/grpc+proto".parse().unwrap());
    request
}

/// A layer of one request an hour, whose request is spent.
fn spent(layer: impl FnOnce(RateLimitLayer) -> RateLimitLayer) -> RateLimit<Served> {
    let service = around(&layer(RateLimitLayer::new(bucket(Quota::per_hour(1), &clock()))));
    assert_eq!(status(&service, request("a")), 200);
    service
}

#[test]
fn a_denial_is_a_problem() {
    let answer = send(&spent(|layer| layer), request("a"));
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["retry-after"], "3600");
    assert_eq!(answer.headers()["ratelimit"], r#""default";r=0;t=3600"#);
    assert_eq!(answer.headers()["ratelimit-policy"], r#""default";q=1;w=3600"#);
    assert_eq!(bytes(answer), r#"{"title":"Too Many Requests","status":429}"#);
}

/// tower-governor #65: a wait of 200 ms is a second, never zero.
#[test]
fn a_wait_of_milliseconds_is_a_second() {
    let clock = clock();
    let service = around(&RateLimitLayer::new(bucket(Quota::per_second(5).with_burst(1), &clock)));
    assert_eq!(status(&service, request("a")), 200);
    let answer = send(&service, request("a"));
    assert_eq!(answer.headers()["retry-after"], "1");
    clock.advance(Duration::from_millis(199));
    assert_eq!(send(&service, request("a")).headers()["retry-after"], "1");
    clock.advance(Duration::from_millis(1));
    assert_eq!(status(&service, request("a")), 200);
}

/// envoy #4660: a gRPC request is denied by RESOURCE_EXHAUSTED in a 200.
#[test]
fn a_grpc_request_is_denied_in_its_own_way() {
    let answer = send(&spent(|layer| layer), grpc("a"));
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/grpc+proto");
    assert_eq!(answer.headers()["grpc-status"], "8");
    assert!(answer.headers().contains_key("grpc-message"));
    assert_eq!(answer.headers()["retry-after"], "3600");
    assert!(answer.body().is_end_stream(), "trailers only");
}

#[test]
fn a_problem_has_the_type_and_its_status() {
    for (problem, status) in [
        (ProblemType::Blank, 429),
        (ProblemType::QuotaExceeded, 429),
        (ProblemType::TemporaryReducedCapacity, 503),
        (ProblemType::AbnormalUsageDetected, 429),
    ] {
        let answer = send(&spent(|layer| layer.problem_type(problem)), request("a"));
        assert_eq!(answer.status().as_u16(), status);
        let body: serde_json::Value = serde_json::from_slice(&bytes(answer)).unwrap();
        assert_eq!(body["status"], status);
        let named = (problem != ProblemType::Blank).then_some("default");
        assert_eq!(body["violated-policies"][0].as_str(), named);
    }
}

/// A program's own answer, to gRPC requests too, gets the fields and `Retry-After`, and sees the request.
#[test]
fn a_program_answers_itself() {
    let service = spent(|layer| {
        layer.on_denied(|denial| {
            assert_eq!(denial.request().headers["x-key"], "a");
            let [standing] = denial.standings() else { panic!("one denies") };
            assert!(standing.is_denied());
            let text = format!("{} {:?}", standing.announced().name(), denial.retry_after());
            let mut response = Response::new(text.into());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        })
    });
    for request in [request("a"), grpc("a")] {
        let answer = send(&service, request);
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!answer.headers().contains_key("content-type"));
        assert_eq!(answer.headers()["retry-after"], "3600");
        assert_eq!(answer.headers()["ratelimit"], r#""default";r=0;t=3600"#);
        assert_eq!(bytes(answer), "default Some(3600)");
    }
}

/// The fields can be other ones, none, or only in the answers to denied requests. `Retry-After` stays.
#[test]
fn the_fields_are_those_that_were_chosen() {
    let named = |answer: &Answer| -> Vec<String> {
        let names = answer.headers().keys().map(|name| name.as_str().to_owned());
        let mut names: Vec<_> = names.filter(|name| name.contains("ratelimit")).collect();
        names.sort();
        names
    };
    const DRAFT: &[&str] = &["ratelimit", "ratelimit-policy"];
    const LEGACY: &[&str] = &["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
    type Choose = fn(RateLimitLayer) -> RateLimitLayer;
    let choices: [(Choose, &[&str], &[&str]); 5] = [
        (|layer| layer, DRAFT, DRAFT),
        (|layer| layer.fields(Fields::NONE), &[], &[]),
        (|layer| layer.fields(Fields::LEGACY), LEGACY, LEGACY),
        (|layer| layer.fields_when_admitted(Fields::NONE), &[], DRAFT),
        (
            |layer| layer.fields(Fields::LEGACY).fields_when_admitted(Fields::DRAFT_11),
            DRAFT,
            LEGACY,
        ),
    ];
    for (choose, admitted, denied) in choices {
        let policy = bucket(Quota::per_hour(1), &clock());
        let service = around(&choose(RateLimitLayer::new(policy)));
        assert_eq!(named(&send(&service, request("a"))), admitted);
        let answer = send(&service, request("a"));
        assert_eq!(named(&answer), denied);
        assert_eq!(answer.headers()["retry-after"], "3600");
    }
}

/// Two layers: each adds its line, the inner one first. A denial by the outer one has only its own.
#[test]
fn a_layer_appends_to_what_an_inner_one_wrote() {
    let clock = clock();
    let inner = RateLimitLayer::new(bucket(Quota::per_hour(3), &clock).named("inner"));
    let outer = RateLimitLayer::new(bucket(Quota::per_hour(1), &clock).named("outer"));
    let mut service = outer.layer(around(&inner));
    let answer = now(service.call(request("a"))).unwrap();
    let lines: Vec<_> = answer.headers().get_all("ratelimit").iter().collect();
    assert_eq!(lines, [r#""inner";r=2;t=2400"#, r#""outer";r=0;t=3600"#]);
    let answer = now(service.call(request("a"))).unwrap();
    let lines: Vec<_> = answer.headers().get_all("ratelimit").iter().collect();
    assert_eq!(lines, [r#""outer";r=0;t=3600"#]);
}

/// A name with the characters that a string escapes.
#[test]
fn a_name_injects_nothing() {
    let policy = bucket(Quota::per_hour(1), &clock()).named(r#"a"b\c;r=9, "x"#);
    let layer = RateLimitLayer::new(policy).problem_type(ProblemType::QuotaExceeded);
    let service = around(&layer);
    assert_eq!(
        send(&service, request("a")).headers()["ratelimit"],
        r#""a\"b\\c;r=9, \"x";r=0;t=3600"#
    );
    let answer = send(&service, request("a"));
    let body: serde_json::Value = serde_json::from_slice(&bytes(answer)).unwrap();
    assert_eq!(body["violated-policies"], serde_json::json!([r#"a"b\c;r=9, "x"#]));
    assert!(
        std::panic::catch_unwind(|| Policy::global(Quota::per_hour(1)).named("a\r\nb")).is_err()
    );
}

/// A client learns nothing of a missing key: no text, and no field but for caches.
#[test]
fn a_missing_key_is_the_servers_mistake() {
    let policy = keyed(Quota::per_hour(1), &clock());
    let service = around(&RateLimitLayer::new(policy).on_denied(|_| unreachable!()));
    let answer = send(&service, keyless());
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.headers().keys().collect::<Vec<_>>(), ["cache-control"]);
    assert!(answer.body().is_end_stream());
    let mut request = keyless();
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let answer = send(&service, request);
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["grpc-status"], "13");
    assert!(answer.body().is_end_stream());
}

/// The layer answers in a body of the service's type: so axum, whose own type it is, need not box it again.
#[test]
fn the_answer_has_the_services_type_of_body() {
    fn answers<S: Service<Request<()>, Response = Response<axum::body::Body>>>(_: &S) {}
    let layer = RateLimitLayer::new(bucket(Quota::per_hour(1), &clock()));
    let mut service = layer.layer(tower::service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(axum::body::Body::from("served"))))
    }));
    answers(&service);
    for expected in ["served", r#"{"title":"Too Many Requests","status":429}"#] {
        let body = now(service.call(request("a"))).unwrap().into_body();
        assert_eq!(body.size_hint().exact(), Some(expected.len() as u64));
        assert_eq!(now(body.collect()).unwrap().to_bytes(), expected);
    }
}

/// A body that is wrapped: the layer's own has a known length and one frame; afterwards it is at its end.
#[test]
fn the_own_body_has_a_known_length() {
    let layer = RateLimitLayer::new(bucket(Quota::per_hour(1), &clock())).wrap_body();
    let mut service = layer.layer(tower::service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Unlike(Vec::new()))))
    }));
    assert!(now(service.call(request("a"))).unwrap().status().is_success());
    let answer = now(service.call(request("a"))).unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let mut body = answer.into_body();
    assert_eq!(body.size_hint().exact(), Some(42));
    assert!(!body.is_end_stream());
    let frame = now(body.frame()).unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap().len(), 42);
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.is_end_stream());
    assert!(now(body.frame()).is_none());
    let empty = casgate_tower::ResponseBody::<String>::default();
    assert!(empty.is_end_stream() && empty.size_hint().exact() == Some(0));
}

/// A body that cannot be made of bytes.
struct Unlike(Vec<Result<Frame<Bytes>, &'static str>>);

impl Body for Unlike {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(self.0.pop())
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(7)
    }
}

/// The service's body passes as it is when it is wrapped: its length, its frames, its trailers and its errors.
#[test]
fn the_services_body_passes_as_it_is() {
    let layer = RateLimitLayer::new(bucket(Quota::per_hour(1), &clock())).wrap_body();
    let mut service = layer.layer(tower::service_fn(|_: Request<()>| async {
        let trailers = [(http::header::ETAG, "x".parse().unwrap())].into_iter().collect();
        let frames =
            vec![Err("broken"), Ok(Frame::trailers(trailers)), Ok(Frame::data("data".into()))];
        Ok::<_, Infallible>(Response::new(Unlike(frames)))
    }));
    let mut body = now(service.call(request("a"))).unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(7));
    assert!(!body.is_end_stream());
    assert_eq!(now(body.frame()).unwrap().unwrap().into_data().unwrap(), "data");
    assert_eq!(now(body.frame()).unwrap().unwrap().into_trailers().unwrap()["etag"], "x");
    assert_eq!(now(body.frame()).unwrap().err(), Some("broken"));
    assert!(body.is_end_stream() && now(body.frame()).is_none());
}

/// Numbers at the ends of their ranges are told, and nothing panics.
#[test]
fn the_largest_quotas_are_told() {
    let clock = clock();
    let year = secs(365 * 86_400);
    for quota in [
        Quota::per_second(1_000_000_000),
        Quota::new(u32::MAX - 1, year).unwrap(),
        Quota::new(1, 73 * year).unwrap(),
        Quota::per_second(1).with_burst(2_000_000_000),
    ] {
        for policy in [bucket, window] {
            for cost in [0, 1, u32::MAX] {
                let policy = policy(quota, &clock).cost(move |_| cost);
                let service = around(
                    &RateLimitLayer::new(policy).fields(Fields::DRAFT_11.and(Fields::LEGACY)),
                );
                for _ in 0..3 {
                    let answer = send(&service, request("a"));
                    assert!(answer.headers().contains_key("ratelimit"), "{quota} {cost}");
                }
            }
        }
    }
}
