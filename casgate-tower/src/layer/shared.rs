use super::answer::OnDenied;
use crate::fields::{Fields, ProblemType};
use crate::policy::Set;
use std::sync::Arc;

/// What all clones of a layer and of its services have in common.
pub(super) struct Shared<O> {
    pub(super) source: Source,
    pub(super) admitted: Fields,
    pub(super) denied: Fields,
    pub(super) problem: ProblemType,
    pub(super) on_denied: Option<Arc<OnDenied>>,
    pub(super) observer: O,
}

/// Where the policies come from.
#[derive(Clone)]
pub(super) enum Source {
    Fixed(Set),
    #[cfg(feature = "config")]
    Live(Arc<crate::policy::Current>),
}

impl<O> Shared<O> {
    /// Takes hold of the policies if they can change: a request is decided and settled by the same.
    pub(super) fn hold(&self) -> Option<Arc<Set>> {
        match &self.source {
            Source::Fixed(_) => None,
            #[cfg(feature = "config")]
            Source::Live(current) => Some(current.load_full()),
        }
    }

    /// Returns the policies, which are those that are held if they can change.
    pub(super) fn set<'a>(&'a self, held: &'a Option<Arc<Set>>) -> &'a Set {
        match (&self.source, held) {
            (Source::Fixed(set), _) => set,
            #[cfg(feature = "config")]
            (Source::Live(_), held) => held.as_ref().expect("they are held"),
        }
    }
}
