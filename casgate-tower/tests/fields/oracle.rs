//! The crate `sfv`, another parser of structured fields, reads what is written, and reads a text as this crate does.

use crate::scene::headers;
use casgate::algorithm::Weighted;
use casgate::{Admitted, Denied, Limiter, Quota, Timestamp};
use casgate_tower::fields::{Announced, Fields, Name, Refill, Standing, Unit, read};
use http::HeaderMap;
use proptest::prelude::*;
use sfv::{BareItem, List, ListEntry, Parser};
use std::time::Duration;

fn parsed(lines: &[&str]) -> Option<List> {
    Parser::new(&lines.join(", ")).parse().ok()
}

/// The name of a member, and a parameter of it that is an integer.
fn name(member: &ListEntry) -> Option<&str> {
    match member {
        ListEntry::Item(item) => match &item.bare_item {
            BareItem::String(name) => Some(name.as_str()),
            BareItem::Token(name) => Some(name.as_str()),
            _ => None,
        },
        ListEntry::InnerList(_) => None,
    }
}

/// An outer `None` for a parameter that is not a number from zero.
fn number(member: &ListEntry, key: &str) -> Option<Option<u64>> {
    let ListEntry::Item(item) = member else { return None };
    let value = item.params.iter().find(|(name, _)| name.as_str() == key);
    let Some((_, value)) = value else { return Some(None) };
    u64::try_from(i64::from(value.as_integer()?)).ok().map(Some)
}

/// What `read` must make of a field.
fn expected(text: &str) -> Vec<(String, u64, Option<u64>)> {
    let limit = |member: &ListEntry| {
        let or = |one, other| match number(member, one)? {
            Some(number) => Some(Some(number)),
            None => number(member, other),
        };
        Some((name(member)?.to_owned(), or("r", "a")??, or("t", "w")?))
    };
    parsed(&[text]).and_then(|list| list.iter().map(limit).collect()).unwrap_or_default()
}

fn actual(text: &str) -> Vec<(String, u64, Option<u64>)> {
    let limits = read(&headers(&[("ratelimit", text)])).into_iter();
    limits
        .map(|limit| (limit.name, limit.remaining, limit.within.map(|time| time.as_secs())))
        .collect()
}

/// Texts that are lists, or nearly: something is put into one at some place, or taken out.
fn nearly() -> impl Strategy<Value = String> {
    let parameter = prop_oneof![
        9 => prop::sample::select(vec![
            ";t=20", ";a=3", ";w=4", ";r=1", ";  x", ";x=?1", ";x=@5", ";x=%\"a%c3%bc\"", ";x=1.5", ";x=-1",
            ";x=*t/", ";x=\"a, \\\";r=9\"", ";x=:YWJj:", ";*k_-.1=0",
        ]).prop_map(str::to_owned),
        2 => (0..=999_999_999_999_999_u64).prop_map(|number| format!(";r={number}")),
        1 => prop::sample::select(vec![";r=1.0", ";t=\"1\"", ";r", ";t=-1", ";x=(1)", ";X"]).prop_map(str::to_owned),
    ];
    let name =
        prop::sample::select(vec!["\"p\"", "p", "\"a\\\"b\\\\c\"", "\"\"", "*/", "p.q", "1"]);
    let first = prop::sample::select(vec![";r=5", ";a=6", ";r=0007", ";r=8", ";a=0", ""]);
    let member = (name, first, prop::collection::vec(parameter, 0..3))
        .prop_map(|(name, first, rest)| format!("{name}{first}{}", rest.concat()));
    let list = prop::collection::vec(member, 1..3).prop_map(|members| members.join(", "));
    let bit = prop_oneof![
        prop::sample::select(vec![
            "",
            "\"",
            "\\",
            ";",
            "=",
            ",",
            " ",
            "\t",
            "?",
            "@",
            "%",
            "%\"",
            "-",
            ".",
            "(",
            ":",
            "*",
            "A",
            "9",
            "000000000000000",
            ".0",
            ";r",
            "é",
        ])
        .prop_map(str::to_owned),
        "[ -~]",
    ];
    (list, any::<prop::sample::Index>(), 0..3usize, bit, 0..2).prop_map(
        |(list, at, taken, put, whole)| {
            if whole == 0 {
                return list;
            }
            let at = at.index(list.len() + 1);
            let end = (at + taken).min(list.len());
            format!("{}{put}{}", &list[..at], &list[end..])
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn both_parsers_read_the_same(text in nearly()) {
        prop_assume!(http::HeaderValue::from_str(&text).is_ok());
        let expected = expected(&text);
        // Base64 that cannot be decoded is skipped here, and is an error there.
        if expected.is_empty() && text.replace(":YWJj:", "").contains(':') {
            return Ok(());
        }
        prop_assert_eq!(actual(&text), expected);
    }
}

/// A parser that is wrong would be noticed: the texts meet both outcomes, and every parameter.
#[test]
fn the_texts_are_lists_and_nearly() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut read, mut ignored, mut renamed) = (0, 0, 0);
    for _ in 0..2_000 {
        let text = nearly().new_tree(&mut runner).unwrap().current();
        match &expected(&text)[..] {
            [] => ignored += 1,
            _ if text.contains(";a=") || text.contains(";w=") => renamed += 1,
            _ => read += 1,
        }
    }
    assert!(read > 250 && ignored > 250 && renamed > 250, "{read} {ignored} {renamed}");
}

/// A policy, and what a client asked of it.
#[derive(Clone, Debug)]
struct Scene {
    announced: Announced,
    bucket: bool,
    requests: Vec<(u32, u64)>,
}

