/// A fault that is put into the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    /// A holder spends a lease when its deadline is over.
    SpendsLate,
    /// The deadline counts from the arrival of the reply.
    FromArrival,
    /// A new lease joins the one that the holder has, with the later deadline.
    Merges,
    /// A holder gives unspent permits back to the server, which grants them again.
    Returns,
    /// The server grants the whole burst.
    WholeBurst,
    /// Nobody carries a TAT.
    CarriesNothing,
    /// A holder carries the largest TAT that it saw.
    CarriesLargest,
    /// A holder without an answer takes for granted what it wanted.
    Assumes,
    /// The deadline is a microsecond later, as if the server's clock were not rounded down.
    NotRounded,
    /// The bound is a permit less: it is tight.
    BoundLessByOne,
    /// No permit more is allowed after an event at the server.
    NoExcess,
}
