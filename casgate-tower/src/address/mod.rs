//! Which client a request comes from.
