use crate::fields::{Fields, Standing};
use crate::outcome::Outcome;
use crate::policy::{Ask, Entered, Late, Policy, Set};
use casgate::{Admitted, Denied, Snapshot};
use http::response;
use smallvec::SmallVec;

/// One for each policy that applies. Two in place: what most requests need.
pub(super) type Charges = SmallVec<[Charge; 2]>;

/// What one policy has to do with a request.
pub(super) struct Charge {
    policy: u8,
    pub(super) is_enforced: bool,
    pub(super) ask: Ask,
    pub(super) answer: Answer,
}

#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// The policy is still to be asked, or has been refunded.
    Open,
    /// It is not asked.
    Exempt,
    /// It cannot be asked, and is in shadow.
    NoKey,
    Admitted(Admitted),
    Denied(Denied),
    /// It was denied in line.
    Late(Late),
    /// It was admitted, and refunded or corrected by the response: what is left then.
    Settled(Snapshot),
}

impl Charge {
    #[inline]
    pub(super) const fn new(policy: u8, is_enforced: bool, ask: Ask) -> Self {
        Self { policy, is_enforced, ask, answer: Answer::Open }
    }

    /// Of a policy that is not asked.
    #[inline]
    pub(super) const fn unasked(policy: u8, answer: Answer) -> Self {
        Self { policy, is_enforced: false, ask: Ask::NOTHING, answer }
    }

    #[inline]
    pub(super) fn policy<'a>(&self, set: &'a Set) -> &'a Policy {
        &set.policies()[usize::from(self.policy)]
    }

    /// Stands in line, if there is one.
    #[inline]
    pub(super) fn enter(&self, set: &Set) -> Option<Entered> {
        if self.is_enforced { self.policy(set).enter(self.ask.cost) } else { None }
    }

    /// Whether it is decided at once and can deny.
    #[inline]
    pub(super) fn is_immediate(&self, set: &Set) -> bool {
        self.is_enforced && !self.policy(set).has_line()
    }

    /// Whether it is asked after all that decide at once, if all of them admit.
    #[inline]
    pub(super) fn is_later(&self, set: &Set) -> bool {
        self.is_shadow() || self.is_enforced && self.policy(set).has_line()
    }

    /// Whether it is in shadow and still to be asked.
    #[inline]
    pub(super) const fn is_shadow(&self) -> bool {
        !self.is_enforced && matches!(self.answer, Answer::Open)
    }

    pub(super) const fn is_admitted(&self) -> bool {
        matches!(self.answer, Answer::Admitted(_))
    }

    /// Asks the policy, and returns whether it admits. An admission has numbers if there are fields
    /// to write.
    #[inline]
    pub(super) fn check(&mut self, set: &Set, fields: Fields) -> bool {
        let limited = self.policy(set).limited();
        let answer = match fields {
            Fields::NONE => limited.spend(&self.ask),
            _ => limited.check(&self.ask),
        };
        self.answer = match answer {
            Ok(admitted) => Answer::Admitted(admitted),
            Err(denied) => Answer::Denied(denied),
        };
        self.is_admitted()
    }

    /// Whether the policy would deny for certain, or seems to: to be asked.
    pub(super) fn seems_short(&self, set: &Set) -> bool {
        self.policy(set).limited().peek(&self.ask).remaining() < self.ask.cost
    }

    pub(super) fn refund(&mut self, set: &Set) {
        if let Answer::Admitted(admitted) = self.answer {
            self.answer = Answer::Open;
            self.policy(set).limited().refund(&self.ask, &admitted);
        }
    }

    /// Refunds or corrects by what the service has answered.
    pub(super) fn settle(&mut self, set: &Set, response: &response::Parts) {
        let Answer::Admitted(admitted) = self.answer else { return };
        let policy = self.policy(set);
        // Once, even if the limiter panics and the future is polled again: no longer admitted.
        if policy.is_refunded(response.status) {
            self.answer = Answer::Open;
            policy.limited().refund(&self.ask, &admitted);
        } else if let Some(cost) = policy.cost_by(response) {
            self.answer = Answer::Open;
            policy.limited().settle(&self.ask, &admitted, cost);
        } else {
            return;
        }
        self.answer = Answer::Settled(policy.limited().peek(&self.ask));
    }

    #[inline]
    pub(super) fn outcome(&self) -> Option<Outcome> {
        Some(match self.answer {
            Answer::Open => return None,
            Answer::Exempt => Outcome::Exempt,
            Answer::NoKey => Outcome::MissingKey,
            Answer::Admitted(_) | Answer::Settled(_) => Outcome::Admitted,
            Answer::Denied(_) if !self.is_enforced => Outcome::ShadowDenied,
            Answer::Denied(denied) => Outcome::of(&denied),
            Answer::Late(late) => late.outcome,
        })
    }

    /// Where the client stands, if the policy has decided and holds.
    pub(super) fn standing<'a>(&self, set: &'a Set) -> Option<Standing<'a>> {
        if !self.is_enforced {
            return None;
        }
        let announced = self.policy(set).announced(&self.ask);
        match &self.answer {
            Answer::Admitted(admitted) => Some(Standing::admitted(announced, admitted)),
            Answer::Denied(denied) => Some(Standing::denied(announced, denied)),
            Answer::Late(late) => {
                let fits = late.outcome != Outcome::Never;
                Some(Standing::late(announced, late.now, late.retry_after, fits))
            }
            Answer::Settled(now) => {
                let (limit, remaining) = (now.limit(), now.remaining());
                Some(Standing::afterwards(announced, limit, remaining, now.reset_after()))
            }
            Answer::Open | Answer::Exempt | Answer::NoKey => None,
        }
    }
}

/// Where the client stands with each policy that has decided and holds.
pub(super) fn standings<'a>(charges: &[Charge], set: &'a Set) -> SmallVec<[Standing<'a>; 2]> {
    let mut standings = SmallVec::new();
    for charge in charges {
        if let Some(standing) = charge.standing(set) {
            standings.push(standing);
        }
    }
    standings
}
