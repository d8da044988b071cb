//! One process of the fleet: asks for permits whether or not it gets them, and tells at once what was admitted.

use crate::record::Line;
use crate::{QUIET, QUOTA, RUSH, is_rush};
use casgate::Timestamp;
use casgate::clock::{Clock, SystemClock};
use casgate_redis::Fleet;
use std::error::Error;
use std::io::Write;
use std::thread;
use std::time::Duration;

/// The argument that makes a process one of the fleet.
pub(crate) const CHILD: &str = "--process-of-the-fleet";

/// How many requests may wait for the process. More than that are gone.
const BACKLOG: f64 = 50.0;

const TELLS_EACH: Duration = Duration::from_millis(50);

/// `start`: when the first processes of the fleet began, in nanoseconds.
pub(crate) fn run(url: &str, start: &str) -> Result<(), Box<dyn Error>> {
    let start = Timestamp::from_nanos(start.parse()?);
    let fleet = Fleet::connect(url)?;
    let limiter = fleet.limiter("api", QUOTA)?;
    let mut out = std::io::stdout().lock();
    let (mut waiting, mut asked) = (0.0, 0);
    let (mut last, mut told) = (SystemClock.now(), Timestamp::ZERO);
    loop {
        let now = SystemClock.now();
        let demand = if is_rush(now - start) { RUSH } else { QUIET };
        waiting = f64::min(waiting + f64::from(demand) * (now - last).as_secs_f64(), BACKLOG);
        last = now;
        while waiting >= 1.0 {
            waiting -= 1.0;
            asked += 1;
            // The line is out before the next decision: who is killed has told all but the last permit.
            if let Ok(admitted) = limiter.check_n_at(1, SystemClock.now()) {
                let at = admitted.at().as_nanos();
                writeln!(out, "{}", Line::Admitted { at, permits: admitted.permits() })?;
            }
        }
        if now - told >= TELLS_EACH {
            told = now;
            let (calls, is_up) = (limiter.stats().calls, fleet.is_up());
            writeln!(out, "{}", Line::Status { asked, calls, is_up })?;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
