//! What a client makes of a server's response.

use crate::scene::headers;
use casgate_tower::fields::{ServerLimit, read};
use http::HeaderMap;
use proptest::prelude::*;
use std::time::Duration;

/// A limit as text: name, remaining, within, quota and window.
fn show(limit: &ServerLimit) -> String {
    let secs =
        |time: Option<Duration>| time.map_or("-".to_owned(), |time| time.as_secs().to_string());
    let ServerLimit { name, remaining, within, quota, window, .. } = limit;
    let quota = quota.map_or("-".to_owned(), |quota| quota.to_string());
    format!("{name} {remaining} {} {quota} {}", secs(*within), secs(*window))
}

fn shown(lines: &[(&'static str, &str)]) -> Vec<String> {
    read(&headers(lines)).iter().map(show).collect()
}

fn of_limit(text: &str) -> Vec<String> {
    shown(&[("ratelimit", text)])
}

#[test]
fn limits_with_their_policies() {
    let policies =
        ("ratelimit-policy", r#""burst";q=10;w=1, "daily";q=5000;w=86400;casgate-burst=9"#);
    assert_eq!(
        shown(&[policies, ("ratelimit", r#""daily";r=42;t=9, "other";r=1"#)]),
        ["daily 42 9 5000 86400", "other 1 - - -"],
    );
    let without_window = ("ratelimit-policy", r#""p";q=10"#);
    assert_eq!(shown(&[without_window, ("ratelimit", r#""p";r=1;t=0"#)]), ["p 1 0 10 -"]);
    // Names are compared once their escapes are gone, and a Token is a name.
    let escaped = ("ratelimit-policy", r#""a\"b\\c";q=10;w=1, p;q=3;w=4"#);
    assert_eq!(
        shown(&[escaped, ("ratelimit", r#""a\"b\\c";r=0;t=1, "p";r=1;t=2"#)]),
        [r#"a"b\c 0 1 10 1"#, "p 1 2 3 4"],
    );
}

/// A change of the draft renames `r` to `a` and `t` to `w`.
#[test]
fn renamed_parameters() {
    assert_eq!(of_limit(r#""p";a=5;w=6"#), ["p 5 6 - -"]);
    assert_eq!(of_limit(r#""p";r=5;w=6"#), ["p 5 6 - -"]);
    assert_eq!(of_limit(r#""p";a=5;t=6"#), ["p 5 6 - -"]);
    assert_eq!(of_limit(r#""p";a=1;r=5;w=2;t=6"#), ["p 5 6 - -"]);
    assert_eq!(
        shown(&[("ratelimit-policy", r#""p";a=5;t=6"#), ("ratelimit", "p;r=1")]),
        ["p 1 - - -"]
    );
}

#[test]
fn lines_are_one_list() {
    let lines = [
        ("ratelimit", r#""a";r=1;t=2"#),
        ("ratelimit-policy", r#""b";q=5;w=6"#),
        ("ratelimit", r#""b";r=3;t=4, "c";r=5"#),
        ("ratelimit-policy", r#""a";q=7;w=8"#),
    ];
    assert_eq!(shown(&lines), ["a 1 2 7 8", "b 3 4 5 6", "c 5 - - -"]);
    // One malformed line, and the whole field is: `a` is not known to have been all.
    assert_eq!(shown(&[lines[0], ("ratelimit", "?")]), [""; 0]);
}

#[test]
fn policies_of_one_name() {
    let limit = ("ratelimit", "p;r=1");
    for (policies, then) in [
        ("p;q=2;w=3, p;q=2;w=3", "p 1 - 2 3"),
        ("p;q=2;w=3, p;q=9;w=3", "p 1 - - -"),
        ("p;q=2;w=3, p;q=2", "p 1 - - -"),
        ("p;q=2;w=3, p;q=9;w=3, p;q=2;w=3", "p 1 - - -"),
    ] {
        assert_eq!(shown(&[("ratelimit-policy", policies), limit]), [then]);
    }
}

#[test]
fn white_space_and_unknown_parameters() {
    for text in [
        r#"p;r=1;t=2"#,
        r#"  "p";r=1;t=2  "#,
        "\"p\" \t,\t q;r=3",
        r#""p";  r=1; t=2"#,
        r#"p;r=9;t=9;r=1;t=2"#,
        r#"p;pk=:QXBwLTk5OQ==:;r=1;t=2"#,
        r#"p;x;y=?1;z=?0;r=1;t=2"#,
        r#"p;x=1.5;y=-12.375;z=-7;r=1;t=2"#,
        r#"p;x="a;r=5, \"\\";y=*t/:!#;r=1;t=2"#,
        r#"p;x=@1659578233;y=@-1;r=1;t=2"#,
        r#"p;x=%"f%c3%bc%c3%bc, ";*_-.*9=1;r=1;t=2"#,
        r#"p;x=999999999999999;r=000001;t=2"#,
        r#"p;x=::;r=1;t=2"#,
    ] {
        if text.contains('q') {
            // Without `r` a limit is malformed, and so is the field.
            assert_eq!(of_limit(text), [""; 0]);
        } else {
            assert_eq!(of_limit(text), ["p 1 2 - -"], "{text}");
        }
    }
}

#[test]
fn malformed_limits_are_ignored_whole() {
    for text in [
        "",
        " ",
        "p",
        "p;t=2",
        "p;r",
        "p;r=",
        "p;r=-1",
        "p;r=1.0",
        "p;r=\"1\"",
        "p;r=1;t=-1",
        "p;r=1;t=1.5",
        "p;r=1;t",
        "p;r=1;R=2",
        "p;r=1;=2",
        "p;r=1;1=2",
        "p;r=1;",
        "p;r=1,",
        "p;r=1 ;t=2",
        "p;r=1,,p;r=1",
        ",p;r=1",
        "p;r=1000000000000000",
        "p;x=1000000000000000;r=1",
        "p;x=1234567890123.0;r=1",
        "p;x=1.2345;r=1",
        "p;x=1.;r=1",
        "p;x=-;r=1",
        "p;x=--1;r=1",
        "p;x=+1;r=1",
        "p;x=?2;r=1",
        "p;x=?;r=1",
        "p;x=:a;r=1",
        "p;x=:-:;r=1",
        "p;x=@1.0;r=1",
        "p;x=@;r=1",
        "p;x=%a;r=1",
        "p;x=%\"%C3%BC\";r=1",
        "p;x=%\"%c3\";r=1",
        "p;x=%\"%c\";r=1",
        "p;x=%\"a;r=1",
        "p;x=(1);r=1",
        "(p);r=1",
        "1;r=1",
        "?1;r=1",
        ":YQ==:;r=1",
        "\"p;r=1",
        "\"p\\\";r=1",
        "\"p\\n\";r=1",
        "\"p\t\";r=1",
        "p r=1",
        "p=1;r=1",
        "limit=100, remaining=50, reset=30",
        "p;r=1, q",
        "p;r=1, q;r=x",
    ] {
        assert_eq!(of_limit(text), [""; 0], "{text}");
    }
    let bytes = http::HeaderValue::from_bytes("\"é\";r=1".as_bytes()).unwrap();
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static("ratelimit"), bytes)]);
    assert_eq!(read(&headers), []);
}

/// A limit is read without a policy that is malformed.
#[test]
fn malformed_policies_are_ignored_whole() {
    for policies in
        ["p", "p;q=-1", "p;q=1;w=0", "p;q=1;w=-1", "p;w=1", "p;q=1;w=1.5", "p;q=1;w=2, q", "p;q=1,"]
    {
        assert_eq!(
            shown(&[("ratelimit-policy", policies), ("ratelimit", "p;r=1")]),
            ["p 1 - - -"],
            "{policies}"
        );
    }
    assert_eq!(shown(&[("ratelimit-policy", "p;q=1;w=1")]), [""; 0]);
}

/// "Clients ignore them on responses with Age > 0."
#[test]
fn stored_responses_are_ignored() {
    for (age, there) in [
        ("0", true),
        ("000", true),
        ("", true),
        ("soon", true),
        ("-3", true),
        ("1", false),
        ("86400", false),
        ("99999999999999999999999", false),
    ] {
        for limit in [("ratelimit", "p;r=1"), ("x-ratelimit-remaining", "1")] {
            assert_eq!(!shown(&[("age", age), limit]).is_empty(), there, "{age}");
        }
    }
    assert_eq!(shown(&[("age", "0"), ("age", "4"), ("ratelimit", "p;r=1")]), [""; 0]);
}

#[test]
fn legacy_fields() {
    let legacy = |limit, remaining, reset| {
        let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
        let lines = names.into_iter().zip([limit, remaining, reset]);
        shown(&lines.filter(|(_, value)| *value != "absent").collect::<Vec<_>>()).join("|")
    };
    for (limit, remaining, reset, then) in [
        ("60", "59", "30", " 59 30 60 -"),
        ("60", "0", "0", " 0 0 60 -"),
        ("absent", "59", "absent", " 59 - - -"),
        ("60", "59", "1372700873", " 59 - 60 -"),
        ("60", "59", "1000000000", " 59 - 60 -"),
        ("60", "59", "999999999", " 59 999999999 60 -"),
        ("60", "59", "Mon, 01 Jul 2013 17:47:53 GMT", " 59 - 60 -"),
        ("100, 100;w=60", "59", "1.5", " 59 - - -"),
        ("60", "absent", "30", ""),
        ("60", "-1", "30", ""),
        ("60", "999999999999999", "30", " 999999999999999 30 60 -"),
        ("60", "1000000000000000", "30", ""),
        ("60", "99999999999999999999", "30", ""),
    ] {
        assert_eq!(legacy(limit, remaining, reset), then, "{remaining} of {limit}, {reset}");
    }
}

#[test]
fn legacy_fields_only_without_the_others() {
    let legacy = ("x-ratelimit-remaining", "7");
    assert_eq!(shown(&[legacy, ("ratelimit", "p;r=1")]), ["p 1 - - -"]);
    assert_eq!(shown(&[legacy, ("ratelimit-policy", "p;q=1;w=1")]), [" 7 - - -"]);
    // What is ignored counts as absent.
    assert_eq!(shown(&[legacy, ("ratelimit", "limit=100, remaining=50, reset=30")]), [" 7 - - -"]);
    assert_eq!(shown(&[legacy, ("ratelimit", "")]), [" 7 - - -"]);
}

proptest! {
    #[test]
    fn no_bytes_panic(lines in proptest::collection::vec((0..7usize, any::<Vec<u8>>()), 0..6)) {
        let names = [
            "ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
            "age", "retry-after",
        ];
        let mut headers = HeaderMap::new();
        for (name, bytes) in lines {
            if let Ok(value) = http::HeaderValue::from_bytes(&bytes) {
                headers.append(names[name], value);
            }
        }
        let _ = read(&headers);
    }
}
