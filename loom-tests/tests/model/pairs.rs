//! Every operation of every limiter next to every other, in every interleaving.

use casgate::algorithm::{Adjustable, Both};
use casgate::{FixedWindow, Limiter, SlidingWindow, TokenBucket};
use loom_tests::explore::{explore, refute};
use loom_tests::scenarios::pairs::*;

fn all<S: Subject>(limiter: &str) {
    pairs::<S>(|name, first, second, later| {
        explore(&format!("{limiter}: {name}"), move || pair::<S>(first, second, later));
    });
}

#[test]
fn fixed_window() {
    all::<Limiter<FixedWindow>>("fixed window");
}

#[test]
fn token_bucket() {
    all::<Limiter<TokenBucket>>("token bucket");
}

#[test]
fn both() {
    all::<Limiter<Both<TokenBucket, FixedWindow>>>("both");
}

#[test]
fn sliding_window() {
    all::<Limiter<SlidingWindow>>("sliding window");
}

#[test]
fn adjustable() {
    all::<Limiter<Adjustable<TokenBucket>>>("adjustable token bucket");
    all::<Limiter<Adjustable<FixedWindow>>>("adjustable fixed window");
}

fn wrong<S: Subject>(name: &str, methods: [&str; 2]) {
    let [first, second] =
        methods.map(|method| OPERATIONS.into_iter().find(|o| o.methods.contains(&method)).unwrap());
    refute(name, "no order explains", move || pair::<S>(first, second, 0));
}

#[test]
fn wrong_limiters_are_refuted() {
    wrong::<CountsAfterwards>("seeded: counts afterwards", ["check", "check"]);
    wrong::<RefundsInTwoSteps>("seeded: refunds in two steps", ["refund", "check"]);
}
