//! Wrong sliding windows: a ring of slots with one step done wrong.

use super::{AtomicU64, Word};
use crate::explore::atomic::Ordering;
use crate::gate::Gate;
use casgate::algorithm::{FixedWindow, Rule};
use casgate::{Admitted, Denied, Quota, Snapshot, Timestamp};

/// What is wrong with a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A lap found claimed to the end, but not moved on, is taken for a full window.
    NoHelp,
    /// The slot is stored, not exchanged.
    StoreSlot,
    /// The lap is moved on first and its last slot written afterwards: claim, then deposit.
    LapFirst,
    /// The lap is not read again after the slot.
    NoSecondLook,
    /// The guess is believed: nobody looks whether the slot before is claimed.
    TrustedGuess,
    /// Every access is relaxed.
    Relaxed,
}

/// A ring with the bug of that number in [`Bug`].
#[derive(Debug)]
pub struct WrongRing<const BUG: u8> {
    quota: Quota,
    lap: AtomicU64,
    guess: AtomicU64,
    slots: Vec<AtomicU64>,
}

impl<const BUG: u8> WrongRing<BUG> {
    const fn has(bug: Bug) -> bool {
        BUG == bug as u8
    }

    const fn acquire() -> Ordering {
        if Self::has(Bug::Relaxed) { Ordering::Relaxed } else { Ordering::Acquire }
    }

    const fn release() -> Ordering {
        if Self::has(Bug::Relaxed) { Ordering::Relaxed } else { Ordering::AcqRel }
    }

    fn end(&self, lap: u64) -> bool {
        self.lap.compare_exchange(lap, lap + 1, Self::release(), Ordering::Relaxed).is_ok()
    }

    /// A slot, and whether it is claimed in the lap.
    fn look(&self, index: usize, lap: u64) -> (u64, bool) {
        let seen = self.slots[index].load(Self::acquire());
        (seen, seen & 1 != lap & 1)
    }

    /// The ticket, or a denial.
    fn claim(&self, now: u64) -> Option<u64> {
        let last = self.slots.len() - 1;
        let mut index = self.guess.load(Ordering::Relaxed) as usize;
        loop {
            let lap = self.lap.load(Self::acquire());
            let before = self.look(if index == 0 { last } else { index - 1 }, lap);
            let (seen, is_claimed) = self.look(index, lap);
            let is_guessed = before.1 != (index == 0) || Self::has(Bug::TrustedGuess);
            let stays = Self::has(Bug::NoSecondLook) || self.lap.load(Ordering::Relaxed) == lap;
            if is_claimed || !is_guessed || !stays {
                index = (0..=last).find(|i| !self.look(*i, lap).1).unwrap_or(0);
                if self.look(last, lap).1 {
                    if Self::has(Bug::NoHelp) {
                        return None;
                    }
                    self.end(lap);
                    index = 0;
                }
                continue;
            }
            if seen >> 1 > now {
                return None;
            }
            let free_at = now + self.quota.period().as_nanos() as u64;
            let claimed = free_at << 1 | !seen & 1;
            let ticket = lap * self.slots.len() as u64 + index as u64 + 1;
            if Self::has(Bug::LapFirst) && index == last {
                if !self.end(lap) {
                    continue;
                }
                self.slots[index].store(claimed, Ordering::Release);
            } else if Self::has(Bug::StoreSlot) {
                self.slots[index].store(claimed, Ordering::Release);
            } else if self.slots[index]
                .compare_exchange(seen, claimed, Self::release(), Ordering::Relaxed)
                .is_err()
            {
                continue;
            }
            if index == last {
                self.end(lap);
            }
            self.guess.store(if index == last { 0 } else { index as u64 + 1 }, Ordering::Relaxed);
            return Some(ticket);
        }
    }
}

impl<const BUG: u8> Gate for WrongRing<BUG> {
    fn with_quota(quota: Quota) -> Self {
        let slots = (0..quota.permits()).map(|_| AtomicU64::new(0)).collect();
        Self { quota, lap: AtomicU64::new(0), guess: AtomicU64::new(0), slots }
    }

    fn check_n_at(&self, n: u32, now: Timestamp) -> Result<Admitted, Denied> {
        // Another rule's, for their form: scenarios judge the outcome and the ticket.
        let form = FixedWindow::new(self.quota);
        match self.claim(now.as_nanos()) {
            Some(ticket) => Ok(form.admitted(Word::from_bits(ticket), n, now)),
            None => Err(form.denied(Word::default(), n, now)),
        }
    }

    fn peek_at(&self, now: Timestamp) -> Snapshot {
        FixedWindow::new(self.quota).snapshot(Word::default(), now)
    }
}
