use super::{FIELDS, Rule, RuleParts, share};
use super::{Outstanding, Term};
use crate::decision::{Admitted, Denied, Snapshot};
use crate::word::{Split, Word};
use crate::{Quota, Timestamp};
use core::fmt::DebugStruct;
use core::num::NonZeroU64;
use core::time::Duration;

/// At most a quota's permits in each window of its period: the algorithm, without the shared word.
///
/// Call the quota's [permits](Quota::permits) L and its [period](Quota::period) W. Window k is k·W
/// ≤ t < (k+1)·W, counted from the clock's origin. For the default clock on Linux the origin is
/// boot, so its windows begin at any time of day. On a [`UtcClock`](crate::clock::UtcClock) they
/// are those of the calendar. Each window admits at most L permits. An interval of length W admits
/// at most 2L: L at the end of one window and L at the start of the next. Where that matters,
/// choose another algorithm.
///
/// A request is denied only if its window has too few permits left, or if its timestamp is from a
/// window before the newest one. That is the latest window that a request, a debt or a
/// [`deny_until`](crate::Limiter::deny_until) has reached. The spent permits of older windows are
/// no longer known. A late timestamp in the newest window is not denied for being late. Every
/// timestamp of the clock's first 292 years is in [range](Split#the-index-never-wraps). Later ones
/// can be denied.
///
/// The state is a [`Word`]: the newest window and the permits spent in it.
///
/// Most callers want [`Limiter::fixed_window`](crate::Limiter::fixed_window), which keeps the word
/// and is safe to share. This type is for callers that keep the word elsewhere:
///
/// ```
/// use casgate::algorithm::{FixedWindow, Rule};
/// use casgate::word::Word;
/// use casgate::{Quota, Timestamp};
///
/// let rule = FixedWindow::new(Quota::per_second(2));
/// let mut word = Word::default();
/// let mut ask = |now| match rule.decide(word, 1, now) {
///     Some(next) => { word = next; true }
///     None => false,
/// };
/// let now = Timestamp::ZERO;
/// assert!(ask(now) && ask(now) && !ask(now));
/// assert!(ask(Timestamp::from_secs(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedWindow {
    period: NonZeroU64,
    limit: u32,
    split: Split,
}

impl FixedWindow {
    /// Returns the algorithm that keeps `quota`.
    ///
    /// ```
    /// use casgate::{Quota, algorithm::FixedWindow};
    /// const RULE: FixedWindow = FixedWindow::new(Quota::per_minute(600));
    /// ```
    #[must_use]
    pub const fn new(quota: Quota) -> Self {
        let limit = quota.permits();
        Self { period: quota.period_nanos(), limit, split: Split::for_limit(limit) }
    }

    /// Returns where the fields of this algorithm's words lie.
    ///
    /// ```
    /// use casgate::{Quota, algorithm::FixedWindow, word::Split};
    /// let rule = FixedWindow::new(Quota::per_second(100));
    /// assert_eq!(rule.split(), Split::for_limit(100));
    /// ```
    #[must_use]
    pub const fn split(&self) -> Split {
        self.split
    }

    /// The length of a window, in nanoseconds.
    #[cfg(feature = "std")]
    pub(super) const fn period(&self) -> NonZeroU64 {
        self.period
    }

