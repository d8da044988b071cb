//! Policies from a file.

use super::*;
use casgate::KeyedError;
use casgate_tower::config::{Config, ConfigError, Keys as ConfigKeys, Policies, Problem};

pub(super) fn config(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

pub(super) fn made(text: &str) -> Policies {
    Policies::new(config(text), ConfigKeys::new()).unwrap()
}

/// One policy with that text after its name and quota.
pub(super) fn one(rest: &str) -> String {
    format!("[[policies]]\nname = \"a\"\nquota = \"10/d\"\n{rest}\n")
}

fn error(text: &str) -> ConfigError {
    Policies::new(config(text), ConfigKeys::new()).unwrap_err()
}

/// Every problem, where it is, and that its text names what is wrong.
#[test]
fn every_mistake_is_an_error_that_names_it() {
    type Is = fn(&Problem) -> bool;
    let client = |text: &str| format!("[client]\n{text}\n{}", one(""));
    let cases: [(String, Is, &str); 27] = [
        ("policies = []".into(), |p| matches!(p, Problem::Count(0)), "0 policies"),
        (one("").repeat(2), |p| matches!(p, Problem::DuplicateName), "two policies"),
        (one("").replace("\"a\"", "\"\""), |p| matches!(p, Problem::Name(_)), "empty"),
        (one("").replace("\"a\"", "\"a\\nb\""), |p| matches!(p, Problem::Name(_)), "character 1"),
        (
            one("key = \"user\""),
            |p| matches!(p, Problem::UnknownKey(key) if key == "user"),
            "\"user\"",
        ),
        (one("key = \"header:a b\""), |p| matches!(p, Problem::Header(_)), "\"a b\""),
        (one("key = \"header:\""), |p| matches!(p, Problem::Header(_)), "header"),
        (one("paths = [\"/{a\"]"), |p| matches!(p, Problem::Path(..)), "\"/{a\""),
        (one("paths = [\"/a\", \"/a\"]"), |p| matches!(p, Problem::Path(..)), "\"/a\""),
        (one("paths = [\"/{a}\", \"/{b}\"]"), |p| matches!(p, Problem::Path(..)), "\"/{b}\""),
        (one("methods = [\"G T\"]"), |p| matches!(p, Problem::Method(_)), "\"G T\""),
        (one("methods = [\"get\"]"), |p| matches!(p, Problem::Method(_)), "\"get\""),
        (one("refund_on = [99]"), |p| matches!(p, Problem::Status(99)), "`refund_on`: 99"),
        (one("refund_on = [1000]"), |p| matches!(p, Problem::Status(1000)), "1000"),
        (one("enforce = 101"), |p| matches!(p, Problem::Percent(101)), "`enforce`: 101"),
        (one("cost = 11"), |p| matches!(p, Problem::Cost(11)), "11"),
        (
            one("key = \"client\"").replace("10/d", "10_000_000/s"),
            |p| matches!(p, Problem::Limiter(KeyedError::TooFast)),
            "500 ns",
        ),
        (
            one("key = \"client\"").replace("10/d", "1/1000d"),
            |p| matches!(p, Problem::Limiter(KeyedError::TooLong)),
            "two years",
        ),
        (
            one(&format!("key = \"client\"\ncapacity = {}", i64::MAX)),
            |p| matches!(p, Problem::Limiter(KeyedError::TooLarge)),
            "memory",
        ),
        (
            client("trusted = [\"10.0.0.0/33\"]\nheader = \"forwarded\""),
            |p| matches!(p, Problem::Network(..)),
            "\"10.0.0.0/33\"",
        ),
        (client("trusted = [\"10.0.0.0/8\"]"), |p| matches!(p, Problem::Proxies), "header"),
        (client("hops = 1"), |p| matches!(p, Problem::Proxies), "header"),
        (client("header = \"forwarded\""), |p| matches!(p, Problem::Proxies), "hops"),
        (client("hops = 0\nheader = \"forwarded\""), |p| matches!(p, Problem::Proxies), "hops"),
        (
            client("hops = 1\ntrusted = [\"::1/128\"]\nheader = \"forwarded\""),
            |p| matches!(p, Problem::Proxies),
            "either",
        ),
        (client("hops = 1\nheader = \"a b\""), |p| matches!(p, Problem::Header(_)), "\"a b\""),
        (client("ipv6_prefix = 60"), |p| matches!(p, Problem::Ipv6Prefix(60)), "60"),
    ];
    for (text, is_expected, named) in cases {
        let error = error(&text);
        assert!(is_expected(error.problem()), "{text}: {error:?}");
        assert!(error.to_string().contains(named), "{error}");
        let is_of_policy = !text.contains("[client]") && text.contains("name");
        assert_eq!(error.policy().is_some(), is_of_policy, "{error}");
    }
    let many: String = (0..256).map(|i| one("").replace("\"a\"", &format!("\"{i}\""))).collect();
    assert_eq!(error(&many).problem(), &Problem::Count(256));
}

/// A misspelt option does not lift a limit: it is an error of the format, wherever it stands.
#[test]
fn unknown_fields_are_errors() {
    for text in [
        one("burst = 3"),
        one("Key = \"client\""),
        one("algorithm = \"leaky\""),
        one("missing_key = \"ignore\""),
        one("enforce = 300"),
        one("cost = -1"),
        one("quota = 3"),
        format!("shadow = true\n{}", one("")),
        format!("[client]\nhop = 3\n{}", one("")),
        "[[policies]]\nname = \"a\"".to_owned(),
        "[[policies]]\nquota = \"1/d\"".to_owned(),
        one("").replace("10/d", "10/fortnight"),
        one("").replace("10/d", "0/d"),
        String::new(),
    ] {
        assert!(toml::from_str::<Config>(&text).is_err(), "{text}");
    }
}

/// What stands in the file is what the layer does.
#[test]
fn the_options_reach_the_policy() {
    let text = r#"
        [[policies]]
        name = "puts"
        quota = "5/d"
        key = "header:x-key"
        algorithm = "fixed_window"
        paths = ["/files/{*name}", "/user/{id}"]
        methods = ["PUT", "POST"]
        cost = 2
        refund_on = [304]
        missing_key = "exempt"
    "#;
    let policies = made(text);
    assert_eq!(policies.get("puts").unwrap().quota(), Quota::per_day(5));
    assert!(policies.get("other").is_none());
    let names: Vec<_> = policies.names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["puts"]);
    let inner = Served::default();
    let service = policies.layer().layer(inner.clone());
    let ask = |method: &str, path: &str, key: Option<&str>| {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("x-key", key);
        }
        let answer = send(&service, request.body(()).unwrap());
        let limit = answer
            .headers()
            .get("ratelimit")
            .map(|value| value.to_str().unwrap().split(';').nth(1).unwrap().to_owned());
        (answer.status().as_u16(), limit)
    };
    let left = |n: u32| Some(format!("r={n}"));
    for (method, path) in [("GET", "/user/7"), ("PUT", "/user"), ("PUT", "/user/7/x"), ("PUT", "/")]
    {
        assert_eq!(ask(method, path, Some("a")), (200, None), "{method} {path}");
    }
    assert_eq!(ask("PUT", "/user/7?x=1", None), (200, None));
    assert_eq!(ask("PUT", "/user/7?x=1", Some("a")), (200, left(3)));
    *inner.status.lock().unwrap() = StatusCode::NOT_MODIFIED;
    assert_eq!(ask("POST", "/files/x/y", Some("a")), (304, left(3)));
    assert_eq!(ask("POST", "/files/x/y", Some("a")), (304, left(3)));
    *inner.status.lock().unwrap() = StatusCode::OK;
    assert_eq!(ask("PUT", "/files/x", Some("a")), (200, left(1)));
    assert_eq!(ask("PUT", "/files/x", Some("a")), (429, left(1)));
    assert_eq!(ask("PUT", "/files/x", Some("b")), (200, left(3)));
}

