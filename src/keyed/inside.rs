//! Explains how the [`KeyedLimiter`](crate::KeyedLimiter) works inside, and why it is right.
//!
//! # A slot is two words
//!
//! ```text
//!         63                            0
//! owner:  | tag 35 | tier 17 | 0 | stamp 11 |
//! word:   | state 52         | u | stamp 11 |
//! ```
//!
//! A key is known by its *tag*, 34 bits of its hash and a bit that is set. The *state* is all that
//! its algorithm needs: for a token bucket the instant at which it is full again, for a fixed
//! window the window and what was spent in it. A slot is its owner's only while both *stamps* are
//! equal.
//!
//! To decide, a thread finds the owner with the key's tag and tier, loads the word next to it, and
//! compares the stamps. Then it exchanges the word for the one after the decision. That is one
//! atomic step on one word, as in a limiter of one key. If the slot was given to another key
//! meanwhile, the word's stamp has moved and the exchange fails.
//!
//! # Where a key is looked for
//!
//! The hash is multiplied by an odd constant. The low half of the product chooses the key's home, a
//! *group* of eight slots in two cache lines; the tag comes from both halves. Twenty groups are a
//! *set*: all the slots that the key can have. A dense array apart holds a *mark* for each slot,
//! the lowest byte of its owner's tag. A search compares the eight marks of a group at once and
//! looks at the one slot that they point at. Nineteen of twenty keys are found this way; the others
//! are in the next groups.
//!
//! Marks are hints. A thread writes the mark after the owner, so it may be late or wrong. What it
//! points at is compared with the owner, and a key counts as absent only after a look at all 160
//! owners.
//!
//! # How a slot is handed on
//!
//! Every set has a *record* of its last change. A change is announced by exchanging the record, and
//! then anybody can complete it. No thread announces a change before the last one is complete, so
//! the changes of a set have one order. A thread that stops in the middle stops no other.
//!
//! A thread with a new key first completes the set's record. It then looks at all slots, and
//! chooses an unused one, or else the one whose key's debt is repaid first. Then it exchanges the
//! record, which fails if another key has come in since the look. What is left takes three
//! exchanges:
//!
//! ```text
//!                 owner          word           watermark
//! announced       v, stamp 7     x, stamp 7     w            v still decides
//! word passed     v, stamp 7     y, stamp 8     w            nobody decides: y is fixed
//! watermark       v, stamp 7     y, stamp 8     max(w, y)
//! owner passed    t, stamp 8     y, stamp 8     max(w, y)    t decides
//! ```
//!
//! The *watermark* is the most that any key without a slot can have outstanding: a state, and the
//! tier whose units it is in. A new key may be one that was evicted, so it starts with y = max(x,
//! w). While the slot is on its way nobody can change y: the old owner's stamp is behind, and the
//! new owner is not there. So the new key starts with exactly what the watermark rises to: what the
//! evicted key had outstanding, or the watermark from before if that is more.
//!
//! If the victim was evicted before it spent anything, which the bit u says, and x equals the
//! watermark, then y is one unit more, or two new keys could evict each other without end. A unit
//! is less than a microsecond, and at most a permit.
//!
//! A reset of one key and a clear of the whole table are changes of the set as well: the slot gets
//! the next stamp, so that a reservation made before cannot be given back once more.
//!
//! # What a tier change does
//!
//! The owner names the tier, and whether the tier's version is even or odd. A key that comes in
//! another tier is carried over by a change of its set: the slot stays, the state is converted as
//! of the timestamp that the record names, so that it does not matter which thread completes it. A
//! caller does this once; if it then finds the key in yet another tier, it decides by that one, for
//! two callers could otherwise carry a key to and fro without end.
//!
//! A tier's quota stands in one of two places. [`set_quota`](crate::KeyedLimiter::set_quota) writes
//! the other one, publishes the next version, and then goes from set to set: it moves the record
//! on, so that nobody can bring in a key by the old version any more, and carries over each key
//! that is left. Only then may the old place be written again. A decision loads the version once
//! more after the word; if it has not changed, the word was counted in the units that the thread
//! holds.
//!
//! # Why it is right
//!
//! The invariant: what a key would have outstanding in a limiter of its own is at most the state in
//! its slot, if it has one; else at most the watermark, or the passed word of the slot that is on
//! its way.
//!
//! - *No key has two slots.* A record is announced only if no other was since the look that found
//!   the key absent.
//! - *Nothing is forgotten.* A word passes on with at least the watermark, and the watermark rises
//!   to it before the owner changes.
//! - *Nothing comes late.* A thread that completes a record loads the word, the owner, the
//!   watermark, and then the record again. If the record is the same, the change was not over when
//!   the word was loaded. Every exchange compares a stamp, a count or an epoch, so one that comes
//!   late fails.
//!
//! An exhaustive model of this protocol (`keyed-model` in the repository) goes through every
//! interleaving of callers that may stop anywhere, on small sets. It finds a fault where one of the
//! steps above is left out. The model checker loom runs pairs of public operations on the real
//! type, those with `set_quota` random schedules and real threads. `docs/verification.md` has the
//! bounds of both.
//!
//! # What could still go wrong
//!
//! - Two keys have the same set and the same 34 bits of tag. They share a limit. A new key does so
//!   with one of the keys of a full set with a probability of 160·2⁻³⁴, one in 10⁸.
//! - A thread stops between its load of a word and its exchange. Meanwhile the slot is handed on as
//!   often as a multiple of 2,048, and the thread finds the same state. Then one decision is charged to
//!   another key. In a set that is flooded, that is 327,680 new keys of this set while the thread
//!   sleeps, and then a chance of one in 2,048.
//! - More than 160 threads [charge](crate::Key::charge) new keys of one set at once. They may evict
//!   each other for as long as they do.
