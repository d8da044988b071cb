/// What a [`KeyedLimiter`](crate::KeyedLimiter) does with a new key when every slot that it could
/// have belongs to a key with permits outstanding. With either policy no key is admitted more than
/// its quota.
///
/// ```
/// use casgate::{KeyedLimiter, Quota, WhenFull};
///
/// let strict = KeyedLimiter::token_bucket(Quota::per_second(5), 10_000)
///     .when_full(WhenFull::DenyNewKeys);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// The new key takes the slot of the key whose debt is repaid first, and starts with that debt.
    /// Keys that are seen once evict each other, and keys that are being limited stay. Under
    /// sustained pressure new keys start with fewer permits, eventually with none.
    #[default]
    EvictLeastDebt,
    /// The new key is denied until one of the slots is free, and known keys stay undisturbed.
    /// [`Denied::reason`](crate::Denied::reason) is then
    /// [`Reason::TableFull`](crate::Reason::TableFull), or
    /// [`Reason::NeverFits`](crate::Reason::NeverFits) for more permits than the limit.
    DenyNewKeys,
}