/// How a client's address is found: by the peer, behind networks or behind a number of proxies, by the header that is
/// named in any spelling, and by a prefix of IPv6.
#[test]
fn the_client_section_reaches_the_key() {
    let client = |text: &str| {
        let policy = one("key = \"client\"").replace("10/d", "1/d");
        around(&made(&format!("[client]\n{text}\n{policy}")).layer())
    };
    let ask = |service: &RateLimit<Served>, peer: &str, header: &str, value: &str| {
        let mut request = Request::builder().header(header, value).body(()).unwrap();
        let peer: std::net::IpAddr = peer.parse().unwrap();
        request.extensions_mut().insert(casgate_tower::Peer(peer));
        status(service, request)
    };
    const XFF: &str = "x-forwarded-for";
    let service = client("");
    assert_eq!(ask(&service, "10.0.0.1", XFF, "192.0.2.1"), 200);
    assert_eq!(ask(&service, "10.0.0.1", XFF, "192.0.2.2"), 429, "the peer alone counts");
    for header in [XFF, "X-Forwarded-For"] {
        let service = client(&format!("trusted = [\"10.0.0.0/8\"]\nheader = \"{header}\""));
        assert_eq!(ask(&service, "10.0.0.1", XFF, "6.6.6.6, 192.0.2.1"), 200);
        assert_eq!(ask(&service, "10.0.0.2", XFF, "7.7.7.7, 192.0.2.1, 10.9.9.9"), 429);
        assert_eq!(ask(&service, "10.0.0.2", XFF, "192.0.2.2"), 200);
        assert_eq!(ask(&service, "192.0.2.2", XFF, "1.1.1.1"), 429, "it is no proxy");
    }
    for header in ["forwarded", "Forwarded"] {
        let service = client(&format!("hops = 1\nheader = \"{header}\""));
        assert_eq!(ask(&service, "10.0.0.1", "forwarded", "for=6.6.6.6, for=192.0.2.1"), 200);
        assert_eq!(ask(&service, "10.0.0.1", "forwarded", "for=192.0.2.1"), 429);
        assert_eq!(ask(&service, "10.0.0.1", "forwarded", "for=192.0.2.2"), 200);
    }
    let service = client("hops = 1\nheader = \"x-real-ip\"");
    assert_eq!(ask(&service, "10.0.0.1", "x-real-ip", "192.0.2.1"), 200);
    assert_eq!(ask(&service, "10.0.0.1", "x-real-ip", "192.0.2.1"), 429);
    for (prefix, [in_64, in_56, in_48]) in [
        ("", [429, 200, 200]),
        ("ipv6_prefix = 64", [429, 200, 200]),
        ("ipv6_prefix = 56", [429, 429, 200]),
        ("ipv6_prefix = 48", [429, 429, 429]),
    ] {
        for (other, expected) in [
            ("2001:db8:1:100::9", in_64),
            ("2001:db8:1:101::1", in_56),
            ("2001:db8:1:200::1", in_48),
        ] {
            let service = client(prefix);
            assert_eq!(ask(&service, "2001:db8:1:100::1", "x-none", ""), 200);
            assert_eq!(ask(&service, other, "x-none", ""), expected, "{prefix} {other}");
        }
    }
}

