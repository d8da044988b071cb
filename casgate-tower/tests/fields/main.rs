//! Header fields: what is written, what is read, and that they agree.

mod grpc;
mod oracle;
mod problem;
mod reading;
mod retry_after;
mod rows;
mod scene;
mod writing;
