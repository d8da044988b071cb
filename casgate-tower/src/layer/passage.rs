//! One request's way past the policies.

use super::Shared;
use super::charge::{Answer, Charge};
use crate::fields::{Fields, Standing};
use crate::observe::{Event, Observer};
use crate::outcome::Outcome;
use crate::policy::{Applies, Entered, Policy, Set, Wait};
use http::request::Parts;
use http::{StatusCode, response};
use smallvec::SmallVec;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// What a request was charged. Dropped before it has passed, it gives everything back: the request was not served.
pub(super) struct Passage<O: Observer> {
    pub(super) shared: Arc<Shared<O>>,
    set: Arc<Set>,
    /// One for each policy that applies. Two in place: what most requests need.
    charges: SmallVec<[Charge; 2]>,
    has_passed: bool,
    waits: Option<Waits>,
}

struct Waits {
    charge: usize,
    since: Instant,
    wait: Wait,
}

/// What is to be done with the request.
#[must_use]
pub(super) enum Step {
    Pass,
    Wait,
    Deny,
    NoKey(StatusCode),
}

impl<O: Observer> Passage<O> {
    /// Asks the policies, in this order: those that deny at once, all or none; those that have a line; those in shadow,
    /// whose denials stop nobody.
    pub(super) fn begin(shared: &Arc<Shared<O>>, parts: &Parts) -> (Self, Step) {
        let mut passage = Self {
            shared: Arc::clone(shared),
            set: shared.set(),
            charges: SmallVec::new(),
            has_passed: false,
            waits: None,
        };
        let step = passage.ask(parts);
        (passage, step)
    }

    fn ask(&mut self, parts: &Parts) -> Step {
        for (policy, i) in self.set.policies().iter().zip(0..) {
            self.charges.push(match policy.applies(parts) {
                Applies::No => continue,
                Applies::Exempt => Charge::unasked(i, Answer::Exempt),
                Applies::Asks(ask) => Charge::new(i, policy.is_enforced(ask), ask),
                Applies::NoKey(None) => Charge::unasked(i, Answer::NoKey),
                Applies::NoKey(Some(status)) => {
                    let charge = Charge::unasked(i, Answer::NoKey);
                    self.shared.tell(policy, &charge, Outcome::MissingKey);
                    return Step::NoKey(status);
                }
            });
        }
        if self.charges.len() > 1 && self.look_ahead() {
            return self.deny();
        }
        for i in 0..self.charges.len() {
            if self.charges[i].is_immediate(&self.set) && !self.charges[i].check(&self.set) {
                return self.deny();
            }
        }
        self.stand_in_lines(0)
    }

    /// Asks those that deny for certain, and returns whether there is one. A denial spends nothing, so a request that is
    /// denied seldom charges anybody, and its answer names all that deny.
    fn look_ahead(&mut self) -> bool {
        let mut denies = false;
        for charge in &mut self.charges {
            if charge.is_immediate(&self.set) && charge.seems_short(&self.set) {
                denies |= !charge.check(&self.set);
                charge.refund(&self.set); // if it has refilled since
            }
        }
        denies
    }

    fn stand_in_lines(&mut self, from: usize) -> Step {
        for i in from..self.charges.len() {
            let charge = &mut self.charges[i];
            let Some(entered) = charge.enter(&self.set) else { continue };
            match entered {
                Entered::Now(Ok(admitted)) => charge.answer = Answer::Admitted(admitted),
                Entered::Now(Err(late)) => {
                    charge.answer = Answer::Late(late);
                    return self.deny();
                }
                Entered::Waits(wait) => {
                    let policy = charge.policy(&self.set);
                    self.waits = Some(Waits { charge: i, since: Instant::now(), wait });
                    self.shared.observer.waits(policy.name());
                    return Step::Wait;
                }
            }
        }
        self.pass()
    }

    /// Goes on waiting. Returns whether the request passes.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while let Some(waits) = &mut self.waits {
            let answer = ready!(waits.wait.as_mut().poll(cx));
            let (i, wait) = (waits.charge, waits.since.elapsed());
            self.waits = None;
            let charge = &mut self.charges[i];
            charge.answer = answer.map_or_else(Answer::Late, Answer::Admitted);
            let is_admitted = charge.is_admitted();
            self.shared.observer.waited(charge.policy(&self.set).name(), wait);
            let step = if is_admitted { self.stand_in_lines(i + 1) } else { self.deny() };
            if let Step::Deny = step {
                return Poll::Ready(false);
            }
        }
        // Not if an observer has panicked.
        Poll::Ready(self.has_passed)
    }

    fn pass(&mut self) -> Step {
        for charge in &mut self.charges {
            if charge.is_shadow() {
                charge.check(&self.set);
            }
        }
        self.tell();
        self.has_passed = true;
        Step::Pass
    }

    fn deny(&mut self) -> Step {
        for charge in &mut self.charges {
            if !charge.is_enforced {
                charge.answer = Answer::Open; // it did not pass
            }
        }
        self.give_back();
        self.tell();
        Step::Deny
    }

    fn give_back(&mut self) {
        for charge in self.charges.iter_mut().rev() {
            charge.refund(&self.set);
        }
    }

    fn tell(&self) {
        for charge in &self.charges {
            if let Some(outcome) = charge.outcome() {
                self.shared.tell(charge.policy(&self.set), charge, outcome);
            }
        }
    }

    /// Where the client stands with each policy that has decided and holds.
    pub(super) fn standings(&self) -> SmallVec<[Standing<'_>; 2]> {
        self.charges.iter().filter_map(|charge| charge.standing(&self.set)).collect()
    }

    /// Settles what was charged by the service's answer, and writes the fields into it.
    pub(super) fn answered(&mut self, response: &mut response::Parts) {
        for charge in &mut self.charges {
            charge.settle(&self.set, response);
        }
        if self.shared.admitted != Fields::NONE {
            self.shared.admitted.write(&mut self.standings(), &mut response.headers);
        }
    }
}

impl<O: Observer> Drop for Passage<O> {
    fn drop(&mut self) {
        let waits = self.waits.take().map(|waits| (waits.charge, waits.since.elapsed()));
        if !self.has_passed {
            self.give_back();
        }
        if let Some((i, wait)) = waits {
            let charge = &self.charges[i];
            let policy = charge.policy(&self.set);
            self.shared.observer.waited(policy.name(), wait);
            self.shared.tell(policy, charge, Outcome::Cancelled);
        }
    }
}

impl<O: Observer> Shared<O> {
    fn tell(&self, policy: &Policy, charge: &Charge, outcome: Outcome) {
        self.observer.observe(&Event::new(policy, charge.ask, outcome));
    }
}
