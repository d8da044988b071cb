//! The protocol.

mod grant;
mod interval;
mod lease;
mod leases;
mod quota;
mod reply_error;
mod request;
mod script;
mod server_time;
mod state;
mod window;

pub use grant::Grant;
pub use lease::Lease;
pub use leases::Leases;
pub use quota::{LeaseQuota, LeaseQuotaError, StateLoss};
pub use reply_error::ReplyError;
pub use request::Request;
pub use script::Script;
pub use server_time::ServerTime;
pub use state::State;
pub use window::{
    Returned, WindowGrant, WindowQuota, WindowQuotaError, WindowRequest, WindowState,
};

/// The largest whole number up to which a double tells all from their neighbours, less one.
const MOST: u64 = (1 << 53) - 1;