/// The program's keys are found by name, and can replace `client`.
#[test]
fn a_program_adds_keys() {
    for name in ["user", "client"] {
        let keys = ConfigKeys::new().with(name, by_header());
        let config = config(&one(&format!("key = \"{name}\"")).replace("10/d", "1/d"));
        let service = around(&Policies::new(config, keys).unwrap().layer());
        for (key, expected) in [("a", 200), ("b", 200), ("a", 429)] {
            assert_eq!(status(&service, request(key)), expected);
        }
    }
}

/// What becomes of a request without a key.
#[test]
fn a_missing_key_is_what_the_file_says() {
    for (said, expected) in [
        ("", [500, 500]),
        ("missing_key = \"deny\"", [500, 500]),
        ("missing_key = \"shared\"", [200, 429]),
        ("missing_key = \"exempt\"", [200, 200]),
    ] {
        let text = one(&format!("key = \"header:x-key\"\n{said}")).replace("10/d", "1/d");
        let service = around(&made(&text).layer());
        assert_eq!([(); 2].map(|()| status(&service, keyless())), expected, "{said}");
    }
}

/// A policy in shadow, by the percentage.
#[test]
fn a_policy_can_be_on_trial() {
    let service = around(&made(&one("enforce = 0").replace("10/d", "1/d")).layer());
    for _ in 0..3 {
        assert_eq!(status(&service, request("a")), 200);
    }
}

/// Methods and paths select together, and each alone.
#[test]
fn a_policy_selects_by_method_by_path_or_by_both() {
    let paths = "paths = [\"/a\"]\n";
    let methods = "methods = [\"PUT\"]\n";
    for (rest, expected) in [
        (String::new(), [true; 4]),
        (paths.to_owned(), [true, false, true, false]),
        (methods.to_owned(), [true, true, false, false]),
        (format!("{paths}{methods}"), [true, false, false, false]),
    ] {
        let service = around(&made(&one(&rest)).layer());
        let applies =
            [("PUT", "/a"), ("PUT", "/b"), ("GET", "/a"), ("GET", "/b")].map(|(method, path)| {
                let request = Request::builder().method(method).uri(path).body(()).unwrap();
                send(&service, request).headers().contains_key("ratelimit")
            });
        assert_eq!(applies, expected, "{rest}");
    }
}

/// A route for GET serves HEAD too, so a limit of one without the other would lift it.
#[test]
fn a_policy_of_get_is_one_of_head() {
    for (methods, expected) in [
        (r#"["GET"]"#, [true, true, false]),
        (r#"["HEAD"]"#, [false, true, false]),
        (r#"["PUT"]"#, [false, false, true]),
    ] {
        let service = around(&made(&one(&format!("methods = {methods}"))).layer());
        let applies = ["GET", "HEAD", "PUT"].map(|method| {
            let request = Request::builder().method(method).body(()).unwrap();
            send(&service, request).headers().contains_key("ratelimit")
        });
        assert_eq!(applies, expected, "{methods}");
    }
}
