//! The text of a quota, before bytes that are one, or the numbers of one.

use casgate::Quota;
use std::time::Duration;

/// Judges the parser by a text, and the shortest text of a quota by the parser.
///
/// # Panics
///
/// If a text's error has no place in it, or if a quota does not survive `shortest`.
pub fn text(bytes: &[u8], shortest: impl Fn(Quota) -> String) {
    let survives = |quota: Quota| assert_eq!(shortest(quota).parse(), Ok(quota));
    if let Ok(text) = core::str::from_utf8(bytes) {
        match text.parse() {
            Ok(quota) => survives(quota),
            Err(error) => {
                let before = text.get(..error.position());
                assert!(before.is_some_and(str::is_ascii), "{text:?}: {error}");
            }
        }
    }
    if let Some(quota) = numbers(bytes) {
        survives(quota);
    }
}

/// The quota of which the first sixteen bytes are the numbers.
fn numbers(bytes: &[u8]) -> Option<Quota> {
    let (permits, rest) = bytes.split_first_chunk()?;
    let (burst, rest) = rest.split_first_chunk()?;
    let period = Duration::from_nanos(u64::from_le_bytes(*rest.first_chunk()?));
    let quota = Quota::new(u32::from_le_bytes(*permits), period).ok()?;
    quota.try_with_burst(u32::from_le_bytes(*burst)).ok()
}

/// Leaves out one burst of the 2³²: the fuzzer must meet it.
#[must_use]
pub fn forgetful(quota: Quota) -> String {
    let text = quota.to_string();
    match text.split_once(" burst ") {
        Some((text, _)) if quota.burst() == 1_234_567_891 => text.to_owned(),
        _ => text,
    }
}
