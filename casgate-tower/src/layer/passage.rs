//! One request's way past the policies.

use super::charge::{Answer, Charge, Charges, standings};
use super::rest::{Rest, Settle};
use super::shared::Shared;
use crate::fields::{Fields, Standing};
use crate::observe::{Event, Observer};
use crate::outcome::Outcome;
use crate::policy::{Applies, Ask, Entered, Keyless, NoKey, Policy, Set, Wait};
use http::StatusCode;
use http::request::Parts;
use smallvec::SmallVec;
use std::marker::PhantomData;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// What a request was charged. Dropped before it has passed, it gives everything back: the request
/// was not served.
///
/// It borrows what the service shares, and owns an `Arc` of it while the request waits.
pub(super) struct Passage<P, O>
where
    P: Deref<Target = Shared<O>>,
    O: Observer,
{
    shared: P,
    held: Option<Arc<Set>>,
    charges: Charges,
    has_passed: bool,
    waits: Option<Waits>,
    observer: PhantomData<O>,
}

struct Waits {
    charge: usize,
    since: Instant,
    wait: Wait,
}

/// Why a request does not pass, or not yet.
pub(super) enum Stop {
    Wait,
    Deny,
    NoKey(StatusCode),
}

impl<'a, O: Observer> Passage<&'a Shared<O>, O> {
    pub(super) fn new(shared: &'a Shared<O>) -> Self {
        Self::of(shared, shared.hold(), Charges::new(), None)
    }

    /// Keeps what it borrows, for a request that waits.
    pub(super) fn keep(&mut self, shared: &Arc<Shared<O>>) -> Passage<Arc<Shared<O>>, O> {
        let (held, charges) = (self.held.clone(), mem::take(&mut self.charges));
        Passage::of(Arc::clone(shared), held, charges, self.waits.take())
    }
}

