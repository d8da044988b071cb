//! The state and the questions that a law is judged on.

use crate::step::{Step, TOLD};
use crate::subject::{Stated, Subject};
use crate::trace::{quotas, steps};
use casgate::word::Word;
use casgate::{Quota, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::LazyLock;
use std::time::Duration;

/// A state that the rule has reached, and what to ask of it.
#[derive(Debug)]
pub(crate) struct Scene {
    /// What operations of every kind left behind.
    pub(crate) word: Word,
    /// What other ones left behind.
    pub(crate) other: Word,
    /// An instant near the last operation, before it or after it, or anywhere.
    pub(crate) now: Timestamp,
    /// Any other instant.
    pub(crate) elsewhere: Timestamp,
    /// At least 1.
    pub(crate) n: u32,
    pub(crate) m: u32,
    /// Any words whatever.
    pub(crate) any: [u64; 4],
    /// See [`Stated::late_by`].
    pub(crate) late_by: u64,
}

impl Scene {
    /// Instants from `start` on and before `end`, its first and last ones among them.
    pub(crate) fn instants(&self, start: u64, end: u64) -> impl Iterator<Item = Timestamp> {
        let length = end.saturating_sub(start);
        let inside = move |any: &u64| any.checked_rem(length).map(|offset| start + offset);
        let ends = [0, length.wrapping_sub(1), length / 2];
        let all: Vec<u64> = self.any.iter().chain(&ends).filter_map(inside).collect();
        all.into_iter().map(Timestamp::from_nanos)
    }
}

/// Whether the rule tells `now` apart from earlier instants. No rule need do so after [`TOLD`].
pub(crate) fn is_told(rule: &impl Subject, now: Timestamp) -> bool {
    now.as_nanos() <= TOLD || rule.decide(Word::default(), 1, now).is_some()
}

pub(crate) type Verdict = Result<(), TestCaseError>;

/// How many permits to ask for.
#[derive(Clone, Copy, Debug)]
enum Ask {
    These(u32),
    /// 64ths of what is left, and one more.
    Part(u32),
    AllAnd(u32),
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Check(Ask),
    Charge(Ask),
    Refund(Ask),
    DenyUntil,
}

fn asks() -> impl Strategy<Value = Ask> {
    prop_oneof![
        3 => Just(Ask::These(1)),
        2 => (1..9u32).prop_map(Ask::These),
        2 => (0..64u32).prop_map(Ask::Part),
        2 => (0..2u32).prop_map(Ask::AllAnd),
        1 => (1..=u32::MAX).prop_map(Ask::These),
    ]
}

fn ops() -> impl Strategy<Value = Vec<(Op, Step)>> {
    let op = prop_oneof![
        6 => asks().prop_map(Op::Check),
        1 => asks().prop_map(Op::Charge),
        1 => asks().prop_map(Op::Refund),
        1 => Just(Op::DenyUntil),
    ];
    prop::collection::vec((op, steps()), 0..8)
}

/// The whole range: also large bursts at slow rates.
fn wide_quotas() -> impl Strategy<Value = Quota> {
    let bursts = prop_oneof![1..=u32::MAX, Just(1)];
    (1..=u32::MAX, 1..=1u64 << 61, bursts).prop_filter_map("a quota", |(permits, period, burst)| {
        let period = Duration::from_nanos(period.max(permits.into()));
        Quota::new(permits, period).ok()?.try_with_burst(burst).ok()
    })
}

type Plan = (Quota, [Vec<(Op, Step)>; 2], (Ask, Ask), (Step, Step), [u64; 4]);

fn plans() -> impl Strategy<Value = Plan> {
    let quotas = prop_oneof![6 => quotas(), 1 => wide_quotas()];
    (quotas, [ops(), ops()], (asks(), asks()), (steps(), steps()), any::<[u64; 4]>())
}

fn permits(rule: &impl Subject, word: Word, ask: Ask, now: Timestamp) -> u32 {
    let left = rule.snapshot(word, now).remaining;
    match ask {
        Ask::These(n) => n,
        Ask::Part(parts) => (u64::from(left) * u64::from(parts) / 64) as u32 + 1,
        Ask::AllAnd(more) => left.saturating_add(more).max(1),
    }
}

/// Carries out `ops`: the word they leave, the last instant, and when the last denied request is due.
fn play(rule: &impl Subject, quota: Quota, ops: &[(Op, Step)]) -> (Word, u64, Option<u64>) {
    let (mut word, mut now, mut due) = (Word::default(), 0, None);
    for &(op, step) in ops {
        now = step.reading(quota, now, due);
        let at = Timestamp::from_nanos(now);
        match op {
            Op::Check(ask) => {
                let n = permits(rule, word, ask, at);
                match rule.decide(word, n, at) {
                    Some(next) => word = next,
                    None => due = rule.denied(word, n, at).retry_after.map(|wait| now + wait),
                }
            }
            Op::Charge(ask) => word = rule.charge(word, permits(rule, word, ask, at), at),
            Op::Refund(ask) => word = rule.refund(word, permits(rule, word, ask, at)),
            Op::DenyUntil => word = rule.deny_until(word, at),
        }
    }
    (word, now, due)
}

fn stage<S: Subject>(rule: &S, plan: &Plan) -> Scene {
    let &(quota, [ref ops, ref others], (n, m), (step, elsewhere), any) = plan;
    let (word, last, due) = play(rule, quota, ops);
    let (other, ..) = play(rule, quota, others);
    let now = step.reading(quota, last, due);
    let elsewhere = Timestamp::from_nanos(elsewhere.reading(quota, now, due));
    let now = Timestamp::from_nanos(now);
    let [n, m] = [n, m].map(|ask| permits(rule, word, ask, now));
    Scene { word, other, now, elsewhere, n, m, any, late_by: S::Right::late_by(quota) }
}

/// Plans that each law is judged on: few in a debug build, always the same ones.
const CASES: u32 = if cfg!(debug_assertions) { 1_500 } else { 30_000 };

static SEED: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let random =
        || any::<[u8; 32]>().new_tree(&mut TestRunner::default()).expect("bytes").current();
    if cfg!(debug_assertions) { [7; 32] } else { random() }
});

