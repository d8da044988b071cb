use super::history::{Call, History};
use crate::algorithm::Rule;
use crate::word::Word;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

impl History {
    /// Asserts that some order of the calls, which keeps to real time, explains them to the last
    /// number of each answer. `rule` is applied to one call after another in that order.
    ///
    /// The tickets give the order of the admissions, so nothing is searched: O(k log k) for k
    /// calls. The others write nothing, so each needs only one state, between the admissions that
    /// returned before it and those that were invoked after it, that answers as it was answered.
    ///
    /// ```
    /// use casgate::testing::{History, race};
    /// use casgate::{Limiter, Quota, Timestamp, TokenBucket};
    /// use std::sync::Arc;
    ///
    /// const QUOTA: Quota = Quota::per_second(500);
    /// let history = Arc::new(History::default());
    /// let recorder = Arc::clone(&history);
    /// let limiter = Limiter::token_bucket(QUOTA);
    /// race(4, move |caller| {
    ///     for millis in 0..200 {
    ///         let now = Timestamp::from_millis(millis);
    ///         let _ = recorder.record(caller, 1, now, |n, now| limiter.check_n_at(n, now));
    ///     }
    /// });
    /// history.assert_linearizable(&TokenBucket::new(QUOTA));
    /// ```
    ///
    /// # Panics
    ///
    /// If no order does, with the calls that overlap the first one that is not explained.
    #[track_caller]
    pub fn assert_linearizable<R: Rule>(&self, rule: &R) {
        self.assert_explained(rule, "linearizable", |_, _| true);
    }

    /// Asserts the same as [`assert_linearizable`](Self::assert_linearizable), for an order that
    /// need only keep to that of each caller's own calls.
    ///
    /// For histories recorded inside a model checker. Its model is memory without a common time: a
    /// call comes before another only if it *happens before* it. The model does not see this
    /// recorder, so the recorder makes nothing happen before anything. A denial, which is a
    /// `Relaxed` load, may there be of an older state than the recorded times allow. Outside of a
    /// model the recorder's lock orders the calls, as does anything else by which one caller could
    /// learn that another has returned.
    ///
    /// ```
    /// use casgate::testing::History;
    /// use casgate::{FixedWindow, Limiter, Quota, Timestamp};
    ///
    /// const QUOTA: Quota = Quota::per_second(1);
    /// let (limiter, history) = (Limiter::fixed_window(QUOTA), History::default());
    /// for caller in 0..2 {
    ///     let _ = history.record(caller, 1, Timestamp::ZERO, |n, now| limiter.check_n_at(n, now));
    /// }
    /// history.assert_sequentially_consistent(&FixedWindow::new(QUOTA));
    /// ```
    ///
    /// # Panics
    ///
    /// If they are not, with the calls that overlap the first one that no order explains.
    #[track_caller]
    pub fn assert_sequentially_consistent<R: Rule>(&self, rule: &R) {
        self.assert_explained(rule, "sequentially consistent", |a, b| a.caller == b.caller);
    }

    /// `related` says which calls the order must keep as they were recorded, an equivalence.
    #[track_caller]
    fn assert_explained<R: Rule>(
        &self,
        rule: &R,
        property: &str,
        related: impl Fn(&Call, &Call) -> bool,
    ) {
        let (mut admissions, mut others): (Vec<Call>, Vec<Call>) =
            self.calls().into_iter().partition(|call| call.n > 0 && call.outcome.is_ok());
        self.assert_tickets_in_order();
        admissions.sort_by_key(|call| call.outcome.map_or(0, |admitted| admitted.ticket()));

        // What each admission left behind.
        let mut words = vec![Word::default()];
        for call in &admissions {
            let next = rule.decide(words[words.len() - 1], call.n, call.now);
            let told = next.map(|word| Ok(rule.admitted(word, call.n, call.now)));
            assert!(told == Some(call.outcome), "not {property}: {}", self.around(call));
            words.extend(next);
        }
        while let Some(first) = others.first().copied() {
            let (group, rest) = others.into_iter().partition(|call| related(&first, call));
            others = rest;
            let order = Order::of(&admissions, |call| related(&first, call));
            if let Err(culprit) =
                order.place(group, |place, call| answer(rule, words[place], call) == call.outcome)
            {
                panic!("not {property}: {}", self.around(&culprit));
            }
        }
    }

    /// The call, and those that overlap it.
    fn around(&self, culprit: &Call) -> String {
        let overlapping = History::default();
        let calls = self
            .calls()
            .into_iter()
            .filter(|call| call.invoked <= culprit.returned && culprit.invoked <= call.returned);
        overlapping.adopt(calls.take(40));
        format!("no order explains {culprit:?} among\n{overlapping}")
    }
}

/// Where among the admissions a call may be placed.
struct Order {
    /// By the step at which an admission had returned, one past the last place of those that had.
    before: Vec<(usize, usize)>,
    /// By the step at which an admission was invoked, the first place of those yet to be.
    after: Vec<(usize, usize)>,
    places: usize,
}

impl Order {
    /// From the `related` of the admissions, which are in the order of their tickets.
    fn of(admissions: &[Call], related: impl Fn(&Call) -> bool) -> Self {
        let bounds = |step: fn(&Call) -> usize| {
            let places = admissions.iter().zip(0..).filter(|(call, _)| related(call));
            let mut bounds: Vec<_> = places.map(|(call, place)| (step(call), place)).collect();
            bounds.sort_unstable();
            bounds
        };
        let (mut before, mut after) = (bounds(|call| call.returned), bounds(|call| call.invoked));
        let (mut last, mut first) = (0, admissions.len());
        for (_, place) in &mut before {
            last = last.max(*place + 1);
            *place = last;
        }
        for (_, place) in after.iter_mut().rev() {
            first = first.min(*place);
            *place = first;
        }
        Self { before, after, places: admissions.len() }
    }

    /// Gives each call, in the order of their invocation, the earliest place at which it is
    /// explained, and none earlier than those of the calls that had returned by then; or the call
    /// that has none.
    fn place(
        &self,
        calls: Vec<Call>,
        explained: impl Fn(usize, &Call) -> bool,
    ) -> Result<(), Call> {
        let (mut placed, mut reached) = (BinaryHeap::new(), 0);
        for call in calls {
            while let Some(&Reverse((returned, place))) = placed.peek() {
                if returned > call.invoked {
                    break;
                }
                reached = reached.max(place);
                placed.pop();
            }
            let finished = self.before.partition_point(|&(returned, _)| returned < call.invoked);
            let first = finished.checked_sub(1).map_or(0, |i| self.before[i].1).max(reached);
            let begun = self.after.partition_point(|&(invoked, _)| invoked <= call.returned);
            let last = self.after.get(begun).map_or(self.places, |&(_, place)| place);
            let place = (first..=last).find(|&place| explained(place, &call)).ok_or(call)?;
            placed.push(Reverse((call.returned, place)));
        }
        Ok(())
    }
}

/// The answer of a call that spends nothing, on `word`.
fn answer<R: Rule>(rule: &R, word: Word, call: &Call) -> Result<crate::Admitted, crate::Denied> {
    match (call.n, rule.decide(word, call.n.max(1), call.now)) {
        (0, _) => Ok(rule.admitted(word, call.n, call.now)),
        (_, None) => Err(rule.denied(word, call.n, call.now)),
        // It would have been admitted there, and it was not.
        (_, Some(next)) => Ok(rule.admitted(next, call.n, call.now)),
    }
}
