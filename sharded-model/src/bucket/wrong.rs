//! The protocol with one step left out or changed.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// The protocol as it is meant.
    Nothing,

    /// A lease is made without a look at the cell's `until`.
    Unprepared,
    /// A caller raises `until` after it took a permit from the cell.
    SpentThenRaised,
    /// A caller does not raise it by one or two ticks.
    NearIsSkipped,
    /// A caller stores what it raises it to, and may lower it.
    Stored,
    /// A caller raises `since` after it exchanged the parent.
    LeasedThenRaised,
    /// A permit is spent at a timestamp older than `since`.
    OlderIsSpent,
    /// A permit is for nobody who is older than `until`.
    LateByUntil,
    /// The parent has the whole burst.
    WholeBurst,

    /// The parent does not name the lease: the caller that took it puts it into the cell alone.
    Unnamed,
    /// A lease that the parent names is not completed by others.
    NoHelp,
    /// They wait until it is complete.
    Waits,
    /// It is stored that a lease is complete before it is.
    DoneEarly,
    /// A lease is completed without a comparison of stamps.
    StampUncompared,
    /// The stamp has one bit.
    StampOfOneBit,
    /// The lease goes to a cell that was read before the parent.
    CellBeforeParent,

    /// It is noted that nothing was left, although a cell was late.
    DryThoughLate,
    /// It is noted by a pass that leaves the last cell out.
    DryUnseen,
    /// A cell whose exchange was lost counts as empty.
    LostIsEmpty,

    /// No fault, it turns out: a late cell gets a lease like an empty one.
    LateIsEmpty,
    /// No fault either: a pass does not load the parent again.
    Unconfirmed,
}
