//! All tiers of a keyed limiter.

use super::build::NoTable;
use super::owner::ID_BITS;
use super::pace::{Kind, Unfit};
use super::tier::{Allowance, Tier};
use crate::Quota;
use alloc::boxed::Box;
use core::ops::Index;

/// The first apart, since it is the one that most requests name: it is found without a pointer.
#[derive(Debug)]
pub(crate) struct Tiers {
    first: Tier,
    more: Box<[Tier]>,
}

impl Tiers {
    pub(super) fn new(kind: Kind, quota: Quota) -> Result<Self, Unfit> {
        Ok(Self { first: Tier::new(kind, quota.into())?, more: Box::default() })
    }

    /// More tiers behind those that there are. If that is an error some are lost.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        allowances: impl Iterator<Item = Allowance>,
    ) -> Result<(), NoTable> {
        let mut more = core::mem::take(&mut self.more).into_vec();
        for allowance in allowances {
            // As many as an `Id` can name.
            if more.len() + 1 == 1 << (ID_BITS - 1) {
                return Err(NoTable::TooManyTiers);
            }
            more.push(Tier::new(kind, allowance).map_err(NoTable::Quota)?);
        }
        self.more = more.into_boxed_slice();
        Ok(())
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        1 + self.more.len()
    }
}

impl Index<usize> for Tiers {
    type Output = Tier;

    #[inline(always)]
    fn index(&self, tier: usize) -> &Tier {
        match tier.checked_sub(1) {
            None => &self.first,
            Some(tier) => &self.more[tier],
        }
    }
}
