//! Clocks that a thread reads for all others: ours and the peers', each for the whole run.

use casgate::Timestamp;
use casgate::clock::{CachedClock, Clock, SystemClock};
use governor::clock::QuantaUpkeepClock;
use rate_net::CoarseClock;
use std::sync::LazyLock;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(1);

pub(crate) static UPKEEP: LazyLock<QuantaUpkeepClock> =
    LazyLock::new(|| QuantaUpkeepClock::from_interval(TICK).expect("no other upkeep"));

pub(crate) static COARSE: LazyLock<CoarseClock> =
    LazyLock::new(|| CoarseClock::spawn(TICK).expect("a thread"));

static CLOCK: LazyLock<CachedClock> = LazyLock::new(|| {
    let clock = CachedClock::new(SystemClock);
    clock.tick();
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(TICK);
            CLOCK.tick();
        }
    });
    clock
});

/// A cached clock.
#[derive(Clone, Copy)]
pub(crate) struct Ticking(&'static CachedClock);

impl Ticking {
    pub(crate) fn start() -> Self {
        Self(&CLOCK)
    }
}

impl Clock for Ticking {
    #[inline]
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
