/// Requests that found too few permits: the smallest of them, and the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) least: u32,
    pub(crate) most: u32,
}

/// Both notes in one.
pub(crate) fn merge(a: Option<Wanted>, b: Option<Wanted>) -> Option<Wanted> {
    match (a, b) {
        (Some(a), Some(b)) => {
            Some(Wanted { least: a.least.min(b.least), most: a.most.max(b.most) })
        }
        (one, other) => one.or(other),
    }
}
