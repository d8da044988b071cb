use super::{Name, text};
use casgate::Quota;
use http::HeaderValue;

/// When a policy's permits return.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use casgate_tower::fields::{Announced, Name, Refill, Standing};
///
/// let hourly = Announced::new(Name::new("hourly")?, Quota::per_hour(1_000)).refill(Refill::AtOnce);
/// let admitted = Limiter::fixed_window(Quota::per_hour(1_000)).check_at(Timestamp::from_secs(600))?;
/// assert_eq!(Standing::admitted(&hourly, &admitted).within(), 3_000); // the rest of the hour
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refill {
    /// One by one, as those of a token bucket do.
    #[default]
    Steadily,
    /// All together at the end of a window, as those of a fixed window do. Also for a sliding
    /// window.
    AtOnce,
}

/// The unit of a policy's permits.
///
/// ```
/// use casgate::{Limiter, Quota, Timestamp};
/// use casgate_tower::fields::{Announced, Fields, Name, Standing, Unit};
/// use http::HeaderMap;
///
/// let quota = Quota::per_day(1 << 30);
/// let upload = Announced::new(Name::new("upload")?, quota).unit(Unit::ContentBytes);
/// let admitted = Limiter::token_bucket(quota).check_n_at(5_000, Timestamp::ZERO)?;
/// let mut headers = HeaderMap::new();
/// Fields::DRAFT_11.write(&mut [Standing::admitted(&upload, &admitted)], &mut headers);
/// assert_eq!(headers["ratelimit-policy"], r#""upload";q=1073741824;w=86400;qu="content-bytes""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Requests, or what else a request may cost.
    #[default]
    Requests,
    /// Bytes of content.
    ContentBytes,
    /// Requests at the same time.
    ConcurrentRequests,
}

/// The name and the quota of a policy, as its clients see them.
///
/// The policy is written as `q` permits per `w` seconds. Both are whole numbers. So `w` is the
/// smallest multiple of the quota's period that is a whole number of seconds: 5 per 100 ms is
/// written as 50 per second. Where that would be more than a day, `w` is the period rounded up, and
/// `q` is rounded down.
///
/// ```
/// use casgate::Quota;
/// use casgate_tower::fields::{Announced, Name};
///
/// let announced = Announced::new(Name::new("default")?, Quota::per_minute(100));
/// assert_eq!(announced.name().as_str(), "default");
/// assert_eq!(announced.quota(), Quota::per_minute(100));
/// # Ok::<(), casgate_tower::fields::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    name: Name,
    quota: Quota,
    refill: Refill,
    unit: Unit,
    /// The item of the policy's field, which begins with the quoted name. Composed once.
    item: HeaderValue,
    quoted: usize,
}

pub(super) const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

impl Announced {
    /// Returns a policy whose permits return [steadily](Refill::Steadily) and stand for
    /// [requests](Unit::Requests). For a fixed or sliding window set
    /// [`refill`](Self::refill)`(Refill::AtOnce)`.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::fields::{Announced, Name};
    /// let announced = Announced::new(Name::new("burst")?, Quota::per_second(10).with_burst(20));
    /// assert_eq!(announced.quota().burst(), 20);
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn new(name: Name, quota: Quota) -> Self {
        Self::made(name, quota, Refill::Steadily, Unit::Requests)
    }

    /// Sets when the permits return.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::fields::{Announced, Name, Refill};
    /// let daily = Announced::new(Name::new("daily")?, Quota::per_day(5_000));
    /// assert_ne!(daily.clone().refill(Refill::AtOnce), daily);
    /// assert_eq!(daily.clone().refill(Refill::Steadily), daily);
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn refill(self, refill: Refill) -> Self {
        Self::made(self.name, self.quota, refill, self.unit)
    }

