//! The protocol with one step left out or changed. Each must have a counterexample.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// The protocol as it is meant.
    Nothing,

    /// A refund adds to the caller's cell.
    RefundIntoCell,
    /// A reset changes the parent alone.
    ResetOfParent,
    /// A gather adds up cells that it does not freeze.
    NoFreezing,
    /// A gather leaves the last cell out of its sum.
    SumMissesCell,
    /// A gather goes on when a cell is of a later window.
    GathersPastLater,
    /// The sum of a gather is stored, not exchanged.
    SumStored,

    /// The window is noted as spent although a cell is of a later one.
    SpentThoughLate,
    /// The window is noted as spent by a pass that leaves the last cell out.
    SpentUnseen,
    /// The note is stored, and the parent not compared.
    SpentUncompared,
    /// A cell whose exchange was lost counts as spent.
    LostIsSpent,

    /// A frozen cell is spent from.
    FrozenIsSpent,
    /// A cell of an older window is spent from as if it were of this one.
    OlderIsSpent,
    /// A cell is compared by the last bit of the window's index.
    IndexOfOneBit,

    /// A marked parent counts as one that has nothing left.
    MarkIgnored,
    /// A caller that meets a marked parent freezes the cells, and leaves the rest to others.
    HelpsHalf,
    /// It waits.
    Waits,
    /// Several permits are denied by the caller's own cell and the parent, without a pass.
    NoPass,
    /// A refund gives up when its exchange is lost.
    RefundGivesUp,
}
