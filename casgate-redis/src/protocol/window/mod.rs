//! Leases in aligned windows, for calendar quotas.

mod grant;
mod quota;
mod request;
mod state;

pub use grant::WindowGrant;
pub use quota::{WindowQuota, WindowQuotaError};
pub use request::{Returned, WindowRequest};
pub use state::WindowState;
