//! What a set of slots keeps next to them: the record of its last change, and its watermark.

use super::owner::{ID_BITS, Id, Owner};
use super::stats::Seated;
use super::units::ONE;
use crate::Timestamp;
use crate::cell::{Atom, Cell};
use crate::sync::AtomicPair;

/// Bits of the number of a record.
const COUNT_BITS: u32 = 12;
/// Bits of what goes with a change: 61, and 29 under the model checker, whose two words have 32
/// bits.
const PAYLOAD_BITS: u32 = if cfg!(casgate_loom) { 29 } else { 61 };
/// Bits of a slot's index in its set.
const SLOT_BITS: u32 = 8;

/// What a record says is to be done, or has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// The slot is given to a key.
    Seat {
        slot: usize,
        tag: u64,
        id: Id,
    },
    /// A key is carried over to another tier, or to its tier's new quota, as of that timestamp. It
    /// keeps its slot.
    Retier {
        tag: u64,
        id: Id,
        at: Timestamp,
    },
    /// The owner of that stamp is given all of its permits back. It keeps its slot, with the next
    /// stamp: so what was taken before cannot be given back once more.
    Reset {
        slot: usize,
        owner: Owner,
    },
    /// All slots are emptied, and the watermark is lowered to this epoch.
    Clear {
        epoch: u64,
    },
}

/// The last change of a set, which anybody can complete; exchanged to announce the next.
///
/// ```text
/// 127                              64
/// | tag 35 | tier 17     | count 12 |
/// 63                               0
/// | change 3 | slot, time or epoch |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record([u64; 2]);

impl Record {
    pub(crate) const NONE: Self = Self([0, 0]);

    /// The record after this one.
    pub(crate) fn next(self, change: Change) -> Self {
        const LAST: u64 = (1 << PAYLOAD_BITS) - 1;
        let (kind, tag, id, payload) = match change {
            Change::Nothing => (0, 0, Id::default(), 0),
            Change::Seat { slot, tag, id } => (1, tag, id, slot as u64),
            Change::Retier { tag, id, at } => (2, tag, id, at.as_nanos().min(LAST)),
            Change::Clear { epoch } => (3, 0, Id::default(), epoch),
            Change::Reset { slot, owner } => {
                (4, owner.tag(), owner.id(), owner.stamp() << SLOT_BITS | slot as u64)
            }
        };
        let count = (self.0[0] + 1) & ((1 << COUNT_BITS) - 1);
        let key = (tag << ID_BITS | id.bits()) << COUNT_BITS;
        Self([key | count, kind << PAYLOAD_BITS | payload])
    }

    pub(crate) fn change(self) -> Change {
        let [first, second] = self.0;
        let id = Id::of_bits(first >> COUNT_BITS & ((1 << ID_BITS) - 1));
        let tag = first >> (COUNT_BITS + ID_BITS);
        let payload = second & ((1 << PAYLOAD_BITS) - 1);
        match second >> PAYLOAD_BITS {
            0 => Change::Nothing,
            1 => Change::Seat { slot: payload as usize, tag, id },
            2 => Change::Retier { tag, id, at: Timestamp::from_nanos(payload) },
            3 => Change::Clear { epoch: payload },
            _ => {
                let slot = payload & ((1 << SLOT_BITS) - 1);
                let owner = Owner::new(tag, id).with_stamp(payload >> SLOT_BITS);
                Change::Reset { slot: slot as usize, owner }
            }
        }
    }
}

/// The most that a key without a slot can have outstanding: a state, and the id whose units it is
/// counted in.
///
/// ```text
/// 127                      64
/// | the state, in units    |
/// 63                       0
/// | epoch 47 | tier 17     |
/// ```
///
/// The epoch counts how often the set has been cleared: an exchange that raises the watermark fails
/// once it has been lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watermark([u64; 2]);

impl Watermark {
    pub(crate) const fn state(self) -> u64 {
        self.0[0] * ONE
    }

    pub(crate) fn id(self) -> Id {
        Id::of_bits(self.0[1] & ((1 << ID_BITS) - 1))
    }

    pub(crate) const fn epoch(self) -> u64 {
        self.0[1] >> ID_BITS
    }

