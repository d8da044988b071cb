//! Bars for a terminal.

const WIDTH: u64 = 48;

/// How many columns `value` takes where `max` takes them all: at least one, unless it is zero.
fn columns(value: u64, max: u64) -> usize {
    let exact = (u128::from(value) * u128::from(WIDTH)).div_ceil(u128::from(max.max(1)));
    usize::try_from(exact).expect("at most WIDTH")
}

/// A bar for `value` where the longest bar is for `max`.
pub(crate) fn bar(value: u64, max: u64) -> String {
    "█".repeat(columns(value, max))
}

/// A bar of two parts for `full + hollow`.
pub(crate) fn split_bar(full: u64, hollow: u64, max: u64) -> String {
    let (inner, outer) = (columns(full, max), columns(full + hollow, max));
    // Where both are there, both are seen.
    let inner = if hollow > 0 { inner.min(outer.saturating_sub(1)) } else { inner };
    format!("{}{}", "█".repeat(inner), "░".repeat(outer - inner))
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
