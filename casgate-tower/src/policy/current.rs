use super::Set;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// The policies of the moment. Reading them waits for nobody.
pub(crate) struct Current(ArcSwap<Set>);

impl Current {
    pub(crate) fn new(set: Set) -> Self {
        Self(ArcSwap::from_pointee(set))
    }

    pub(crate) fn load_full(&self) -> Arc<Set> {
        self.0.load_full()
    }

    pub(crate) fn store(&self, set: Set) {
        self.0.store(Arc::new(set));
    }
}
