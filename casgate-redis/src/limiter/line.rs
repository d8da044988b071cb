use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tasks that wait, in the order of their arrival. The first has its turn until it leaves.
#[derive(Debug, Default)]
pub(super) struct Line {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    arrivals: u64,
    /// By arrival. The first needs no waker.
    tasks: BTreeMap<u64, Option<Waker>>,
}

/// A place in the line. Who drops it leaves, and the next one moves up.
#[derive(Debug)]
pub(super) struct Place<'a> {
    line: &'a Line,
    arrival: u64,
}

impl Line {
    /// Takes the last place.
    pub(super) fn enter(&self) -> Place<'_> {
        let mut state = self.state();
        let arrival = state.arrivals;
        state.arrivals += 1;
        state.tasks.insert(arrival, None);
        Place { line: self, arrival }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Waits to be the first.
    pub(super) async fn turn(&self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.line.state();
        if state.tasks.keys().next() == Some(&self.arrival) {
            return Poll::Ready(());
        }
        state.tasks.insert(self.arrival, Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.line.state();
        let was_first = state.tasks.keys().next() == Some(&self.arrival);
        state.tasks.remove(&self.arrival);
        let next = state.tasks.values_mut().next().filter(|_| was_first).and_then(Option::take);
        drop(state);
        // Without the lock: a waker is code of others.
        if let Some(next) = next {
            next.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_first(place: &Place<'_>) -> bool {
        place.poll(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn places_are_in_the_order_of_arrival() {
        let line = Line::default();
        let [first, second, third, fourth] = [0; 4].map(|_| line.enter());
        assert!(is_first(&first) && !is_first(&second) && !is_first(&third));
        drop(second);
        assert!(!is_first(&third));
        drop(first);
        assert!(is_first(&third) && !is_first(&fourth));
        drop(fourth);
        drop(third);
        assert!(is_first(&line.enter()));
    }
}
