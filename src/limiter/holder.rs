use super::Limiter;
use crate::algorithm::Rule;

/// What a lease or a reservation keeps of its limiter: a reference, or a share of it in an `Arc`.
pub trait Holder {
    type Rule: Rule;
    type Clock;

    fn limiter(&self) -> &Limiter<Self::Rule, Self::Clock>;
}

impl<R: Rule, C> Holder for &Limiter<R, C> {
    type Rule = R;
    type Clock = C;

    #[inline(always)]
    fn limiter(&self) -> &Limiter<R, C> {
        self
    }
}

#[cfg(feature = "std")]
impl<R: Rule, C> Holder for std::sync::Arc<Limiter<R, C>> {
    type Rule = R;
    type Clock = C;

    #[inline(always)]
    fn limiter(&self) -> &Limiter<R, C> {
        self
    }
}