    /// The same epoch's, at another state.
    pub(crate) const fn at(self, state: u64, id: Id) -> Self {
        Self([state / ONE, self.epoch() << ID_BITS | id.bits()])
    }

    pub(crate) const fn lowered(epoch: u64) -> Self {
        Self([0, epoch << ID_BITS])
    }
}

/// What the slots of one set share.
#[derive(Debug)]
pub(crate) struct Head {
    record: Cell<AtomicPair>,
    watermark: Cell<AtomicPair>,
    pub(crate) seated: Seated,
}

impl Head {
    pub(crate) fn new() -> Self {
        Self {
            record: Cell::pair(Record::NONE.0),
            watermark: Cell::pair(Watermark::lowered(0).0),
            seated: Seated::default(),
        }
    }

    pub(crate) fn record(&self) -> Record {
        Record(self.record.load())
    }

    /// Announces the next change.
    pub(crate) fn announce(&self, seen: Record, next: Record) -> bool {
        self.record.atom().exchange(seen.0, next.0).is_ok()
    }

    pub(crate) fn watermark(&self) -> Watermark {
        Watermark(self.watermark.load())
    }

    /// Whether it was still the one that was seen.
    pub(crate) fn set_watermark(&self, seen: Watermark, next: Watermark) -> bool {
        self.watermark.update(|bits| (bits == seen.0).then_some(next.0)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners() -> impl Iterator<Item = (u64, Id, u64)> {
        let tags = [1, 0x5_5555_5555, (1 << 35) - 1];
        let ids = [0, 1, 0xaaaa, (1 << ID_BITS) - 1].map(Id::of_bits);
        let stamps = [0, 1, 0x555, 0x7ff];
        tags.into_iter().flat_map(move |tag| {
            ids.into_iter().flat_map(move |id| stamps.map(move |stamp| (tag, id, stamp)))
        })
    }

    #[test]
    fn a_record_says_what_was_announced() {
        let mut record = Record::NONE;
        assert_eq!(record.change(), Change::Nothing);
        for (tag, id, stamp) in owners() {
            for slot in [0, 7, 159] {
                let owner = Owner::new(tag, id).with_stamp(stamp);
                assert_eq!((owner.tag(), owner.id(), owner.stamp()), (tag, id, stamp));
                for change in [
                    Change::Seat { slot, tag, id },
                    Change::Retier { tag, id, at: Timestamp::from_nanos((1 << 61) - 1) },
                    Change::Retier { tag, id, at: Timestamp::from_nanos(slot as u64) },
                    Change::Reset { slot, owner },
                    Change::Clear { epoch: (1 << 47) - 1 },
                    Change::Clear { epoch: stamp },
                    Change::Nothing,
                ] {
                    record = record.next(change);
                    assert_eq!(record.change(), change);
                }
            }
        }
        let late = Change::Retier { tag: 1, id: Id::default(), at: Timestamp::MAX };
        let last = Timestamp::from_nanos((1 << 61) - 1);
        let kept = Change::Retier { tag: 1, id: Id::default(), at: last };
        assert_eq!(record.next(late).change(), kept);
    }

    /// Of 4,096 that follow each other no two are the same, whatever they say.
    #[test]
    fn a_record_differs_from_those_before_it() {
        for change in [Change::Nothing, Change::Clear { epoch: 9 }] {
            let first = Record::NONE.next(change);
            let mut record = first;
            for _ in 1..1 << COUNT_BITS {
                record = record.next(change);
                assert_ne!(record, first);
                assert_eq!(record.change(), change);
            }
            assert_eq!(record.next(change), first);
        }
    }

    #[test]
    fn a_watermark_has_a_state_an_id_and_an_epoch() {
        for (_, id, epoch) in owners() {
            let epoch = epoch << 36 | epoch;
            let low = Watermark::lowered(epoch);
            assert_eq!((low.state(), low.id(), low.epoch()), (0, Id::default(), epoch));
            let last = u64::MAX / ONE * ONE;
            for state in [0, ONE, last] {
                let raised = low.at(state, id);
                assert_eq!((raised.state(), raised.id(), raised.epoch()), (state, id, epoch));
                assert_eq!(raised.at(0, Id::default()), low);
            }
        }
    }
}