    #[cfg(feature = "std")]
    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }

    /// The rule as words; see [`of_fields`](Self::of_fields).
    pub(crate) const fn fields(&self) -> [u64; FIELDS] {
        [self.period.get(), self.limit as u64, 0, 0, 0]
    }

    /// The rule of which these are the [fields](Self::fields).
    #[inline]
    pub(crate) const fn of_fields([period, limit, ..]: [u64; FIELDS]) -> Self {
        let period = match NonZeroU64::new(period) {
            Some(period) => period,
            None => NonZeroU64::MIN, // never written
        };
        Self { period, limit: limit as u32, split: Split::for_limit(limit as u32) }
    }

    /// The word of `to` that has as much spent at `now` as `word` has, up to its limit.
    pub(crate) fn carry(&self, word: Word, to: &Self, now: Timestamp) -> Word {
        let spent = match self.place(word, now) {
            Place::Later if self.window(now) <= self.split.max_index() => 0,
            // Out of range, where nothing is left.
            Place::Later => self.limit.min(to.limit),
            Place::Current | Place::Earlier => self.split.count(word).min(to.limit),
        };
        // A timestamp older than the word's window counts as its beginning.
        let now = now.max(Timestamp::from_nanos(self.start(word)));
        match to.open(now) {
            Some(opened) => opened.plus(spent),
            None => to.split.pack(to.split.max_index(), to.limit),
        }
    }

    /// The permits left in the word's window.
    #[inline]
    const fn left(&self, word: Word) -> u32 {
        // A word of another limit may have more spent.
        self.limit.saturating_sub(self.split.count(word))
    }

    /// Where `now` lies, seen from the word's window. No division: the word's window is nearly
    /// always the current one.
    #[inline]
    const fn place(&self, word: Word, now: Timestamp) -> Place {
        match now.as_nanos().checked_sub(self.start(word)) {
            Some(elapsed) if elapsed < self.period.get() => Place::Current,
            Some(_) => Place::Later,
            None => Place::Earlier,
        }
    }

    /// The index of the window in which `now` lies.
    #[inline]
    const fn window(&self, now: Timestamp) -> u64 {
        now.as_nanos() / self.period.get()
    }

    /// The window of `now`, nothing spent; `None` past the last window that the word can represent.
    /// Inline although rare: a call here would cost every decision the saving of its registers.
    #[inline]
    const fn open(&self, now: Timestamp) -> Option<Word> {
        let index = self.window(now);
        if index <= self.split.max_index() { Some(self.split.pack(index, 0)) } else { None }
    }

    /// That window with `count` permits spent; or the last one that the clock and the word can
    /// represent, all spent, if it is later than that.
    const fn at_latest(&self, index: u64, count: u32) -> Word {
        let (of_clock, of_word) = (u64::MAX / self.period.get(), self.split.max_index());
        let last = if of_clock < of_word { of_clock } else { of_word };
        if index <= last {
            self.split.pack(index, count)
        } else {
            self.split.pack(last, self.limit)
        }
    }

    /// When the limiter is full with no other traffic: at the start of the word's window if nothing
    /// is spent in it, else at its end.
    #[inline]
    const fn full_at(&self, word: Word) -> u64 {
        if self.split.count(word) == 0 {
            return self.start(word);
        }
        match self.end(word) {
            Some(end) => end,
            None => u64::MAX,
        }
    }

    /// When the word's window begins.
    #[inline]
    const fn start(&self, word: Word) -> u64 {
        // Saturates only for a word of another period.
        self.split.index(word).saturating_mul(self.period.get())
    }

    /// When the next window begins; `None` past the last that the clock or the word can represent.
    #[inline]
    const fn end(&self, word: Word) -> Option<u64> {
        if self.split.index(word) == self.split.max_index() {
            return None;
        }
        self.start(word).checked_add(self.period.get())
    }
}

impl Rule for FixedWindow {
    #[inline]
    fn decide(&self, word: Word, n: u32, now: Timestamp) -> Option<Word> {
        let current = match self.place(word, now) {
            Place::Current => word,
            Place::Later => self.open(now)?,
            Place::Earlier => return None,
        };
        (n <= self.left(current)).then(|| current.plus(n))
    }

    #[inline]
    fn denied(&self, word: Word, n: u32, now: Timestamp) -> Denied {
        let wait = if n > self.limit {
            None
        } else {
            // The word's own window if the timestamp is older and the request fits, else the next.
            let fits = n <= self.left(word);
            let due = if fits { Some(self.start(word)) } else { self.end(word) };
            due.and_then(|due| NonZeroU64::new(due.saturating_sub(now.as_nanos())))
        };
        Denied { wait, now: self.snapshot(word, now), asked: n, by: 0 }
    }

    #[inline]
    fn snapshot(&self, word: Word, now: Timestamp) -> Snapshot {
        let remaining = match self.place(word, now) {
            Place::Current => self.left(word),
            Place::Later if self.window(now) <= self.split.max_index() => self.limit,
            Place::Later | Place::Earlier => 0,
        };
        let reset_after = self.full_at(word).saturating_sub(now.as_nanos());
        Snapshot { limit: self.limit, remaining, reset_after }
    }

