//! The values in formats of serde.

use casgate::{Quota, Timestamp};
use serde_json::{Value, from_value, json};
use std::time::Duration;

fn quotas() -> [Quota; 5] {
    let longest = Duration::from_nanos(1 << 61);
    [
        Quota::per_minute(100).with_burst(20),
        Quota::per_day(1),
        Quota::new(3, Duration::from_secs(90)).unwrap(),
        Quota::new(1, longest).unwrap(),
        Quota::new(u32::MAX, longest).unwrap().with_burst(1),
    ]
}

#[test]
fn a_quota_is_its_text() {
    for quota in quotas() {
        let value = serde_json::to_value(quota).unwrap();
        assert_eq!(value, Value::from(quota.to_string()));
        assert_eq!(from_value::<Quota>(value).unwrap(), quota);
        let text = serde_json::to_string(&quota).unwrap();
        assert_eq!(serde_json::from_str::<Quota>(&text).unwrap(), quota);
    }
}

/// A format that cannot say what it holds.
#[test]
fn a_quota_survives_a_binary_format() {
    for quota in quotas() {
        let bytes = postcard::to_stdvec(&quota).unwrap();
        assert_eq!(bytes, postcard::to_stdvec(&quota.to_string()).unwrap());
        assert_eq!(postcard::from_bytes::<Quota>(&bytes).unwrap(), quota);
    }
}

#[test]
fn a_quota_may_be_a_map() {
    let quota = Quota::per_minute(100);
    for (map, expected) in [
        (json!({"permits": 100, "period": "1m"}), quota),
        (json!({"permits": 100, "period": "min", "burst": null}), quota),
        (json!({"permits": 100, "period": " 60 seconds "}), quota),
        (json!({"burst": 20, "period": "60_000ms", "permits": 100}), quota.with_burst(20)),
    ] {
        assert_eq!(from_value::<Quota>(map.clone()).unwrap(), expected, "{map}");
        let text = map.to_string();
        assert_eq!(serde_json::from_str::<Quota>(&text).unwrap(), expected, "{map}");
    }
}

#[test]
fn an_error_says_why() {
    let unit = "expected a unit of time: ns, us, ms, s, min, h or d";
    for (value, why) in [
        (json!("100/fortnight"), format!("{unit} (byte 4)")),
        (json!("0/s"), "a number cannot be zero (byte 0)".to_owned()),
        (json!({"permits": 5, "period": "1 week"}), format!("{unit} (byte 2)")),
        (json!({"permits": 5, "period": ""}), "the text is empty (byte 0)".to_owned()),
        (json!({"permits": 5, "period": "s s"}), "unexpected text after the end (byte 2)".to_owned()),
        (json!({"permits": 5, "period": "0s"}), "a number cannot be zero (byte 0)".to_owned()),
        (json!({"permits": 0, "period": "s"}), "a quota needs at least one permit".to_owned()),
        (
            json!({"permits": 2, "period": "ns"}),
            "a quota faster than one permit per nanosecond cannot be represented".to_owned(),
        ),
        (
            json!({"permits": 1, "period": "d", "burst": 30_000}),
            "a quota's burst cannot take longer than 73 years (2^61 ns) to refill".to_owned(),
        ),
        (
            json!({"permits": 5, "period": "s", "burst": 0}),
            "a quota needs a burst of at least one permit".to_owned(),
        ),
        (json!({"permits": 5}), "missing field `period`".to_owned()),
        (json!({"period": "s"}), "missing field `permits`".to_owned()),
        (
            json!({"permits": 5, "period": "s", "brust": 3}),
            "unknown field `brust`, expected one of `permits`, `period`, `burst`".to_owned(),
        ),
        (
            json!({"permits": 5, "period": 1}),
            "invalid type: integer `1`, expected a period such as \"100ms\" or \"1min\"".to_owned(),
        ),
        (json!({"permits": -5, "period": "s"}), "integer `-5`, expected u32".to_owned()),
        (
            json!(5),
            "invalid type: integer `5`, expected a quota such as \"100/min burst 20\", or a map of its \
             permits and period"
                .to_owned(),
        ),
    ] {
        let error = from_value::<Quota>(value.clone()).unwrap_err().to_string();
        assert!(error.contains(&why), "{value}: {error}");
    }
    let twice = r#"{"permits": 5, "period": "s", "permits": 6}"#;
    let error = serde_json::from_str::<Quota>(twice).unwrap_err().to_string();
    assert!(error.contains("duplicate field `permits`"), "{error}");
}

#[test]
fn a_timestamp_is_its_nanoseconds() {
    for nanos in [0, 1, u64::MAX] {
        let timestamp = Timestamp::from_nanos(nanos);
        let value = serde_json::to_value(timestamp).unwrap();
        assert_eq!(value, Value::from(nanos));
        assert_eq!(from_value::<Timestamp>(value).unwrap(), timestamp);
        let bytes = postcard::to_stdvec(&timestamp).unwrap();
        assert_eq!(postcard::from_bytes::<Timestamp>(&bytes).unwrap(), timestamp);
    }
    for value in [json!(-1), json!(1.5), json!("1s")] {
        assert!(from_value::<Timestamp>(value.clone()).is_err(), "{value}");
    }
}
