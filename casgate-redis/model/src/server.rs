/// A TAT less the server's clock, in microseconds.
pub(crate) type Ahead = i8;

/// The server and its replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    /// Nothing, if the state is missing.
    pub(crate) tat: Option<Ahead>,
    pub(crate) replica: Option<Ahead>,
    /// The permits granted that the replica does not know of, up to the burst.
    pub(crate) unreplicated: u8,
}
