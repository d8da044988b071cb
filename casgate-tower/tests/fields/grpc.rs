//! envoy #4660: a gRPC request that is denied gets RESOURCE_EXHAUSTED in a response that its client understands.

use crate::scene::{decide, headers, standing, steadily};
use casgate::{Limiter, Quota};
use casgate_tower::fields::{grpc_denial, is_grpc};
use http::HeaderMap;

#[test]
fn requests_are_told_by_their_media_type() {
    for (media_type, grpc) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc+json", true),
        ("application/grpc;charset=utf-8", true),
        ("application/grpc ; x=y", true),
        ("Application/GRPC", true),
        ("application/grpc-web", true),
        ("application/grpc-web+proto", true),
        ("application/grpc-web-text", true),
        ("application/grpc-web-text+proto", true),
        ("application/grpcx", false),
        ("application/grpc-webx", false),
        ("application/grpc-text", false),
        ("application/grpc-other", false),
        ("application/grp", false),
        ("application/json", false),
        ("text/application/grpc", false),
        ("", false),
    ] {
        assert_eq!(is_grpc(&headers(&[("content-type", media_type)])), grpc, "{media_type}");
    }
    assert!(!is_grpc(&HeaderMap::new()));
}

/// What a bucket of 20 a minute or of one a day sends after `spent` permits, asked for `n`.
fn denial(quota: Quota, spent: u32, n: u32, media_type: &str) -> HeaderMap {
    let announced = steadily("p", quota);
    let decision = decide(&Limiter::token_bucket(quota), &[(spent, 0), (n, 0)]);
    let request = headers(&[("content-type", media_type)]);
    let mut response = headers(&[("content-type", "text/html")]);
    grpc_denial(&[standing(&announced, &decision)], &request, &mut response);
    response
}

/// The details are those that the protobuf library for Python makes of `google.rpc.Status`.
#[test]
fn denials_say_how_long_to_wait() {
    for (quota, wait, details) in [
        (
            Quota::per_minute(20),
            "3",
            "CAgSIXJhdGUgbGltaXQgZXhjZWVkZWQ7IHJldHJ5IGluIDMgcxowCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuUmV0\
             cnlJbmZvEgQKAggD",
        ),
        (
            Quota::per_day(1),
            "86400",
            "CAgSJXJhdGUgbGltaXQgZXhjZWVkZWQ7IHJldHJ5IGluIDg2NDAwIHMaMgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBj\
             LlJldHJ5SW5mbxIGCgQIgKMF",
        ),
    ] {
        let response = denial(quota, quota.permits(), 1, "application/grpc");
        assert_eq!(response["grpc-status"], "8");
        assert_eq!(response["grpc-message"], format!("rate limit exceeded; retry in {wait} s"));
        assert_eq!(response["grpc-status-details-bin"], details);
        assert_eq!(response.len(), 4);
    }
}

#[test]
fn denials_say_that_no_wait_helps() {
    let response = denial(Quota::per_minute(20), 0, 21, "application/grpc");
    assert_eq!(response["grpc-status"], "8");
    assert_eq!(response["grpc-message"], "rate limit exceeded; the request can never fit");
    assert!(!response.contains_key("grpc-status-details-bin"));
}

/// The longest of several waits; no wait if one of them never fits; neither if nobody denied.
#[test]
fn several_policies_are_one_status() {
    let quota = Quota::per_minute(20);
    let announced = steadily("p", quota);
    let decide = |requests| decide(&Limiter::token_bucket(quota), requests);
    let message = |decisions: &[_]| {
        let standings: Vec<_> = decisions.iter().map(|one| standing(&announced, one)).collect();
        let mut response = HeaderMap::new();
        grpc_denial(&standings, &HeaderMap::new(), &mut response);
        response["grpc-message"].to_str().unwrap().to_owned()
    };
    let (admitted, short) = (decide(&[(1, 0)]), decide(&[(20, 0), (1, 0)]));
    let (long, never) = (decide(&[(20, 0), (2, 0)]), decide(&[(21, 0)]));
    assert_eq!(message(&[admitted, long, short]), "rate limit exceeded; retry in 6 s");
    assert_eq!(message(&[long, never]), "rate limit exceeded; the request can never fit");
    assert_eq!(message(&[admitted]), "rate limit exceeded");
}

/// The field's text is percent-encoded: these texts have nothing to encode.
#[test]
fn messages_need_no_encoding() {
    let quota = Quota::per_day(1);
    for n in [1, 2] {
        let response = denial(quota, 1, n, "application/grpc");
        let plain = |&byte: &u8| matches!(byte, b' '..=b'~') && byte != b'%';
        assert!(response["grpc-message"].as_bytes().iter().all(plain));
    }
}

#[test]
fn responses_have_the_media_type_of_the_request() {
    for (request, response) in [
        ("application/grpc", "application/grpc"),
        ("application/grpc+proto", "application/grpc+proto"),
        ("application/grpc-web-text+proto", "application/grpc-web-text+proto"),
        ("application/grpc;x=\"<script>\"", "application/grpc"),
        ("application/grpc-web+proto ; x=y", "application/grpc-web+proto"),
        ("application/grpc+<script>", "application/grpc"),
        ("application/json", "application/grpc"),
    ] {
        let denial = denial(Quota::per_minute(20), 20, 1, request);
        assert_eq!(denial["content-type"], response);
    }
}