    /// To the window that the word is in, whenever the permits were spent.
    #[inline]
    fn refund(&self, word: Word, n: u32) -> Word {
        self.split.pack(self.split.index(word), self.split.count(word).saturating_sub(n))
    }

    /// To the window in which the permits were spent, if it is still the word's.
    fn refund_of(&self, word: Word, admitted: &Admitted) -> Word {
        match self.place(word, admitted.at) {
            Place::Current => self.refund(word, admitted.permits),
            Place::Earlier | Place::Later => word,
        }
    }

    /// What does not fit in the window is spent in the next ones.
    fn charge(&self, word: Word, n: u32, now: Timestamp) -> Word {
        if n == 0 {
            return word;
        }
        let current = match self.place(word, now) {
            Place::Current | Place::Earlier => word,
            Place::Later => {
                self.open(now).unwrap_or(word.max(self.split.pack(self.split.max_index(), 0)))
            }
        };
        let limit = u64::from(self.limit);
        let spent = u64::from(self.split.count(current)) + u64::from(n);
        // At least 1, so the last permit is in this window or in a later one.
        let (later, count) = ((spent - 1) / limit, (spent - 1) % limit + 1);
        let charged = self.at_latest(self.split.index(current).saturating_add(later), count as u32);
        // A word that another rule made may be past the last window.
        charged.max(word)
    }

    fn deny_until(&self, word: Word, until: Timestamp) -> Word {
        word.max(self.at_latest(until.as_nanos().div_ceil(self.period.get()), 0))
    }
}

impl RuleParts for FixedWindow {
    #[inline]
    fn is_late(&self, word: Word, now: Timestamp) -> bool {
        matches!(self.place(word, now), Place::Earlier)
    }

    #[inline]
    fn is_due_within(&self, word: Word, n: u32, now: Timestamp, lag: Duration) -> bool {
        self.denied(word, n, now).is_within(lag)
    }

    fn first_fit(&self, word: Word, ahead: u64, n: u32, now: Timestamp) -> Option<Timestamp> {
        if n > self.limit {
            return None;
        }
        let current = match self.place(word, now) {
            Place::Current | Place::Earlier => word,
            Place::Later => self.open(now)?,
        };
        let left = u64::from(self.left(current));
        let wanting = ahead.saturating_add(u64::from(n)).saturating_sub(left);
        let later = wanting.div_ceil(u64::from(self.limit));
        let index = self.split.index(current).checked_add(later)?;
        if index > self.split.max_index() {
            return None;
        }
        let start = index.checked_mul(self.period.get())?;
        Some(now.max(Timestamp::from_nanos(start)))
    }

    fn with_first_fit(&self, word: Word, n: u32, now: Timestamp) -> Option<(Word, Timestamp)> {
        let at = RuleParts::first_fit(self, word, 0, n, now)?;
        self.decide(word, n, at).map(|taken| (taken, at))
    }

    fn lease(&self, word: Word, most: u32, now: Timestamp) -> Option<Term> {
        let first = Rule::decide(self, word, 1, now)?;
        // Of what was left before that one.
        let permits = share(self.left(first) + 1, most);
        let taken = first.plus(permits - 1);
        // From the beginning of the window to its end.
        let span = self.period.get() - 1;
        Some(Term { permits, from: self.start(taken), span, taken })
    }

    fn end_lease(&self, word: Word, taken: Word, n: u32) -> Option<Word> {
        let same_window = self.split.index(word) == self.split.index(taken);
        same_window.then(|| self.refund(word, n))
    }

    /// To the window of `now`; a debt to the window in which it is repaid, of which nothing is then
    /// left.
    fn restore(&self, word: Word, part: Outstanding, now: Timestamp) -> Word {
        if part.full_after <= self.period.get() {
            return self.charge(word, part.permits, now);
        }
        let last = now + Duration::from_nanos(part.full_after - 1);
        self.at_latest(self.window(last), self.limit).max(word)
    }

    fn describe(&self, word: Word, out: &mut DebugStruct<'_, '_>) {
        out.field("limit", &self.limit)
            .field("period", &Duration::from_nanos(self.period.get()))
            .field("window", &self.split.index(word))
            .field("count", &self.split.count(word));
    }
}

/// Where a timestamp lies, seen from a word's window.
enum Place {
    Earlier,
    Current,
    Later,
}
