//! Wrong sliding windows: a ring of slots with one step done wrong.

use super::{AtomicU64, Word};
use crate::explore::atomic::Ordering;
use crate::gate::Gate;
use casgate::algorithm::{FixedWindow, Rule};
use casgate::{Admitted, Denied, Quota, Snapshot, Timestamp};

/// What is wrong with a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A slot found claimed with the head still on it is taken for a full window.
    NoHelp,
    /// The slot is stored, not exchanged.
    StoreSlot,
    /// The head is moved first and the slot written afterwards: claim, then deposit.
    HeadFirst,
    /// The head is not read again after the slot.
    NoSecondLook,
    /// Every access is relaxed.
    Relaxed,
}

/// A ring with the bug of that number in [`Bug`].
#[derive(Debug)]
pub struct WrongRing<const BUG: u8> {
    quota: Quota,
    head: AtomicU64,
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

    fn advance(&self, head: u64) -> bool {
        let won = self.head.compare_exchange(head, head + 1, Self::release(), Ordering::Relaxed);
        won.is_ok()
    }

    /// The ticket, or a denial.
    fn claim(&self, now: u64) -> Option<u64> {
        let slots = self.slots.len() as u64;
        loop {
            let head = self.head.load(Self::acquire());
            let slot = &self.slots[(head % slots) as usize];
            let seen = slot.load(Self::acquire());
            let unclaimed = (head / slots) & 1;
            if seen & 1 != unclaimed {
                if Self::has(Bug::NoHelp) {
                    return None;
                }
                self.advance(head);
                continue;
            }
            let looked_again = Self::has(Bug::NoSecondLook);
            if !looked_again && self.head.load(Ordering::Relaxed) != head {
                continue;
            }
            if seen >> 1 > now {
                return None;
            }
            let free_at = now + self.quota.period().as_nanos() as u64;
            let claimed = free_at << 1 | (unclaimed ^ 1);
            if Self::has(Bug::StoreSlot) {
                slot.store(claimed, Ordering::Release);
                self.advance(head);
                return Some(head + 1);
            }
            if Self::has(Bug::HeadFirst) {
                if self.advance(head) {
                    slot.store(claimed, Ordering::Release);
                    return Some(head + 1);
                }
                continue;
            }
            if slot.compare_exchange(seen, claimed, Self::release(), Ordering::Relaxed).is_ok() {
                self.advance(head);
                return Some(head + 1);
            }
        }
    }
}

impl<const BUG: u8> Gate for WrongRing<BUG> {
    fn with_quota(quota: Quota) -> Self {
        let slots = (0..quota.permits()).map(|_| AtomicU64::new(0)).collect();
        Self { quota, head: AtomicU64::new(0), slots }
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
