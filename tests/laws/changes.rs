//! The laws of refunds, charges and `deny_until`.

use crate::scene::{Scene, Verdict, is_told};
use crate::step::TOLD;
use crate::subject::{Stated, Subject};
use casgate::Timestamp;
use casgate::word::Word;
use proptest::prelude::*;

/// A refund at the instant of an admission undoes it, for this instant and every later one.
pub(crate) fn a_refund_undoes_its_admission<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, now, .. } = scene;
    let Some(taken) = rule.decide(word, n, now) else { return Ok(()) };
    let back = rule.refund(taken, n);
    for at in scene.instants(now.as_nanos(), u64::MAX).chain([scene.elsewhere.max(now)]) {
        prop_assert_eq!(rule.snapshot(back, at), rule.snapshot(word, at), "not undone at {:?}", at);
    }
    Ok(())
}

/// A refund takes nothing, and gives back at most what it says: never more than a full limiter.
pub(crate) fn a_refund_gives_back_no_more<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, .. } = scene;
    let back = rule.refund(word, n);
    prop_assert!(back <= word, "a refund made the word larger");
    prop_assert_eq!(rule.refund(word, 0), word, "a refund of nothing");
    for now in [scene.now, scene.elsewhere] {
        let [before, after] = [word, back].map(|word| rule.snapshot(word, now));
        prop_assert!(after.remaining >= before.remaining, "a refund took something");
        let most = before.remaining.saturating_add(n).min(before.limit);
        prop_assert!(after.remaining <= most, "a refund of {n} gave {}", after.remaining);
        let more = after.limit.saturating_add(1);
        prop_assert!(after.limit == u32::MAX || rule.decide(back, more, now).is_none());
    }
    Ok(())
}

/// An admission is given back whole, if nothing came after it; else whole or, when it is of no more use, not at all.
pub(crate) fn an_admission_is_refunded_whole<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, m, now, .. } = scene;
    let Some(taken) = rule.decide(word, n, now) else { return Ok(()) };
    let admission = (taken, n, now);
    let back = rule.refund_of(taken, admission);
    prop_assert_eq!(back, rule.refund(taken, n), "not given back at once");
    for word in [rule.decide(taken, m, scene.elsewhere).unwrap_or(taken), scene.other] {
        let (back, whole) = (rule.refund_of(word, admission), rule.refund(word, n));
        prop_assert!(back == whole || back == word, "given back in part");
    }
    Ok(())
}

/// Once the limiter has been full again, an old admission is given back as the rule states: always, or never.
pub(crate) fn an_old_admission_is_refunded_as_stated<S: Subject>(
    rule: &S,
    scene: &Scene,
) -> Verdict {
    let &Scene { word, n, m, now, .. } = scene;
    let Some(taken) = rule.decide(word, n, now) else { return Ok(()) };
    let reset = rule.snapshot(taken, now).reset_after.saturating_add(scene.any[0] % TOLD);
    let later = Timestamp::from_nanos(now.as_nanos().saturating_add(reset));
    let again = rule.snapshot(taken, later);
    let Some(newer) = rule.decide(taken, m, later) else { return Ok(()) };
    if again.remaining < again.limit {
        return Ok(()); // The clock ends before it is full.
    }
    let expected = if S::Right::REFUNDS_EXPIRE { newer } else { rule.refund(newer, n) };
    prop_assert_eq!(rule.refund_of(newer, (taken, n, now)), expected, "not as stated");
    Ok(())
}

/// A charge that fits is a decision.
pub(crate) fn a_charge_that_fits_is_a_decision<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, now, .. } = scene;
    if let Some(next) = rule.decide(word, n, now) {
        prop_assert_eq!(rule.charge(word, n, now), next, "charged otherwise");
    }
    Ok(())
}

/// Charges of n and of m, into debt too, are a charge of their sum.
pub(crate) fn charges_add_up<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, m, now, .. } = scene;
    let Some(sum) = n.checked_add(m) else { return Ok(()) };
    let in_parts = rule.charge(rule.charge(word, n, now), m, now);
    prop_assert_eq!(in_parts, rule.charge(word, sum, now), "{} and {} are not their sum", n, m);
    Ok(())
}

/// A charge makes no word smaller and leaves so many fewer, or nothing; one of zero permits changes no later answer.
pub(crate) fn a_charge_leaves_so_many_fewer<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let &Scene { word, n, now, .. } = scene;
    let before = rule.snapshot(word, now);
    let charged = rule.charge(word, n, now);
    prop_assert!(charged >= word, "a charge made the word smaller");
    let (left, after) = (before.remaining.saturating_sub(n), rule.snapshot(charged, now));
    prop_assert_eq!(after.remaining, left, "charged {} of {}", n, before.remaining);
    let zero = rule.charge(word, 0, now);
    for at in [now, now.max(scene.elsewhere)] {
        prop_assert_eq!(rule.snapshot(zero, at), rule.snapshot(word, at), "charged 0");
    }
    Ok(())
}

/// Everything before `until` is denied, and what was denied before stays denied.
pub(crate) fn nothing_is_admitted_before_until<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let (word, until) = (scene.word, scene.elsewhere);
    let denying = rule.deny_until(word, until);
    prop_assert!(denying >= word, "the word is smaller");
    for at in scene.instants(0, until.as_nanos()) {
        prop_assert!(rule.decide(denying, 1, at).is_none(), "admitted at {at:?}, before {until:?}");
    }
    Ok(())
}

/// The first permit after `until` comes then, or as much later as the rule states, if it was not denied already.
pub(crate) fn a_permit_comes_after_until<S: Subject>(rule: &S, scene: &Scene) -> Verdict {
    let (word, until) = (scene.word, scene.elsewhere.as_nanos());
    let first = |word: Word| match rule.decide(word, 1, Timestamp::ZERO) {
        Some(_) => Some(0),
        None => rule.denied(word, 1, Timestamp::ZERO).retry_after,
    };
    let Some(alone) = first(word) else { return Ok(()) };
    let last = alone.max(until.saturating_add(scene.late_by - 1));
    match first(rule.deny_until(word, scene.elsewhere)) {
        Some(at) => prop_assert!(at <= last, "the first comes at {at}, after {last}"),
        None => prop_assert!(last > TOLD, "none comes after {until}"),
    }
    // After the instant of which it is told, full again as any limiter.
    let later = Timestamp::from_nanos(last.saturating_add(scene.any[0] % TOLD));
    let fits = rule.decide(rule.deny_until(word, scene.elsewhere), 1, later).is_some();
    prop_assert!(fits || !is_told(rule, later) || last > TOLD, "still denied at {later:?}");
    Ok(())
}
