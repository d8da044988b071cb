//! What is asked for, without a fault.

use crate::row::{Row, millis};

pub(crate) fn rows() -> Vec<Row> {
    vec![uneven(), equal(), step(), tight_burst(), rare(), hot(), nearly_all()]
}

fn uneven() -> Row {
    Row::new("demands differ", "the bound")
}

pub(crate) fn equal() -> Row {
    Row::new("demands are equal", "fairness: Jain's index")
        .demands(&["1000", "1000", "1000", "1000"])
        .expect(|expected| expected.is_fair = true)
}

/// The workers hold leases for the demand that there was, and the server's burst is whole.
pub(crate) fn step() -> Row {
    Row::new("the demand steps up", "wrong workers: merged leases, returns, longer leases")
        .terms(1_000, 400, millis(100))
        .demands(&["150@1500,4000", "150@1500,4000", "150@1500,4000", "150@1500,4000"])
        .fault(|stage| {
            stage.until(1_500);
            stage.fault(|_| {});
        })
}

/// Little more than what is leased in a lifetime. So the leases and the server's burst are all that there is.
pub(crate) fn tight_burst() -> Row {
    Row::new("a tight burst", "wrong workers: B in place of B − r·E")
        .terms(1_000, 250, millis(200))
        .demands(&["150@1500,3000", "150@1500,3000", "150@1500,3000", "150@1500,3000"])
        .lasts(2_500)
        .expect(|expected| expected.is_live = false)
}

/// Workers that ask less than once in a lifetime are admitted, as the fleet has permits.
fn rare() -> Row {
    Row::new("rare demand is served", "FleetLimiter: without a lease, a decision waits for one")
        .demands(&["150", "6", "5", "4"])
        .expect(|expected| (expected.is_live, expected.is_served) = (false, true))
}

/// One worker has the rate by itself, though others are there. By then they ask for no more than they spend.
fn hot() -> Row {
    Row::new("one worker among idle ones", "a lease has at most max(B'/n, r·E/2)")
        .demands(&["2000", "2", "2", "2", "2"])
        .lasts(5_000)
        .fault(|stage| {
            stage.until(2_500);
            stage.fault(|_| {});
        })
}

/// Workers that spend a permit now and then leave the others what they don't need.
fn nearly_all() -> Row {
    Row::new("idle workers leave the rest", "a process leases about twice what it spends")
        .demands(&["300", "3", "3", "3", "3"])
        .lasts(5_000)
        .expect(|expected| (expected.is_live, expected.is_served) = (false, true))
}
