//! The most frequent keys, in bounded memory.

/// Counts keys in [a table of 64](SIZE), by the space-saving algorithm of Metwally, Agrawal and El Abbadi.
///
/// A new key takes the place of the least frequent one, and its count with it. So a count may be too high,
/// but is never too low. A key with more than a 64th of all counts is certainly there.
#[derive(Debug)]
pub(crate) struct Top {
    /// The key and its count.
    entries: Vec<(u64, u64)>,
}

const SIZE: usize = 64;

impl Top {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(crate) fn count(&mut self, key: u64) {
        if let Some((_, count)) = self.entries.iter_mut().find(|(known, _)| *known == key) {
            *count += 1;
        } else if self.entries.len() < SIZE {
            self.entries.push((key, 1));
        } else if let Some(least) = self.entries.iter_mut().min_by_key(|(_, count)| *count) {
            *least = (key, least.1 + 1);
        }
    }

    /// The most frequent keys, at most so many.
    pub(crate) fn most(&self, count: usize) -> Vec<(u64, u64)> {
        let mut most = self.entries.clone();
        most.sort_by_key(|&(key, count)| (std::cmp::Reverse(count), key));
        most.truncate(count);
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_frequent_key_is_there_and_no_count_is_too_low() {
        let (mut top, mut exact) = (Top::new(), HashMap::<u64, u64>::new());
        let mut random = fastrand::Rng::with_seed(7);
        for i in 0..10_000 {
            // A fifth of all is one key, and the others are many.
            let key = if i % 5 == 0 { 1 } else { random.u64(..1_000) };
            top.count(key);
            *exact.entry(key).or_default() += 1;
        }
        let most = top.most(usize::MAX);
        assert_eq!(most.len(), SIZE);
        assert_eq!(most[0].0, 1);
        for (key, count) in &most {
            assert!(*count >= exact[key], "{key}");
        }
        assert_eq!(most.iter().map(|(_, count)| count).sum::<u64>(), 10_000);
        assert!(most.is_sorted_by_key(|(_, count)| std::cmp::Reverse(count)));
    }

    #[test]
    fn few_keys_are_counted_exactly() {
        let mut top = Top::new();
        for key in [3, 1, 3, 2, 3, 1] {
            top.count(key);
        }
        assert_eq!(top.most(2), [(3, 3), (1, 2)]);
    }
}
