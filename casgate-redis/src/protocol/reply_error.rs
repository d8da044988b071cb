use core::fmt;

/// A reply that no script of ours sends.
///
/// ```
/// use casgate_redis::protocol::Grant;
/// let error = Grant::from_reply(&[1, 2]).unwrap_err();
/// assert_eq!(error.to_string(), "the reply is not one of the script");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyError(());

impl ReplyError {
    pub(super) const fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reply is not one of the script")
    }
}

impl core::error::Error for ReplyError {}

/// The numbers of a reply, if there are so many and none is negative or too large to be exact.
pub(super) fn numbers<const N: usize>(reply: &[i64]) -> Result<[u64; N], ReplyError> {
    let reply = <[i64; N]>::try_from(reply).map_err(|_| ReplyError::new())?;
    if reply.iter().all(|n| (0..=super::MOST as i64).contains(n)) {
        Ok(reply.map(|n| n as u64))
    } else {
        Err(ReplyError::new())
    }
}