/// All laws share them, since they take longer to make than to judge.
static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let (mut runner, plans) = (runner(), plans());
    (0..CASES).map(|_| plans.new_tree(&mut runner).expect("a plan").current()).collect()
});

fn runner() -> TestRunner {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &*SEED))
}

/// Judges the rule that `new` makes by one law. An error tells how it is broken, and the smallest scene that shows it.
pub(crate) fn judge<S: Subject>(
    new: impl Fn(Quota) -> S,
    law: impl Fn(&S, &Scene) -> Verdict,
) -> Result<(), String> {
    let broken = |plan: &Plan| {
        let rule = new(plan.0);
        let scene = stage(&rule, plan);
        let broken = law(&rule, &scene).err()?;
        Some(format!("{broken}\n{scene:?}\n{plan:?}"))
    };
    let found = PLANS.iter().enumerate().find_map(|(i, plan)| Some((i, broken(plan)?)));
    // A rule that remembers need not break the law once more.
    let Some((first, mut smallest)) = found else { return Ok(()) };
    // The same plan once more, to make it smaller.
    let (mut runner, plans) = (runner(), plans());
    let mut next = || plans.new_tree(&mut runner).expect("a plan");
    (0..first).for_each(|_| drop(next()));
    let mut tree = next();
    loop {
        let goes_on = match broken(&tree.current()) {
            Some(broken) => {
                smallest = broken;
                tree.simplify()
            }
            None => tree.complicate(),
        };
        if !goes_on {
            return Err(smallest);
        }
    }
}
