//! What is a client's key.

use super::*;
use casgate_tower::address::ClientAddress;
use casgate_tower::{MissingKey, Peer};
use std::net::{IpAddr, SocketAddr};

/// Two headers in one request.
fn pair(first: Option<&str>, second: Option<&str>) -> Request<()> {
    let mut request = Request::builder();
    for (name, value) in [("x-first", first), ("x-second", second)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.body(()).unwrap()
}

fn texts(name: &'static str) -> KeyBy {
    KeyBy::borrowed(move |parts| parts.headers.get(name)?.to_str().ok())
}

fn owned(name: &'static str) -> KeyBy {
    KeyBy::new(move |parts| Some(parts.headers.get(name)?.to_str().ok()?.to_owned()))
}

fn header(name: &'static str) -> KeyBy {
    KeyBy::header(HeaderName::from_static(name))
}

/// The parts of a pair do not run into each other, in any form of key.
#[test]
fn pairs_agree_only_if_both_parts_do() {
    for by in [texts, owned, header] {
        let limiter = keys(Quota::per_hour(1), &clock());
        let key = by("x-first").and(by("x-second"));
        let policy = Policy::over_keyed(Arc::clone(&limiter), Quota::per_hour(1), key);
        let service = around(&RateLimitLayer::new(policy));
        let pairs = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("c", "ab"), ("", "")];
        for (first, second) in pairs {
            assert_eq!(status(&service, pair(Some(first), Some(second))), 200, "{first} {second}");
        }
        for (first, second) in pairs {
            assert_eq!(status(&service, pair(Some(first), Some(second))), 429, "{first} {second}");
        }
    }
}

/// A pair of which a part is missing is no key, and leaves nothing behind.
#[test]
fn half_a_pair_is_no_key() {
    let limiter = keys(Quota::per_hour(1), &clock());
    let key = header("x-first").and(header("x-second"));
    let policy = Policy::over_keyed(Arc::clone(&limiter), Quota::per_hour(1), key);
    let service = around(&RateLimitLayer::new(policy));
    for request in [pair(Some("a"), None), pair(None, Some("a")), pair(None, None)] {
        assert_eq!(status(&service, request), 500);
    }
    assert_eq!(limiter.stats().inserted, 0);
    assert_eq!(status(&service, pair(Some("a"), Some("a"))), 200);
}

/// `KeyBy`: a program that shares the limiter finds the key "under the same value: an address under an `IpAddr`, a
/// header under its bytes, and a pair of keys under a pair".
#[test]
fn a_program_finds_the_key_under_its_value() {
    let address: IpAddr = [192, 0, 2, 7].into();
    let from = || {
        let mut request = pair(Some("first"), Some("second"));
        request.extensions_mut().insert(Peer(address));
        request
    };
    let spent = |key: KeyBy| {
        let limiter = keys(Quota::per_hour(1), &clock());
        let policy = Policy::over_keyed(Arc::clone(&limiter), Quota::per_hour(1), key);
        assert_eq!(status(&around(&RateLimitLayer::new(policy)), from()), 200);
        limiter
    };
    let client = || KeyBy::client(ClientAddress::peer());
    assert!(!spent(client()).is_allowed(&address));
    assert!(!spent(header("x-first")).is_allowed(b"first".as_slice()));
    assert!(!spent(texts("x-first")).is_allowed("first"));
    assert!(!spent(owned("x-first")).is_allowed("first"));
    assert!(!spent(KeyBy::new(|_| Some(7_u64))).is_allowed(&7_u64));
    assert!(!spent(client().and(header("x-first"))).is_allowed(&(address, b"first".as_slice())));
    assert!(!spent(texts("x-first").and(texts("x-second"))).is_allowed(&("first", "second")));
}

/// The first line of a header alone is a key.
#[test]
fn a_headers_first_line_is_the_key() {
    let service = around(&RateLimitLayer::new(keyed(Quota::per_hour(1), &clock())));
    let mut two = request("a");
    two.headers_mut().append("x-key", "b".parse().unwrap());
    assert_eq!(status(&service, two), 200);
    assert_eq!(status(&service, request("b")), 200);
    assert_eq!(status(&service, request("a")), 429);
}

/// A peer is found in each of the places that `Peer` tells of, and an explicit one wins.
#[test]
fn a_peer_is_found_where_the_server_put_it() {
    let (limiter, address) = (keys(Quota::per_hour(4), &clock()), IpAddr::from([192, 0, 2, 7]));
    let other = SocketAddr::from(([198, 51, 100, 1], 80));
    let key = KeyBy::client(ClientAddress::peer());
    let policy = Policy::over_keyed(Arc::clone(&limiter), Quota::per_hour(4), key);
    let service = around(&RateLimitLayer::new(policy));
    let mut peers: [Request<()>; 4] = [keyless(), keyless(), keyless(), keyless()];
    peers[0].extensions_mut().insert(Peer(address));
    peers[1].extensions_mut().insert(SocketAddr::new(address, 41_522));
    peers[2].extensions_mut().insert(axum::extract::ConnectInfo(SocketAddr::new(address, 1)));
    peers[3].extensions_mut().insert(Peer(address));
    peers[3].extensions_mut().insert(axum::extract::ConnectInfo(other));
    peers[3].extensions_mut().insert(other);
    for (i, request) in peers.into_iter().enumerate() {
        assert_eq!(status(&service, request), 200);
        assert_eq!(limiter.peek(&address).remaining(), 3 - i as u32);
    }
    assert_eq!(status(&service, keyless()), 500, "a missing peer is nobody's address");
}

/// A server that keeps the peer elsewhere says where.
#[test]
fn a_peer_is_found_where_the_program_says() {
    #[derive(Clone)]
    struct Connection(IpAddr);
    let key = KeyBy::client_with(ClientAddress::peer(), |parts| {
        parts.extensions.get::<Connection>().map(|connection| connection.0)
    });
    let policy = Policy::over_keyed(keys(Quota::per_hour(1), &clock()), Quota::per_hour(1), key);
    let service = around(&RateLimitLayer::new(policy));
    let from = |last| {
        let mut request = keyless();
        request.extensions_mut().insert(Peer([198, 51, 100, 1].into()));
        request.extensions_mut().insert(Connection([192, 0, 2, last].into()));
        request
    };
    for (last, expected) in [(1, 200), (2, 200), (1, 429)] {
        assert_eq!(status(&service, from(last)), expected);
    }
}

/// A request is looked at once, whether it has a key or not.
#[test]
fn a_key_is_made_once() {
    for missing in [MissingKey::default(), MissingKey::Shared, MissingKey::Exempt] {
        let made = Arc::new(AtomicUsize::new(0));
        let key = KeyBy::new({
            let made = Arc::clone(&made);
            move |parts| {
                made.fetch_add(1, Ordering::Relaxed);
                parts.headers.get("x-key").map(|key| key.as_bytes().to_vec())
            }
        });
        let policy =
            Policy::over_keyed(keys(Quota::per_hour(9), &clock()), Quota::per_hour(9), key);
        let service = around(&RateLimitLayer::new(policy.missing_key(missing)));
        for (sent, request) in [request("a"), keyless()].into_iter().enumerate() {
            send(&service, request);
            assert_eq!(made.load(Ordering::Relaxed), sent + 1, "{missing:?}");
        }
    }
}
