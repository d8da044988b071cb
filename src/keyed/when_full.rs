/// What happens to a key that is not in the table when all the slots it could take are in use by keys
/// that owe something. In neither case is any key admitted more than its quota.
///
/// ```
/// use casgate::{KeyedLimiter, Quota, WhenFull};
///
/// let strict = KeyedLimiter::<str>::token_bucket(Quota::per_second(5), 10_000)
///     .when_full(WhenFull::RefuseNewcomers);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It takes the slot of the key that owes least, and starts with that debt. So a flood of keys
    /// that ask once displaces others of its kind and not those that are being limited; the more of
    /// them there are, the less a newcomer has left, down to a refusal.
    #[default]
    EvictLeastDebt,
    /// It is refused until one of the slots is free: those that are in the table are undisturbed.
    /// [`Denied::refused_by`](crate::Denied::refused_by) is then 1.
    RefuseNewcomers,
}
