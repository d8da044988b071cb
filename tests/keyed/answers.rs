//! Every number of every answer, beside the exact reference.

use crate::beside::{Beside, Tier};
use crate::exact::{Between, Exact, State};
use crate::given::{TOLD, at};
use casgate::clock::Clock;
use casgate::{Allowance, Denied, Reason, Snapshot};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::hash::BuildHasher;
use std::time::Duration;

impl<C: Clock, S: BuildHasher> Beside<C, S> {
    pub(crate) fn reserve(
        &mut self,
        key: u64,
        tier: u16,
        before: Option<State>,
        (n, wait, keep): (u32, u64, bool),
        now: u64,
    ) -> Result<Option<State>, TestCaseError> {
        let exact = self.tiers[usize::from(tier)].exact;
        let wait = exact.quota.period() / 64 * wait as u32;
        let latest = now + wait.as_nanos() as u64;
        let due =
            before.map(|before| exact.due(before, n).map(|due| (due.0.max(now), due.1.max(now))));
        match self.keyed.key(&key).tier(tier).reserve_at(n, wait, at(now)) {
            Ok(reserved) => {
                let ready = reserved.ready_at().as_nanos();
                let (Some(before), Some(due)) = (before, due) else {
                    reserved.commit();
                    return Ok(None);
                };
                let due = due.ok_or_else(|| TestCaseError::fail("more than there ever are"))?;
                prop_assert!(ready <= latest && within(ready, due), "{ready}, {due:?}, {latest}");
                prop_assert_eq!(reserved.delay().as_nanos() as u64, ready - now);
                if keep {
                    reserved.commit();
                    return Ok(Some(exact.reserve(before, n, now)));
                }
                prop_assert_eq!(reserved.cancel(), n);
                // It has a slot now, and what it had.
                self.keys.insert(key, (tier, Some(before)));
                Ok(Some(before))
            }
            Err(denied) => {
                let (Some(before), Some(due)) = (before, due) else { return Ok(None) };
                let Some(due) = due else {
                    prop_assert_eq!(denied.retry_after(), None);
                    return Ok(Some(before));
                };
                prop_assert!(due.1 > latest, "{n} denied until {latest}, due {due:?}");
                if due.1 < TOLD {
                    let more = denied.retry_after().expect("it is due some time").as_nanos() as u64;
                    prop_assert!(within(latest + more, due), "{more} after {latest}: {due:?}");
                }
                Ok(Some(before))
            }
        }
    }

    /// The denial says when: denied one nanosecond before, and admitted then.
    pub(crate) fn denied(
        &mut self,
        key: u64,
        tier: u16,
        before: Option<State>,
        (n, denied): (u32, Denied),
        now: u64,
    ) -> TestCaseResult {
        let exact = self.tiers[usize::from(tier)].exact;
        let Some(before) = before else { return Ok(()) };
        prop_assert!(!exact.fits(before, n, now).1, "late: {n} at {now}, {before:?}");
        let seen = (denied.remaining(), denied.reset_after());
        numbers(&exact, before, denied.limit(), seen, now)?;
        let Some(due) = exact.due(before, n) else {
            prop_assert_eq!(denied.retry_after(), None);
            return Ok(());
        };
        if due.1 >= TOLD {
            return Ok(());
        }
        let wait = denied.retry_after().expect("it is due some time");
        prop_assert_eq!(denied.reason(), Reason::Quota { index: 0 });
        prop_assert!(!wait.is_zero());
        let told = now + wait.as_nanos() as u64;
        prop_assert!(within(told, due), "told {told}, due {due:?}");
        let view = self.keyed.key(&key).tier(tier);
        prop_assert!(view.peek_at(at(told)).remaining() >= n, "not there at {told}");
        let earlier = view.check_n_at(n, at(told - 1));
        prop_assert!(earlier.is_err(), "admitted 1 ns before it was due");
        prop_assert_eq!(
            earlier.unwrap_err().retry_after(),
            (told > now).then_some(Duration::from_nanos(1))
        );
        self.due = Some(told);
        Ok(())
    }

    /// Peek, the request for zero permits and the reference agree.
    pub(crate) fn looks(
        &self,
        key: u64,
        tier: u16,
        state: Option<State>,
        now: u64,
    ) -> TestCaseResult {
        let view = self.keyed.key(&key).tier(tier);
        let seen = view.peek_at(at(now));
        let none = view.check_n_at(0, at(now)).expect("zero are always admitted");
        prop_assert_eq!(
            (none.limit(), none.remaining(), none.reset_after()),
            (seen.limit(), seen.remaining(), seen.reset_after())
        );
        prop_assert_eq!(self.keyed.at(self.keyed.locate(&key)).tier(tier).peek_at(at(now)), seen);
        let Tier { exact, allowance } = self.tiers[usize::from(tier)];
        match (allowance, state) {
            (Allowance::Quota(_), Some(state)) => same(&exact, state, seen, now),
            (Allowance::Blocked, _) => {
                prop_assert_eq!((seen.limit(), seen.remaining()), (0, 0));
                Ok(())
            }
            (Allowance::Unlimited, _) => {
                prop_assert_eq!((seen.limit(), seen.remaining()), (u32::MAX, u32::MAX));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn within(seen: u64, (least, most): Between) -> bool {
    (least..=most).contains(&seen)
}

fn same(exact: &Exact, state: State, seen: Snapshot, now: u64) -> TestCaseResult {
    numbers(exact, state, seen.limit(), (seen.remaining(), seen.reset_after()), now)
}

pub(crate) fn numbers(
    exact: &Exact,
    state: State,
    limit: u32,
    (left, reset): (u32, Duration),
    now: u64,
) -> TestCaseResult {
    prop_assert_eq!(limit, exact.limit());
    if exact.full_at(state).1 >= TOLD {
        return Ok(()); // It may never be seen full.
    }
    let (least, most) = exact.left(state, now);
    prop_assert!(
        (least..=most).contains(&left),
        "{left} left of {least} to {most} at {now}: {state:?}"
    );
    let full = exact.full_at(state);
    let reset = reset.as_nanos() as u64;
    let due = (full.0.saturating_sub(now), full.1.saturating_sub(now));
    prop_assert!(within(reset, due), "full after {reset}, not {due:?}, at {now}: {state:?}");
    Ok(())
}