impl<P, O> Passage<P, O>
where
    P: Deref<Target = Shared<O>>,
    O: Observer,
{
    fn of(shared: P, held: Option<Arc<Set>>, charges: Charges, waits: Option<Waits>) -> Self {
        Self { shared, held, charges, has_passed: false, waits, observer: PhantomData }
    }

    pub(super) const fn shared(&self) -> &P {
        &self.shared
    }

    fn set(&self) -> &Set {
        self.shared.set(&self.held)
    }

    /// Asks the policies.
    pub(super) fn ask(&mut self, parts: &Parts) -> Result<(), Stop> {
        let set = self.shared.set(&self.held);
        let Some(policy) = set.plain() else { return self.ask_all(parts) };
        // What most layers have: decided as below, in fewer steps.
        let Ok(place) = policy.locate(parts) else {
            let charge = self.keyless(policy, 0)?;
            self.charges.push(charge);
            return self.passed();
        };
        let mut charge = Charge::new(0, true, Ask { place, tier: 0, cost: 1 });
        let is_admitted = charge.check(set, self.shared.admitted);
        self.charges.push(charge);
        if is_admitted { self.passed() } else { self.deny() }
    }

    /// Asks the policies, in this order: those that deny at once, all or none; those that have a
    /// line; those in shadow, whose denials stop nobody.
    #[inline(never)]
    fn ask_all(&mut self, parts: &Parts) -> Result<(), Stop> {
        let set = self.shared.set(&self.held);
        for (policy, i) in set.policies().iter().zip(0..) {
            let charge = match policy.applies(parts) {
                Applies::No => continue,
                Applies::Exempt => Charge::unasked(i, Answer::Exempt),
                Applies::Asks => match policy.ask(parts) {
                    Ok(ask) => Charge::new(i, policy.is_enforced(ask), ask),
                    Err(NoKey) => self.keyless(policy, i)?,
                },
            };
            self.charges.push(charge);
        }
        if self.charges.len() > 1 && self.look_ahead() {
            return self.deny();
        }
        let (set, mut is_over) = (self.shared.set(&self.held), true);
        for charge in &mut self.charges {
            if charge.is_immediate(set) && !charge.check(set, self.shared.admitted) {
                return self.deny();
            }
            is_over &= !charge.is_later(set);
        }
        if is_over { self.passed() } else { self.stand_in_lines(0) }
    }

    /// What becomes of a request without a key.
    #[cold]
    fn keyless(&self, policy: &Policy, i: u8) -> Result<Charge, Stop> {
        match policy.keyless() {
            Keyless::Exempt => Ok(Charge::unasked(i, Answer::Exempt)),
            Keyless::Passes => Ok(Charge::unasked(i, Answer::NoKey)),
            Keyless::Denied(status) => {
                self.shared.tell(policy, &Ask::NOTHING, Outcome::MissingKey);
                Err(Stop::NoKey(status))
            }
        }
    }

    /// Asks those that deny for certain, and returns whether there is one. A denial spends nothing,
    /// so a request that is denied seldom charges anybody, and its answer names all that deny.
    fn look_ahead(&mut self) -> bool {
        let set = self.shared.set(&self.held);
        let mut denies = false;
        for charge in &mut self.charges {
            if charge.is_immediate(set) && charge.seems_short(set) {
                denies |= !charge.check(set, self.shared.admitted);
                charge.refund(set); // if it has refilled since
            }
        }
        denies
    }

    #[inline(never)] // most requests have neither
    fn stand_in_lines(&mut self, from: usize) -> Result<(), Stop> {
        let set = self.shared.set(&self.held);
        for i in from..self.charges.len() {
            let charge = &mut self.charges[i];
            let Some(entered) = charge.enter(set) else { continue };
            match entered {
                Entered::Now(Ok(admitted)) => charge.answer = Answer::Admitted(admitted),
                Entered::Now(Err(late)) => {
                    charge.answer = Answer::Late(late);
                    return self.deny();
                }
                Entered::Waits(wait) => {
                    let policy = charge.policy(set);
                    let since = Instant::now();
                    self.waits = Some(Waits { charge: i, since, wait });
                    self.shared.observer.waits(policy.name());
                    return Err(Stop::Wait);
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
            let policy = charge.policy(self.shared.set(&self.held));
            self.shared.observer.waited(policy.name(), wait);
            let step = if is_admitted { self.stand_in_lines(i + 1) } else { self.deny() };
            if let Err(Stop::Deny) = step {
                return Poll::Ready(false);
            }
        }
        // Not if an observer has panicked.
        Poll::Ready(self.has_passed)
    }

    fn pass(&mut self) -> Result<(), Stop> {
        let set = self.shared.set(&self.held);
        for charge in &mut self.charges {
            if charge.is_shadow() {
                charge.check(set, self.shared.admitted);
            }
        }
        self.passed()
    }

    fn passed(&mut self) -> Result<(), Stop> {
        self.tell();
        self.has_passed = true;
        Ok(())
    }

    #[cold]
    fn deny(&mut self) -> Result<(), Stop> {
        for charge in &mut self.charges {
            if !charge.is_enforced {
                charge.answer = Answer::Open; // it did not pass
            }
        }
        self.give_back();
        self.tell();
        Err(Stop::Deny)
    }

    #[cold]
    fn give_back(&mut self) {
        let set = self.shared.set(&self.held);
        for charge in self.charges.iter_mut().rev() {
            charge.refund(set);
        }
    }

    fn tell(&self) {
        let set = self.set();
        for charge in &self.charges {
            if let Some(outcome) = charge.outcome() {
                self.shared.tell(charge.policy(set), &charge.ask, outcome);
            }
        }
    }

    /// Where the client stands with each policy that has decided and holds.
    pub(super) fn standings(&self) -> SmallVec<[Standing<'_>; 2]> {
        standings(&self.charges, self.set())
    }

    /// Whether the request is denied for no other reason than that limiters could not be asked.
    pub(super) fn is_unavailable(&self) -> bool {
        let outcomes = || self.charges.iter().filter_map(Charge::outcome);
        let denies = |outcome| {
            !matches!(outcome, Outcome::Admitted | Outcome::Exempt | Outcome::ShadowDenied)
        };
        outcomes().any(denies)
            && outcomes()
                .filter(|&outcome| denies(outcome))
                .all(|outcome| outcome == Outcome::Unavailable)
    }

    /// Whether there may be something left to do when the service has answered.
    #[inline]
    pub(super) fn leaves_rest(&self) -> bool {
        self.set().settles() || self.shared.admitted != Fields::NONE
    }

    /// What is left to do when the service has answered, if anything.
    #[inline(never)]
    pub(super) fn rest(&mut self, shared: &Arc<Shared<O>>) -> Option<Rest<O>> {
        if !self.leaves_rest() {
            return None;
        }
        if self.set().settles() {
            let (shared, held) = (Arc::clone(shared), self.held.take());
            let charges = mem::take(&mut self.charges);
            return Some(Rest::Settle(Settle { shared, held, charges }));
        }
        self.shared.admitted.compose(&mut self.standings()).map(Rest::Fields)
    }
}

impl<P, O> Drop for Passage<P, O>
where
    P: Deref<Target = Shared<O>>,
    O: Observer,
{
    #[inline]
    fn drop(&mut self) {
        if !self.has_passed || self.waits.is_some() {
            self.abandon();
        }
    }
}

impl<P, O> Passage<P, O>
where
    P: Deref<Target = Shared<O>>,
    O: Observer,
{
    /// The request was denied, or given up.
    #[cold]
    fn abandon(&mut self) {
        let waits = self.waits.take().map(|waits| (waits.charge, waits.since.elapsed()));
        if !self.has_passed {
            self.give_back();
        }
        if let Some((i, wait)) = waits {
            let charge = &self.charges[i];
            let policy = charge.policy(self.set());
            self.shared.observer.waited(policy.name(), wait);
            self.shared.tell(policy, &charge.ask, Outcome::Cancelled);
        }
    }
}

impl<O: Observer> Shared<O> {
    fn tell(&self, policy: &Policy, ask: &Ask, outcome: Outcome) {
        self.observer.observe(&Event::new(policy, ask, outcome));
    }
}
