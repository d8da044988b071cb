use crate::record::Admission;

/// Reads the log of one process: a line `instant permits` for each batch, in any order.
///
/// A process that is killed can leave a last line without its end. What such a line says is not true, so it does not
/// count.
///
/// # Errors
///
/// The line that is none.
pub(crate) fn read(text: &str) -> Result<Vec<Admission>, String> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| admission(line).ok_or_else(|| line.to_owned())).collect()
}

fn admission(line: &str) -> Option<Admission> {
    let (at, permits) = line.split_once(' ')?;
    Some(Admission { at: at.parse().ok()?, permits: permits.parse().ok()? })
}
