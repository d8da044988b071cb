//! Where requests go.

use axum::http::Uri;
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use std::fmt;
use std::str::FromStr;

/// The server behind the gateway, and the path at which it begins.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    authority: Authority,
    /// Without a `/` at its end.
    base: String,
}

impl Upstream {
    /// The same path and query at the upstream. `None` if the request asks for none, as `CONNECT` and `OPTIONS *` do.
    pub(crate) fn at(&self, asked: &Uri) -> Option<Uri> {
        let path = asked.path_and_query().map(PathAndQuery::as_str);
        let path = path.filter(|path| path.starts_with('/'))?;
        format!("http://{}{}{path}", self.authority, self.base).parse().ok()
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err("it begins with http://".into());
        }
        if uri.query().is_some() {
            return Err("it has no query".into());
        }
        let authority = uri.authority().ok_or("it names no host")?.clone();
        if authority.as_str().contains('@') {
            return Err("it has no user and password".into());
        }
        Ok(Self { authority, base: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.base)
    }
}