fn scenes() -> impl Strategy<Value = Scene> {
    let small = (1..200u32, 1..200u32, 1..100_000_000_000u64);
    let any_size = (1..=u32::MAX, 1..=u32::MAX, 1..=1u64 << 61);
    let quota =
        prop_oneof![small, any_size].prop_filter_map("a quota", |(permits, burst, period)| {
            Quota::new(permits, Duration::from_nanos(period)).ok()?.try_with_burst(burst).ok()
        });
    let unit =
        prop::sample::select(vec![Unit::Requests, Unit::ContentBytes, Unit::ConcurrentRequests]);
    let requests = prop::collection::vec((0..250u32, 0..200_000_000_000u64), 1..8);
    ("[ -~]{1,64}", quota, unit, any::<bool>(), requests).prop_map(
        |(name, quota, unit, bucket, requests)| {
            let announced = Announced::new(Name::new(&name).unwrap(), quota).unit(unit);
            let refill = if bucket { Refill::Steadily } else { Refill::AtOnce };
            Scene { announced: announced.refill(refill), bucket, requests }
        },
    )
}

impl Scene {
    fn decide(&self) -> Result<Admitted, Denied> {
        fn last<A: Weighted>(
            limiter: &Limiter<A>,
            requests: &[(u32, u64)],
        ) -> Result<Admitted, Denied> {
            let ask =
                |&(n, nanos): &(u32, u64)| limiter.check_n_at(n, Timestamp::from_nanos(nanos));
            requests.iter().map(ask).last().unwrap()
        }
        let quota = self.announced.quota();
        match self.bucket {
            true => last(&Limiter::token_bucket(quota), &self.requests),
            false => last(&Limiter::fixed_window(quota), &self.requests),
        }
    }

    fn standing(&self) -> Standing<'_> {
        match self.decide() {
            Ok(admitted) => Standing::admitted(&self.announced, &admitted),
            Err(denied) => Standing::denied(&self.announced, &denied),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_structured_and_is_read_back(scenes in prop::collection::vec(scenes(), 1..5)) {
        let mut standings: Vec<_> = scenes.iter().map(Scene::standing).collect();
        let mut headers = HeaderMap::new();
        Fields::DRAFT_11.write(&mut standings, &mut headers);
        let line = |name| headers[name].to_str().unwrap();
        let (policies, limits) = (parsed(&[line("ratelimit-policy")]).unwrap(), parsed(&[line("ratelimit")]).unwrap());
        let back = read(&headers);
        prop_assert_eq!((policies.len(), limits.len(), back.len()), (standings.len(), standings.len(), standings.len()));

        for (index, standing) in standings.iter().enumerate() {
            let (policy, limit, back) = (&policies[index], &limits[index], &back[index]);
            let announced = standing.announced();
            let (remaining, within) = (u64::from(standing.remaining()), standing.within());
            prop_assert_eq!(name(policy), Some(announced.name().as_str()));
            prop_assert_eq!(name(limit), Some(announced.name().as_str()));
            prop_assert_eq!((number(limit, "r"), number(limit, "t")), (Some(Some(remaining)), Some(Some(within))));

            prop_assert_eq!(&back.name, announced.name().as_str());
            prop_assert_eq!((back.remaining, back.within), (remaining, Some(Duration::from_secs(within))));
            let (q, w) = (number(policy, "q").unwrap().unwrap(), number(policy, "w").unwrap().unwrap());
            let unique = standings.iter().filter(|other| other.announced().name() == announced.name()).count() == 1;
            if unique {
                prop_assert_eq!((back.quota, back.window), (Some(q), Some(Duration::from_secs(w))));
            }

            // q per w is the quota, or less by what is rounded off.
            let (permits, period) = (u128::from(announced.quota().permits()), announced.quota().period().as_nanos());
            let whole = u128::from(w) * 1_000_000_000 * permits;
            prop_assert!(u128::from(q) * period <= whole && whole < u128::from(q + 1) * period);
        }
    }

    /// The numbers of a bucket tell when the next permit comes: it is admitted then, within the second that `t`
    /// names, and not a nanosecond before it by more than what is rounded.
    #[test]
    fn a_bucket_left_alone_admits_again_within_t(scene in scenes().prop_filter("a bucket", |scene| scene.bucket)) {
        let quota = scene.announced.quota();
        let limiter = Limiter::token_bucket(quota);
        let (mut last, mut decision) = (Timestamp::ZERO, None);
        for &(n, nanos) in &scene.requests {
            last = last.max(Timestamp::from_nanos(nanos));
            decision = limiter.check_n_at(n, last).ok();
        }
        if let Some(admitted) = decision {
            let standing = Standing::admitted(&scene.announced, &admitted);
            let (left, seconds) = (u128::from(standing.remaining()), u128::from(standing.within()) * 1_000_000_000);
            let (permits, period) = (u128::from(quota.permits()), quota.period().as_nanos());
            // "Cap r/t": never a rate above the quota's.
            prop_assert!(left * period <= seconds * permits);
            // One more permit than is left fits after t.
            let next = last + Duration::from_nanos((seconds as u64).saturating_add(1));
            let more = standing.remaining().saturating_add(1).min(quota.burst());
            prop_assert!(limiter.check_n_at(more, next).is_ok(), "{:?}", standing);
            // And not long before it, unless what is left takes as long to return.
            if left * period + 1_000_000_000 * permits < seconds * permits {
                let limiter = Limiter::token_bucket(quota);
                let mut at = Timestamp::ZERO;
                for &(n, nanos) in &scene.requests {
                    at = at.max(Timestamp::from_nanos(nanos));
                    let _ = limiter.check_n_at(n, at);
                }
                let early = at + Duration::from_nanos((seconds - 1_000_000_000) as u64);
                prop_assert!(limiter.check_n_at(standing.remaining() + 1, early).is_err(), "{:?}", standing);
            }
        }
    }
}
