//! The laws of `decide`.

use crate::scene::{Scene, Verdict, is_told};
use crate::step::TOLD;
use crate::subject::Subject;
use casgate::Timestamp;
use casgate::word::Word;
use proptest::prelude::*;

/// The same question has the same answer, whatever was asked in between.
pub(crate) fn a_decision_is_pure<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, m, now, .. } = scene;
    let first = rule.decide(word, n, now);
    let _ = (rule.decide(word, m, now), rule.decide(word, u32::MAX, scene.elsewhere));
    prop_assert_eq!(rule.decide(word, n, now), first, "a decision has left something");
    Ok(())
}

/// An admission makes the word larger, so each has a ticket of its own.
pub(crate) fn an_admission_makes_the_word_larger<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    if let Some(next) = rule.decide(scene.word, scene.n, scene.now) {
        prop_assert!(next > scene.word, "an admission left {next:?}");
    }
    Ok(())
}

/// A larger word has no more left at any instant: words order as the limiter admits.
pub(crate) fn a_larger_word_has_no_more_left<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let next = rule.decide(scene.word, scene.n, scene.now).unwrap_or(scene.word);
    for [a, b] in [[scene.word, scene.other], [scene.word, next]] {
        for now in [scene.now, scene.elsewhere] {
            let [less, more] = [a.min(b), a.max(b)].map(|word| rule.snapshot(word, now).remaining);
            prop_assert!(less >= more, "the larger word has {more} left, the smaller {less}");
        }
    }
    Ok(())
}

/// `Word::default()` is full at every timestamp, until a last one after which everything is denied permanently.
pub(crate) fn a_new_word_is_full<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let new = Word::default();
    let (earlier, later) = (scene.now.min(scene.elsewhere), scene.now.max(scene.elsewhere));
    prop_assert!(is_told(rule, earlier) || !is_told(rule, later), "a range with a hole");
    for now in [earlier, later] {
        let numbers = rule.snapshot(new, now);
        let limit = numbers.limit;
        if is_told(rule, now) {
            prop_assert!(rule.decide(new, limit, now).is_some(), "a new limiter is not full");
            prop_assert_eq!((numbers.remaining, numbers.reset_after), (limit, 0));
        } else {
            prop_assert!(now.as_nanos() > TOLD);
            prop_assert_eq!(numbers.remaining, 0, "something is left out of range");
            prop_assert_eq!(rule.denied(new, 1, now).retry_after, None);
        }
    }
    Ok(())
}

/// If a request fits, so does each smaller one.
pub(crate) fn a_smaller_request_fits_too<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let (less, more) = (scene.n.min(scene.m), scene.n.max(scene.m));
    let fits = |n| rule.decide(scene.word, n, scene.now).is_some();
    prop_assert!(fits(less) || !fits(more), "{more} fit and {less} do not");
    Ok(())
}

/// No instant admits more than the limit, in requests of any sizes.
pub(crate) fn no_instant_has_more_than_the_limit<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let (mut word, mut spent) = (scene.word, 0);
    let limit = rule.snapshot(word, scene.now).limit;
    for n in [scene.n, scene.m, limit / 2, limit.div_ceil(2), 1, limit, u32::MAX, 1] {
        if let Some(next) = rule.decide(word, n.max(1), scene.now) {
            (word, spent) = (next, spent + u64::from(n.max(1)));
        }
    }
    prop_assert!(spent <= u64::from(limit), "{spent} of {limit} at one instant");
    Ok(())
}

/// At a frozen clock k permits get the smaller of k and what remains, however k is split.
pub(crate) fn a_frozen_clock_admits_what_remains<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let left = rule.snapshot(scene.word, scene.now).remaining;
    let (mut word, mut spent) = (scene.word, 0);
    // Parts that fit, in halves and at random.
    for part in scene.any.iter().enumerate().map(|(i, &any)| (i % 2 == 0).then_some(any)) {
        let rest = u64::from(left - spent);
        let n = part.map_or(rest / 2, |any| any % (rest + 1)) as u32;
        if n > 0 {
            let Some(next) = rule.decide(word, n, scene.now) else {
                return Err(TestCaseError::fail(format!("frozen clock: {n} of {rest} are denied")));
            };
            (word, spent) = (next, spent + n);
            let whole = rule.decide(scene.word, spent, scene.now);
            prop_assert_eq!(
                whole,
                Some(word),
                "frozen clock: {} at once and in parts differ",
                spent
            );
        }
    }
    // The rest one by one if there are few.
    let calls = (left - spent).min(40) + 3;
    let mut singles = 0;
    for _ in 0..calls {
        if let Some(next) = rule.decide(word, 1, scene.now) {
            (word, singles) = (next, singles + 1);
        }
    }
    prop_assert_eq!(singles, calls.min(left - spent), "frozen clock, one by one");
    Ok(())
}

/// With no other traffic there is never less left at a later timestamp: a late one is stricter.
pub(crate) fn a_late_timestamp_is_stricter<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let (late, newest) = (scene.now.min(scene.elsewhere), scene.now.max(scene.elsewhere));
    if is_told(rule, newest) {
        let fits = |now| rule.decide(scene.word, scene.n, now).is_some();
        prop_assert!(fits(newest) || !fits(late), "admitted only for being late");
        let [a, b] = [late, newest].map(|now| rule.snapshot(scene.word, now).remaining);
        prop_assert!(a <= b, "{a} are left, and later {b}");
    }
    Ok(())
}

/// A permit that is admitted late is spent at the newest timestamp too.
pub(crate) fn a_late_permit_counts_now<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let (late, newest) = (scene.now.min(scene.elsewhere), scene.now.max(scene.elsewhere));
    let Some(word) = rule.decide(scene.word, scene.n, newest) else { return Ok(()) };
    for m in [scene.m, 1] {
        if let Some(next) = rule.decide(word, m, late) {
            let [before, after] = [word, next].map(|word| rule.snapshot(word, newest).remaining);
            prop_assert!(before.checked_sub(m) == Some(after), "late: {before}, {m}, {after}");
        }
    }
    Ok(())
}

/// Words that another algorithm made, or nobody: nothing panics, and no instant admits more than the limit.
pub(crate) fn any_word_is_decided_on<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let [bits, n, ..] = scene.any;
    let later = Timestamp::from_nanos(scene.any[2]);
    for (word, now) in [bits, scene.any[3], u64::MAX].map(Word::from_bits).into_iter().zip([
        scene.now,
        later,
        Timestamp::MAX,
    ]) {
        for n in [0, 1, scene.n, n as u32, u32::MAX] {
            let numbers = rule.denied(word, n, now).numbers;
            prop_assert!(numbers.remaining <= numbers.limit, "{numbers:?}");
            prop_assert_eq!(rule.admitted(word, n, now).numbers, numbers);
            prop_assert!(rule.refund(word, n) <= word, "a refund spends");
            let _ = rule.refund_of(word, (scene.other, n, now));
            prop_assert!(rule.deny_until(word, later) >= word);
            prop_assert!(rule.charge(word, n, now) >= word, "a charge frees");
        }
        let scene = Scene { word, now, any: scene.any, ..*scene };
        no_instant_has_more_than_the_limit(rule, &scene)?;
    }
    Ok(())
}
