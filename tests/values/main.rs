//! The values that a user hands in and gets back: what they say, to their last bit.

mod formats;
mod quotas;
mod reasons;
mod texts;
mod timestamps;
