//! What was admitted, and where permits are.

use super::memory::CELLS;

/// Timestamps at most, from 0.
pub(crate) const TICKS: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Fault {
    /// More was admitted in an interval than the burst and its refill.
    OverAdmission,
    /// A denial, and there was no instant at which nothing was left.
    Unjustified,
    /// A caller learns that it is late, and no cell has a lease at a later timestamp.
    NotLate,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Ghost {
    /// For each timestamp.
    admitted: [u8; TICKS],
    /// The permits leased so far that were not spent from a cell.
    pub(crate) leased: u8,
    /// The permits on their way to each cell.
    pub(crate) way: [u8; CELLS],
    pub(crate) fault: Option<Fault>,
}

impl Ghost {
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some(fault));
    }

    /// One permit, at the instant of the exchange that takes it.
    pub(crate) fn admit(&mut self, now: u8, burst: u8) {
        self.admitted[now as usize] += 1;
        for from in 0..=now as usize {
            let mut sum = self.admitted[from..now as usize].iter().sum::<u8>();
            for to in now as usize..TICKS {
                sum += self.admitted[to];
                if sum > burst + (to - from) as u8 {
                    self.fail(Fault::OverAdmission);
                }
            }
        }
    }
}
