use crate::scene::{at_once, decide, headers, lines, standing, steadily};
use allocation_counter::measure;
use casgate::{Limiter, Quota, Timestamp};
use casgate_tower::fields::{Announced, Fields, Standing, write_retry_after};
use http::HeaderMap;

const BOTH: Fields = Fields::DRAFT_11.and(Fields::LEGACY);
const NAMES: [&str; 5] = [
    "ratelimit-policy",
    "ratelimit",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

#[test]
fn only_the_fields_that_were_chosen() {
    let quota = Quota::per_second(2);
    let announced = steadily("p", quota);
    let decision = Limiter::token_bucket(quota).check_at(Timestamp::ZERO);
    for (fields, there) in [
        (Fields::NONE, [0, 0, 0, 0, 0]),
        (Fields::default(), [1, 1, 0, 0, 0]),
        (Fields::DRAFT_11, [1, 1, 0, 0, 0]),
        (Fields::LEGACY, [0, 0, 1, 1, 1]),
        (BOTH, [1, 1, 1, 1, 1]),
        (Fields::LEGACY.and(Fields::DRAFT_11), [1, 1, 1, 1, 1]),
        (Fields::NONE.and(Fields::NONE), [0, 0, 0, 0, 0]),
    ] {
        let mut headers = HeaderMap::new();
        fields.write(&mut [standing(&announced, &decision)], &mut headers);
        assert_eq!(NAMES.map(|name| lines(&headers, name).len()), there, "{fields:?}");
    }
}

#[test]
fn nothing_for_no_policy() {
    let mut headers = HeaderMap::new();
    BOTH.write(&mut [], &mut headers);
    assert!(headers.is_empty());
}

#[test]
fn what_an_inner_layer_wrote_stays() {
    let mut headers = HeaderMap::new();
    let quota = Quota::per_second(2);
    for name in ["inner", "outer"] {
        let decision = Limiter::token_bucket(quota).check_at(Timestamp::ZERO);
        Fields::DRAFT_11.write(&mut [standing(&steadily(name, quota), &decision)], &mut headers);
    }
    assert_eq!(lines(&headers, "ratelimit-policy"), [r#""inner";q=2;w=1"#, r#""outer";q=2;w=1"#]);
    assert_eq!(lines(&headers, "ratelimit"), [r#""inner";r=1;t=1"#, r#""outer";r=1;t=1"#]);
    let read = casgate_tower::fields::read(&headers);
    assert_eq!(read.iter().map(|limit| &limit.name[..]).collect::<Vec<_>>(), ["inner", "outer"]);
}

/// A denied policy first, the one that never fits before all, and then the fewest permits.
#[test]
fn the_binding_policy_comes_first() {
    let quota = Quota::per_minute(60);
    let bucket = |requests| decide(&Limiter::token_bucket(quota), requests);
    let decisions = [
        ("many", bucket(&[(1, 0)])),
        ("few", bucket(&[(58, 0)])),
        ("short", bucket(&[(60, 0), (1, 0)])),
        ("few too", bucket(&[(58, 0)])),
        ("never", bucket(&[(61, 0)])),
        ("long", bucket(&[(40, 0), (60, 0)])),
    ];
    let announced: Vec<_> = decisions.iter().map(|(name, _)| steadily(name, quota)).collect();
    let pairs = announced.iter().zip(&decisions);
    let mut standings: Vec<_> =
        pairs.map(|(policy, (_, decision))| standing(policy, decision)).collect();
    BOTH.write(&mut standings, &mut HeaderMap::new());
    let order: Vec<_> =
        standings.iter().map(|standing| standing.announced().name().as_str()).collect();
    assert_eq!(order, ["never", "long", "short", "few", "few too", "many"]);
}

/// The limit of the limiter, what is left, and the seconds until it is full.
#[test]
fn legacy_fields() {
    let legacy = |announced: &Announced, decision, there: &[(&'static str, &str)]| {
        let mut headers = headers(there);
        Fields::LEGACY.write(&mut [standing(announced, &decision)], &mut headers);
        NAMES[2..].iter().map(|name| lines(&headers, name).join("|")).collect::<Vec<_>>()
    };
    let bucket = Quota::per_minute(60).with_burst(10);
    let window = Quota::per_minute(100);
    let (steadily, at_once) = (steadily("p", bucket), at_once("p", window));
    let of_bucket = |requests| decide(&Limiter::token_bucket(bucket), requests);
    let of_window = |requests| decide(&Limiter::fixed_window(window), requests);
    assert_eq!(legacy(&steadily, of_bucket(&[(4, 0)]), &[]), ["10", "6", "4"]);
    assert_eq!(legacy(&steadily, of_bucket(&[(10, 0), (1, 500)]), &[]), ["10", "0", "10"]);
    assert_eq!(legacy(&steadily, of_bucket(&[(0, 0)]), &[]), ["10", "10", "0"]);
    assert_eq!(legacy(&at_once, of_window(&[(3, 10_000)]), &[]), ["100", "97", "50"]);

    // An inner layer's.
    for (remaining, then) in
        [("5", ["9", "5", "3"]), ("6", ["10", "6", "4"]), ("x", ["10", "6", "4"])]
    {
        let inner = [(NAMES[2], "9"), (NAMES[3], remaining), (NAMES[4], "3")];
        assert_eq!(legacy(&steadily, of_bucket(&[(4, 0)]), &inner), then);
    }
}

#[test]
fn at_most_one_allocation_for_each_field() {
    let quota = Quota::per_minute(60).with_burst(40);
    let announced: Vec<_> =
        (0..10).map(|index| steadily(&format!("{index}\"{}", "\\".repeat(62)), quota)).collect();
    let denied = decide(&Limiter::token_bucket(quota), &[(40, 0), (1, 0)]);
    let mut standings: Vec<_> = announced.iter().map(|policy| standing(policy, &denied)).collect();
    let writes = |fields: Fields, standings: &mut [Standing<'_>]| {
        let mut headers = HeaderMap::with_capacity(20);
        let write = measure(|| fields.write(standings, &mut headers));
        let retry = measure(|| write_retry_after(standings, &mut headers));
        (write.count_total, retry.count_total)
    };
    assert_eq!(writes(Fields::DRAFT_11, &mut standings), (2, 1));
    assert_eq!(writes(Fields::LEGACY, &mut standings), (3, 1));
    // The policy's field of one policy is composed already.
    assert_eq!(writes(BOTH, &mut standings[..1]), (4, 1));
    assert_eq!(writes(Fields::NONE, &mut standings), (0, 1));
}

/// A map of headers has room for 32,768 at most; appending to a full one would panic.
#[test]
fn a_full_map_stays_as_it_is() {
    let quota = Quota::per_second(2);
    let announced = steadily("p", quota);
    let decision = decide(&Limiter::token_bucket(quota), &[(2, 0), (1, 0)]);
    let mut headers = HeaderMap::new();
    let mut index = 0;
    while headers
        .try_append(http::HeaderName::try_from(format!("x-{index}")).unwrap(), 0.into())
        .is_ok()
    {
        index += 1;
    }
    let full = headers.len();
    let standings = &mut [standing(&announced, &decision)];
    BOTH.write(standings, &mut headers);
    write_retry_after(standings, &mut headers);
    assert_eq!(headers.len(), full);
}

/// A client of the legacy fields alone reads what is written, but for the name.
#[test]
fn legacy_fields_are_read_back() {
    let quota = Quota::per_minute(100);
    let announced = at_once("p", quota);
    let decision = decide(&Limiter::fixed_window(quota), &[(3, 10_000)]);
    let mut headers = HeaderMap::new();
    Fields::LEGACY.write(&mut [standing(&announced, &decision)], &mut headers);
    let limits = casgate_tower::fields::read(&headers);
    let [limit] = &limits[..] else { panic!("{limits:?}") };
    assert_eq!((&limit.name[..], limit.remaining, limit.quota), ("", 97, Some(100)));
    assert_eq!((limit.within, limit.window), (Some(std::time::Duration::from_secs(50)), None));
}
