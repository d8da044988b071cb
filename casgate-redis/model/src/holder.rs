use crate::server::Ahead;

/// A process of the fleet. Ages and lifetimes are parts of a microsecond.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Holder {
    /// The lease that it spends, and the next.
    pub(crate) leases: [Part; 2],
    pub(crate) carried: Option<Carried>,
    /// The call whose reply it waits for.
    pub(crate) call: Option<Call>,
    /// A request that it waits for no more, or a copy of one: it may run late.
    pub(crate) stray: Option<Request>,
}

/// A lease: its permits, and for how long it lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) permits: u8,
    pub(crate) left: u8,
}

/// A TAT of some reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Carried {
    pub(crate) tat: Ahead,
    /// It is from before the last event at the server.
    pub(crate) old: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) want: u8,
    pub(crate) carried: Option<Carried>,
}

/// A message on its way, sent or asked for so long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Call {
    Request { request: Request, age: u8 },
    Reply { want: u8, granted: u8, tat: Option<Carried>, age: u8 },
}

impl Holder {
    /// Calls `change` with every TAT that the holder or its messages know.
    pub(crate) fn each_tat(&mut self, mut change: impl FnMut(&mut Option<Carried>)) {
        change(&mut self.carried);
        match &mut self.call {
            Some(Call::Request { request, .. }) => change(&mut request.carried),
            Some(Call::Reply { tat, .. }) => {
                change(tat);
            }
            None => {}
        }
        if let Some(request) = &mut self.stray {
            change(&mut request.carried);
        }
    }
}
