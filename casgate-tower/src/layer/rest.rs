//! What is left to do when the service has answered.

use super::charge::{Charges, standings};
use super::shared::Shared;
use crate::fields::{Composed, Fields};
use crate::policy::Set;
use http::Response;
use std::sync::Arc;

/// What the layer still has to do for a request that has passed.
pub(super) enum Rest<O> {
    /// The fields are known, since the response changes nothing.
    Fields(Composed),
    Settle(Settle<O>),
}

/// Refunds and true costs, and then the fields.
pub(super) struct Settle<O> {
    pub(super) shared: Arc<Shared<O>>,
    pub(super) held: Option<Arc<Set>>,
    pub(super) charges: Charges,
}

impl<O> Settle<O> {
    /// Does it to the response.
    pub(super) fn settle<B>(&mut self, response: Response<B>) -> Response<B> {
        let (mut parts, body) = response.into_parts();
        let set = self.shared.set(&self.held);
        for charge in &mut self.charges {
            charge.settle(set, &parts);
        }
        if self.shared.admitted != Fields::NONE {
            let mut standings = standings(&self.charges, set);
            self.shared.admitted.write(&mut standings, &mut parts.headers);
        }
        Response::from_parts(parts, body)
    }
}
