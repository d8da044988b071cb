use super::write::insert;
use super::{Standing, retry_after, text};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// `RESOURCE_EXHAUSTED`.
const EXHAUSTED: Status = Status { code: 8, says: "rate limit exceeded" };
const UNAVAILABLE: Status = Status { code: 14, says: "rate limit unavailable" };
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// Returns whether a request is one of gRPC, by its `Content-Type`.
///
/// That of gRPC-Web counts as well, also in text form. Its clients look for the status of a
/// response without a body in the header fields, as those of gRPC do.
///
/// ```
/// use casgate_tower::fields::is_grpc;
/// use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
///
/// let mut headers = HeaderMap::new();
/// assert!(!is_grpc(&headers));
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
/// assert!(is_grpc(&headers));
/// ```
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| after_grpc(value.as_bytes()).is_some())
}

/// What follows the media type `application/grpc` and its variants for the Web.
fn after_grpc(value: &[u8]) -> Option<&[u8]> {
    let after = |value: &'_ [u8], prefix: &str| {
        let (start, _) = value.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix.as_bytes()).then_some(prefix.len())
    };
    let mut rest = &value[after(value, "application/grpc")?..];
    for suffix in ["-web", "-text"] {
        match after(rest, suffix) {
            Some(length) => rest = &rest[length..],
            None => break,
        }
    }
    matches!(rest.first(), None | Some(b'+' | b';' | b' ' | b'\t')).then_some(rest)
}

/// Writes the fields of a gRPC response that denies, without a body and trailers. The status of
/// HTTP is 200.
///
/// - `Content-Type` is that of the request without parameters, or `application/grpc` if that is
///   none of gRPC.
/// - `grpc-status` is 8, `RESOURCE_EXHAUSTED`.
/// - `grpc-message` says how long to wait, if that is known.
/// - `grpc-status-details-bin` has a `google.rpc.RetryInfo` with the same wait. It is absent if no
///   wait helps, or none is known.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use casgate_tower::fields::{self, Announced, Name, Standing};
/// use http::HeaderMap;
///
/// let limiter = Limiter::token_bucket(Quota::per_minute(20));
/// let announced = Announced::new(Name::new("default")?, Quota::per_minute(20));
/// assert!(limiter.check_n_at(20, Timestamp::ZERO).is_ok());
/// let denied = limiter.check_at(Timestamp::ZERO).unwrap_err();
///
/// let (request, mut response) = (HeaderMap::new(), HeaderMap::new());
/// fields::grpc_denial(&[Standing::denied(&announced, &denied)], &request, &mut response);
/// assert_eq!(response["grpc-status"], "8");
/// assert_eq!(response["grpc-message"], "rate limit exceeded; retry in 3 s");
/// # Ok::<(), casgate_tower::fields::NameError>(())
/// ```
pub fn grpc_denial(standings: &[Standing<'_>], request: &HeaderMap, response: &mut HeaderMap) {
    write(EXHAUSTED, standings, request, response);
}

/// Writes the same as [`grpc_denial`], with the status 14, `UNAVAILABLE`: the limit could not be
/// asked, so it is unknown whether it is exceeded.
///
/// ```
/// use casgate_tower::fields;
/// use http::HeaderMap;
/// let (request, mut response) = (HeaderMap::new(), HeaderMap::new());
/// fields::grpc_unavailable(&[], &request, &mut response);
/// assert_eq!(response["grpc-status"], "14");
/// assert_eq!(response["grpc-message"], "rate limit unavailable");
/// ```
pub fn grpc_unavailable(standings: &[Standing<'_>], request: &HeaderMap, response: &mut HeaderMap) {
    write(UNAVAILABLE, standings, request, response);
}

/// Writes the status 13, `INTERNAL`, and nothing else that a client could learn from.
pub(crate) fn grpc_internal(request: &HeaderMap, response: &mut HeaderMap) {
    insert(response, CONTENT_TYPE, Some(content_type(request)));
    insert(response, STATUS, Some(const { HeaderValue::from_static("13") }));
}

struct Status {
    /// Below 128, so it is one byte in protobuf.
    code: u8,
    says: &'static str,
}

fn write(
    Status { code, says }: Status,
    standings: &[Standing<'_>],
    request: &HeaderMap,
    response: &mut HeaderMap,
) {
    let never = standings.iter().any(Standing::never_fits);
    let wait = retry_after(standings);
    insert(response, CONTENT_TYPE, Some(content_type(request)));
    insert(response, STATUS, Some(HeaderValue::from(u16::from(code))));
    // No character of these texts needs the percent encoding of the field.
    let message = match wait {
        Some(wait) => {
            let message = format!("{says}; retry in {wait} s");
            insert(response, DETAILS, details(code, &message, wait));
            HeaderValue::try_from(message).ok()
        }
        None if never => HeaderValue::try_from(format!("{says}; the request can never fit")).ok(),
        None => Some(HeaderValue::from_static(says)),
    };
    insert(response, MESSAGE, message);
}

/// The request's media type without its parameters, if it is one of gRPC.
fn content_type(request: &HeaderMap) -> HeaderValue {
    let same = || {
        let value = request.get(CONTENT_TYPE)?.as_bytes();
        let media_type = value.split(|byte| b"; \t".contains(byte)).next()?;
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
        let rest = after_grpc(media_type)?;
        if rest.iter().all(plain) { HeaderValue::from_bytes(media_type).ok() } else { None }
    };
    same().unwrap_or(const { HeaderValue::from_static("application/grpc") })
}

/// A `google.rpc.Status` with one `RetryInfo`, in base64 without padding.
fn details(code: u8, message: &str, wait: u64) -> Option<HeaderValue> {
    // The numbers of the fields are those of google/rpc/status.proto, google/rpc/error_details.proto,
    // google/protobuf/any.proto and google/protobuf/duration.proto.
    let mut delay = vec![0x08]; // seconds
    varint(wait, &mut delay);
    let mut retry_info = Vec::new();
    bytes(1, &delay, &mut retry_info); // retry_delay
    let mut any = Vec::new();
    bytes(1, RETRY_INFO.as_bytes(), &mut any); // type_url
    bytes(2, &retry_info, &mut any); // value
    let mut status = vec![0x08, code];
    bytes(2, message.as_bytes(), &mut status); // message
    bytes(3, &any, &mut status); // details
    text::value(|out| base64(&status, out))
}

/// A field of protobuf with a length.
fn bytes(field: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// [RFC 4648](https://www.rfc-editor.org/rfc/rfc4648), section 4, without padding.
fn base64(bytes: &[u8], out: &mut dyn std::fmt::Write) -> std::fmt::Result {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let byte = |index| u32::from(*chunk.get(index).unwrap_or(&0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=chunk.len() {
            let index = bits >> (18 - 6 * digit) & 63;
            out.write_char(char::from(DIGITS[index as usize]))?;
        }
    }
    Ok(())
}
