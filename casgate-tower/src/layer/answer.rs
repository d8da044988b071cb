//! The answer to a request that is denied.

use super::passage::Passage;
use super::shared::Shared;
use crate::fields::{self, PROBLEM_JSON, ProblemType, Standing};
use crate::observe::Observer;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use std::ops::Deref;

/// Of all answers of the layer: those to gRPC are a 200, which a cache may store otherwise.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Makes the answer.
pub(super) type OnDenied = dyn Fn(&Denial<'_>) -> Response<Bytes> + Send + Sync;

/// A request that is denied, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Denial<'a> {
    request: &'a Parts,
    standings: &'a [Standing<'a>],
}

impl<'a> Denial<'a> {
    /// Returns the head of the request.
    #[must_use]
    pub const fn request(&self) -> &'a Parts {
        self.request
    }

    /// Returns the policies that deny, with their numbers.
    #[must_use]
    pub const fn standings(&self) -> &'a [Standing<'a>] {
        self.standings
    }

    /// Returns how many seconds to wait: what `Retry-After` says. `None` if no wait helps, or none
    /// is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        fields::retry_after(self.standings)
    }
}

/// Answers a request that the policies deny.
#[cold]
pub(super) fn denied<P, O>(passage: &Passage<P, O>, request: &Parts) -> Response<Bytes>
where
    P: Deref<Target = Shared<O>>,
    O: Observer,
{
    let mut standings = passage.standings();
    let shared = passage.shared();
    let denial = Denial { request, standings: &standings };
    let is_unavailable = passage.is_unavailable();
    let mut response = if let Some(answer) = &shared.on_denied {
        answer(&denial)
    } else if fields::is_grpc(&request.headers) {
        let mut response = Response::new(Bytes::new());
        let write = if is_unavailable { fields::grpc_unavailable } else { fields::grpc_denial };
        write(&standings, &request.headers, response.headers_mut());
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
        response
    } else {
        let reduced = ProblemType::TemporaryReducedCapacity;
        let problem = if is_unavailable { reduced } else { shared.problem };
        let mut response = Response::new(problem.body(&standings).into());
        *response.status_mut() = problem.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        headers.insert(CACHE_CONTROL, NO_STORE);
        response
    };
    fields::write_retry_after(&standings, response.headers_mut());
    shared.denied.write(&mut standings, response.headers_mut());
    response
}

/// Answers a request without a key. The client learns nothing about it: it is the server's mistake.
#[cold]
pub(super) fn no_key(status: StatusCode, request: &Parts) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    if fields::is_grpc(&request.headers) {
        fields::grpc_internal(&request.headers, response.headers_mut());
    } else {
        *response.status_mut() = status;
    }
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}
