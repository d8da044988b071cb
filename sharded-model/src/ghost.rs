//! The plain window, which every change charges at its own instant.

/// Windows at most, from 1.
pub(crate) const WINDOWS: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Fault {
    /// More was admitted in a window than the limit and what was given back.
    OverAdmission,
    /// A denial, and there was no instant at which too few permits were left; or fewer were taken than there were.
    Unjustified,
    /// A caller learns that it is late, and no newer window had begun.
    NotLate,
    /// A refund or a reset returned without effect, and its window was the newest.
    NoEffect,
    /// A peek's answer was not between the least and the most that was left.
    Peek,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Ghost {
    spent: [u8; WINDOWS + 1],
    pub(crate) fault: Option<Fault>,
}

impl Ghost {
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some(fault));
    }

    pub(crate) fn left(&self, index: u8, limit: u8) -> u8 {
        limit.saturating_sub(self.spent[index as usize])
    }

    pub(crate) fn admit(&mut self, index: u8, n: u8, limit: u8) {
        let spent = &mut self.spent[index as usize];
        *spent += n;
        if *spent > limit {
            self.fail(Fault::OverAdmission);
        }
    }

    pub(crate) fn refund(&mut self, index: u8, n: u8) {
        let spent = &mut self.spent[index as usize];
        *spent = spent.saturating_sub(n);
    }

    pub(crate) fn reset(&mut self, index: u8) {
        self.spent[index as usize] = 0;
    }
}
