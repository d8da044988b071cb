//! What happened in one execution, and in which real-time order.
//!
//! The bookkeeping uses the standard library's types, which the model checker does not see: it
//! adds no interleaving.

use casgate::{Admitted, Denied, Timestamp};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A finished call. Call a came before call b if `a.returned < b.invoked`.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which thread called.
    pub caller: usize,
    /// Permits asked for.
    pub n: u32,
    /// The reading it carried.
    pub now: Timestamp,
    /// When it was invoked, in steps of the history.
    pub invoked: usize,
    /// When it returned.
    pub returned: usize,
    /// What it was told.
    pub outcome: Result<Admitted, Denied>,
}

/// The calls of one execution.
#[derive(Debug, Default)]
pub struct History {
    steps: AtomicUsize,
    calls: Mutex<Vec<Call>>,
}

impl History {
    /// Makes a call and records it.
    ///
    /// # Panics
    ///
    /// If another caller panicked while it recorded.
    pub fn record(
        &self,
        caller: usize,
        n: u32,
        now: Timestamp,
        call: impl FnOnce() -> Result<Admitted, Denied>,
    ) {
        let invoked = self.steps.fetch_add(1, Ordering::SeqCst);
        let outcome = call();
        let returned = self.steps.fetch_add(1, Ordering::SeqCst);
        let call = Call { caller, n, now, invoked, returned, outcome };
        self.calls.lock().expect("no recorder panics").push(call);
    }

    /// The calls, in the order of their invocation.
    ///
    /// # Panics
    ///
    /// If a caller panicked while it recorded.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = self.calls.lock().expect("no recorder panics").clone();
        calls.sort_by_key(|call| call.invoked);
        calls
    }

    /// The permits admitted with readings in `from <= now < to`.
    #[must_use]
    pub fn admitted(&self, from: Timestamp, to: Timestamp) -> u32 {
        let within = |call: &Call| call.outcome.is_ok() && from <= call.now && call.now < to;
        self.calls().iter().filter(|call| within(call)).map(|call| call.n).sum()
    }

    /// Tickets are unique and agree with the real-time order of the calls.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn assert_tickets_in_order(&self) {
        let calls = self.calls();
        let tickets: Vec<(&Call, u64)> = calls
            .iter()
            .filter_map(|call| Some((call, call.outcome.as_ref().ok()?.ticket())))
            .collect();
        for (i, (a, ticket_a)) in tickets.iter().enumerate() {
            for (b, ticket_b) in &tickets[i + 1..] {
                assert!(ticket_a != ticket_b, "tickets: one was handed out twice\n{self}");
                if a.returned < b.invoked {
                    assert!(ticket_a < ticket_b, "tickets: against the order of time\n{self}");
                }
            }
        }
    }

    /// At one instant and without a reset, nobody is admitted one permit who asked after somebody
    /// was refused one.
    ///
    /// # Panics
    ///
    /// If somebody was.
    pub fn assert_denials_final(&self) {
        let calls = self.calls();
        for denied in calls.iter().filter(|call| call.outcome.is_err()) {
            let late = calls.iter().find(|call| {
                call.outcome.is_ok() && call.now == denied.now && denied.returned < call.invoked
            });
            assert!(late.is_none(), "denials: one was not final\n{self}");
        }
    }
}

/// A line a call, with a bar from its invocation to its return.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.steps.load(Ordering::SeqCst);
        for call in self.calls() {
            let bar: String = (0..width)
                .map(|step| match step {
                    step if step == call.invoked => '[',
                    step if step == call.returned => ']',
                    step if call.invoked < step && step < call.returned => '-',
                    _ => ' ',
                })
                .collect();
            let outcome = match call.outcome {
                Ok(admitted) => format!("admitted, ticket {}", admitted.ticket()),
                Err(_) => "denied".to_owned(),
            };
            let now = call.now.as_nanos();
            writeln!(f, "  caller {} |{bar}| {} at {now}: {outcome}", call.caller, call.n)?;
        }
        Ok(())
    }
}
