/// A step of the fleet, the network, the server or the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A part of a microsecond goes by.
    Time,
    Ask {
        holder: usize,
        want: u8,
    },
    /// A request runs, while so many holders are counted. A copy may stay under way.
    Run {
        holder: usize,
        holders: u8,
        copy: bool,
    },
    /// A request that nobody waits for runs.
    RunStray {
        holder: usize,
    },
    LoseStray {
        holder: usize,
    },
    Reply {
        holder: usize,
    },
    /// The call ends without a reply: it is lost, or the holder waits no longer.
    NoReply {
        holder: usize,
        stray: bool,
    },
    Spend {
        holder: usize,
        lease: usize,
    },
    /// Stops and starts again, and knows nothing.
    Crash {
        holder: usize,
    },
    Return {
        holder: usize,
        lease: usize,
    },
    /// Of the server's clock, in microseconds.
    ClockStep(i8),
    Replicate,
    Failover,
    /// The server and its replica lose all.
    Loss,
}
