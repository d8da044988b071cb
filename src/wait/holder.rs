use super::queue::Queue;
use super::timer::Timer;
use crate::algorithm::Algorithm;
use crate::clock::Clock;
use std::sync::Arc;

/// What a wait keeps of its queue: a reference, or a share of it in an `Arc`.
pub trait Holder: Clone + Unpin {
    type Algorithm: Algorithm;
    type Clock: Clock;
    type Timer: Timer;

    fn queue(&self) -> &Queue<Self::Algorithm, Self::Clock, Self::Timer>;
}

impl<A: Algorithm, C: Clock, T: Timer> Holder for &Queue<A, C, T> {
    type Algorithm = A;
    type Clock = C;
    type Timer = T;

    #[inline(always)]
    fn queue(&self) -> &Queue<A, C, T> {
        self
    }
}

impl<A: Algorithm, C: Clock, T: Timer> Holder for Arc<Queue<A, C, T>> {
    type Algorithm = A;
    type Clock = C;
    type Timer = T;

    #[inline(always)]
    fn queue(&self) -> &Queue<A, C, T> {
        self
    }
}
