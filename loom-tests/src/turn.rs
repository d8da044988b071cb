//! The order in which calls begin.

use crate::explore::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::explore::thread::{self, JoinHandle};
use std::sync::Arc;

/// Whose turn it is. Each call of a race begins with [`Turn::take`].
///
/// The model checker remembers of each atomic only the last access: a load by one thread hides from it
/// that an exchange by the same thread races with an earlier load by another. Of three callers with one
/// call each it misses a third of the answers so. It tries every order of two exchanges, and with one at
/// the beginning of each call it misses none.
#[derive(Clone, Debug, Default)]
pub struct Turn(Arc<AtomicUsize>);

impl Turn {
    /// Begins a call. It orders no other memory.
    pub fn take(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Makes one call, of an `object` that threads share, on a thread of its own.
    pub fn spawn<O: Send + Sync + 'static, T: Send + 'static>(
        &self,
        object: &Arc<O>,
        call: impl FnOnce(&O) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let (turn, object) = (self.clone(), Arc::clone(object));
        thread::spawn(move || {
            turn.take();
            call(&object)
        })
    }
}
