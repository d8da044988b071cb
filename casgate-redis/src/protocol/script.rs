/// A script for Redis: its text, and the name under which Redis keeps it.
///
/// Send `EVALSHA` with the name. When Redis answers `NOSCRIPT`, send `EVAL` with the text. Redis
/// then knows the script again. It forgets every script in a restart, a failover or by
/// `SCRIPT FLUSH`, and newer servers forget the ones least used. Each script takes one key, so it
/// runs in a Redis Cluster too.
///
/// ```
/// use casgate_redis::protocol::Script;
/// assert_eq!(Script::LEASE.sha1.len(), 40);
/// assert!(Script::WINDOW.text.contains("redis.call('TIME')"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Script {
    /// The text, in Lua.
    pub text: &'static str,
    /// The SHA-1 of the text, in lower-case hexadecimal digits.
    pub sha1: &'static str,
}

impl Script {
    /// Grants a lease at a rate. [`Request`](super::Request) makes its arguments,
    /// [`Grant`](super::Grant) reads its reply, and [`State::grant`](super::State::grant) decides
    /// the same.
    pub const LEASE: Self =
        Self { text: include_str!("lease.lua"), sha1: "7ac1a313bb51174f3003346fbcd8f4d9f427f69a" };

    /// Grants a lease in an aligned window, and takes permits back.
    /// [`WindowRequest`](super::WindowRequest) makes its arguments,
    /// [`WindowGrant`](super::WindowGrant) reads its reply, and
    /// [`WindowState::grant`](super::WindowState::grant) decides the same.
    pub const WINDOW: Self =
        Self { text: include_str!("window.lua"), sha1: "b929dc90a60f634827fcc7208651ac2ab90e6c47" };
}