    /// Sets what the permits stand for.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::fields::{Announced, Name, Unit};
    /// let upload = Announced::new(Name::new("upload")?, Quota::per_day(1 << 30));
    /// assert_ne!(upload.clone().unit(Unit::ContentBytes), upload);
    /// assert_eq!(upload.clone().unit(Unit::Requests), upload);
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn unit(self, unit: Unit) -> Self {
        Self::made(self.name, self.quota, self.refill, unit)
    }

    /// Returns the same under another name.
    pub(crate) fn with_name(&self, name: Name) -> Self {
        Self::made(name, self.quota, self.refill, self.unit)
    }

    /// Returns the policy's name.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::fields::{Announced, Name};
    /// let announced = Announced::new(Name::new("daily")?, Quota::per_day(9));
    /// assert_eq!(announced.name().as_str(), "daily");
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Returns the policy's quota.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::fields::{Announced, Name};
    /// let announced = Announced::new(Name::new("daily")?, Quota::per_day(9));
    /// assert_eq!(announced.quota(), Quota::per_day(9));
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Returns the same policy with another quota, for a client of another tier.
    ///
    /// ```
    /// # use casgate::Quota;
    /// # use casgate_tower::fields::{Announced, Name};
    /// let free = Announced::new(Name::new("daily")?, Quota::per_day(9));
    /// let paid = free.with_quota(Quota::per_day(900));
    /// assert_eq!((paid.name(), paid.quota()), (free.name(), Quota::per_day(900)));
    /// # Ok::<(), casgate_tower::fields::NameError>(())
    /// ```
    #[must_use]
    pub fn with_quota(&self, quota: Quota) -> Self {
        Self::made(self.name.clone(), quota, self.refill, self.unit)
    }

    pub(super) fn returns(&self) -> Refill {
        self.refill
    }

    /// The item of the policy's field.
    pub(super) const fn item(&self) -> &HeaderValue {
        &self.item
    }

    /// The name as it begins the items of both fields.
    pub(super) fn quoted(&self) -> &[u8] {
        &self.item.as_bytes()[..self.quoted]
    }

    /// Composes what stands in the fields, so that no request has to.
    fn made(name: Name, quota: Quota, refill: Refill, unit: Unit) -> Self {
        let mut text = String::new();
        text::quoted(name.as_str(), &mut text).expect("a string takes any text");
        let quoted = text.len();
        let (permits, seconds) = whole_seconds(quota);
        text += &format!(";q={permits};w={seconds}");
        match unit {
            Unit::Requests => {}
            Unit::ContentBytes => text += ";qu=\"content-bytes\"",
            Unit::ConcurrentRequests => text += ";qu=\"concurrent-requests\"",
        }
        // Windows have no burst.
        if refill == Refill::Steadily && quota.burst() != quota.permits() {
            text += &format!(";casgate-burst={}", quota.burst());
        }
        let item = HeaderValue::try_from(text).expect("a name is printable ASCII");
        // The first clone of a value allocates what the others share.
        let item = item.clone();
        Self { name, quota, refill, unit, item, quoted }
    }
}

/// The quota as permits per whole seconds. Neither can pass 10¹⁵: no quota has more than 10⁹
/// permits a second, and a period that is not whole seconds is either multiplied to at most a day
/// or rounded up by less than a second.
fn whole_seconds(quota: Quota) -> (u64, u64) {
    let (permits, period) = (u64::from(quota.permits()), nanos(quota));
    // Nearly every quota. What follows would say the same.
    if period % SECOND == 0 {
        return (permits, period / SECOND);
    }
    let common = greatest_common_divisor(period, SECOND);
    let (times, seconds) = (SECOND / common, period / common);
    if seconds <= DAY {
        return (permits * times, seconds);
    }
    let seconds = period.div_ceil(SECOND);
    let permits = u128::from(permits) * u128::from(seconds) * u128::from(SECOND);
    ((permits / u128::from(period)) as u64, seconds)
}

/// The period in nanoseconds, of which a quota has at most 2⁶¹.
pub(super) fn nanos(quota: Quota) -> u64 {
    quota.period().as_nanos() as u64
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
