//! What a step does to a state.

use crate::action::Action;
use crate::holder::{Call, Carried, Holder, Part, Request};
use crate::model::{Now, World};
use crate::server::Ahead;
use crate::wrong::Wrong;
use casgate::Timestamp;
use casgate_redis::protocol::{self, Grant, Lease, ServerTime, State, StateLoss};

/// Now, by the server's clock: a boundary of epochs of every length that the runs have.
const NOW: u64 = 1_200_000;

/// Now, by the clock of the holders.
const HERE: Timestamp = Timestamp::from_micros(5_000);

impl World {
    pub(crate) fn step(&self, now: &mut Now, action: Action) {
        let run = &self.run;
        match action {
            Action::Time => self.time(now),
            Action::Ask { holder, want } => {
                let h = &mut now.holders[holder];
                let request = Request { want, carried: h.carried };
                h.call = Some(Call::Request { request, age: 0 });
            }
            Action::Run { holder, holders, copy } => {
                let Some(Call::Request { request, age }) = now.holders[holder].call else { return };
                let grant = self.run_script(now, &request, holders);
                let h = &mut now.holders[holder];
                if copy {
                    h.stray = Some(request);
                }
                let tat = self.known(now.events, Carried { tat: ahead(grant.tat), old: false });
                now.holders[holder].call = Some(Call::Reply {
                    want: request.want,
                    granted: grant.permits as u8,
                    tat,
                    age,
                });
            }
            Action::RunStray { holder } => {
                let Some(request) = now.holders[holder].stray.take() else { return };
                self.run_script(now, &request, 1);
            }
            Action::LoseStray { holder } => now.holders[holder].stray = None,
            Action::Reply { holder } => {
                if let Some(Call::Reply { granted, tat, age, .. }) = now.holders[holder].call.take()
                {
                    self.reply(&mut now.holders[holder], granted, tat, age);
                }
            }
            Action::NoReply { holder, stray } => {
                let h = &mut now.holders[holder];
                let want = match h.call.take() {
                    Some(Call::Request { request, .. }) => {
                        if stray {
                            h.stray = Some(request);
                        }
                        request.want
                    }
                    Some(Call::Reply { want, .. }) => want,
                    None => return,
                };
                if run.wrong == Wrong::Assumes {
                    self.reply(h, want, h.carried, 0);
                }
            }
            Action::Spend { holder, lease } => {
                let part = &mut now.holders[holder].leases[lease];
                let mut lease = part.lease(run.part());
                // A lease that is over is here by the fault alone.
                let moment = if part.left > 0 { HERE } else { Timestamp::ZERO };
                if lease.spend(1, moment) {
                    part.permits -= 1;
                    now.ghost.spent(run);
                }
                now.holders[holder].move_up();
            }
            Action::Crash { holder } => {
                let h = std::mem::take(&mut now.holders[holder]);
                now.holders[holder].stray = h.stray;
            }
            Action::Return { holder, lease } => {
                let part = std::mem::take(&mut now.holders[holder].leases[lease]);
                now.holders[holder].move_up();
                let cost = u16::from(part.permits) * run.period / run.permits;
                now.server.tat = now.server.tat.map(|tat| tat - cost as Ahead);
                self.forget(now);
            }
            Action::ClockStep(by) => {
                now.events -= 1;
                self.shift(now, -by);
                // A step forward adds what it lets refill.
                let refills = (u16::from(by.max(0) as u8) * run.permits).div_ceil(run.period);
                self.event(now, refills.min(run.quota.burst() as u16) as u8);
            }
            Action::Replicate => {
                now.server.replica = now.server.tat;
                now.server.unreplicated = 0;
            }
            Action::Failover => {
                now.events -= 1;
                let lost = std::mem::take(&mut now.server.unreplicated);
                now.server.tat = now.server.replica;
                self.event(now, lost);
            }
            Action::Loss => {
                now.events -= 1;
                (now.server.tat, now.server.replica) = (None, None);
                let starts_full = run.quota.state_loss() == StateLoss::StartFull;
                self.event(now, if starts_full { run.quota.burst() as u8 } else { 0 });
            }
        }
    }

    fn event(&self, now: &mut Now, extra: u8) {
        let none = !self.run.excess || self.run.wrong == Wrong::NoExcess;
        now.ghost.event(if none { 0 } else { extra });
        for holder in &mut now.holders {
            holder.each_tat(|tat| {
                if let Some(tat) = tat {
                    tat.old = true;
                }
            });
        }
        self.forget(now);
    }

    /// A part of a microsecond: of leases, messages and the observer; and with the last, a tick of the server's clock.
    fn time(&self, now: &mut Now) {
        let run = &self.run;
        now.part = (now.part + 1) % run.parts;
        now.ghost.part(run);
        if now.part == 0 {
            self.shift(now, -1);
            self.forget(now);
            now.ghost.microsecond(run);
        }
        let lifetime = run.parts * run.lifetime as u8;
        for holder in &mut now.holders {
            match &mut holder.call {
                // Older is as good as over.
                Some(Call::Request { age, .. } | Call::Reply { age, .. }) => {
                    *age = (*age + 1).min(lifetime);
                }
                None => {}
            }
            for lease in &mut holder.leases {
                lease.left = lease.left.saturating_sub(1);
                if lease.left == 0 && run.wrong != Wrong::SpendsLate {
                    lease.permits = 0;
                }
            }
            holder.move_up();
        }
    }

    /// Moves every TAT, relative to the clock.
    fn shift(&self, now: &mut Now, by: Ahead) {
        for tat in [&mut now.server.tat, &mut now.server.replica].into_iter().flatten() {
            *tat += by;
        }
        for holder in &mut now.holders {
            holder.each_tat(|tat| {
                if let Some(tat) = tat {
                    tat.tat += by;
                }
            });
        }
    }

    /// Makes states equal that nothing distinguishes: with a TAT so long ago that no clock will
    /// step back to it.
    fn forget(&self, now: &mut Now) {
        let oldest = self.oldest(now.events);
        for tat in [&mut now.server.tat, &mut now.server.replica].into_iter().flatten() {
            *tat = (*tat).max(oldest);
        }
        for holder in &mut now.holders {
            holder.each_tat(|tat| *tat = tat.filter(|tat| tat.tat > oldest));
        }
    }

    fn known(&self, events: u8, tat: Carried) -> Option<Carried> {
        Some(tat).filter(|tat| tat.tat > self.oldest(events))
    }

    fn oldest(&self, events: u8) -> Ahead {
        self.run.clock_step.min(0) * events as Ahead
    }

    /// Runs the script: its twin, of which the server's state is the TAT alone. The number of holders is any.
    fn run_script(&self, now: &mut Now, request: &Request, holders: u8) -> Grant {
        let quota = &self.run.quota;
        let time = |ahead: Ahead| ServerTime::from_micros(NOW.saturating_add_signed(ahead.into()));
        let epoch = NOW / (2 * u64::from(self.run.lifetime));
        let state = now.server.tat.map(|tat| State {
            tat: time(tat),
            epoch,
            counted: holders.into(),
            before: 0,
        });
        let mut sent = protocol::Request::new(request.want.into()).counted_in(epoch);
        if let Some(carried) = request.carried {
            sent = sent.carrying(time(carried.tat));
        }
        let (state, grant) = State::grant(state, quota, &sent, time(0));
        let old = request.carried.is_some_and(|tat| tat.old);
        now.ghost.ran(&self.run, grant.permits > 0, old || grant.state_missing);
        now.server.tat = Some(ahead(state.tat).max(self.oldest(now.events)));
        if self.run.fails_over && now.events > 0 {
            let unreplicated = u32::from(now.server.unreplicated) + grant.permits;
            now.server.unreplicated = unreplicated.min(quota.burst()) as u8;
        }
        grant
    }

    fn reply(&self, holder: &mut Holder, granted: u8, tat: Option<Carried>, age: u8) {
        let run = &self.run;
        holder.carried = match run.wrong {
            Wrong::CarriesNothing | Wrong::Returns => None,
            Wrong::CarriesLargest => holder.carried.max(tat).map(|largest| Carried {
                // It claims to know no better.
                old: tat.is_some_and(|tat| tat.old),
                ..largest
            }),
            _ => tat,
        };
        let age = if run.wrong == Wrong::FromArrival { 0 } else { age };
        let sent = Timestamp::from_nanos(HERE.as_nanos() - u64::from(age) * run.part());
        let grant = Grant {
            permits: granted.into(),
            tat: ServerTime::ZERO,
            now: ServerTime::ZERO,
            epoch: 0,
            holders: 1,
            state_missing: false,
        };
        let ends = grant.lease(sent, &run.quota).ends();
        let mut left = (ends.as_nanos().saturating_sub(HERE.as_nanos()) / run.part()) as u8;
        if run.wrong == Wrong::NotRounded {
            left += run.parts;
        }
        if left == 0 || granted == 0 {
            return;
        }
        let lease = Part { permits: granted, left };
        let [current, next] = &mut holder.leases;
        if current.permits == 0 {
            *current = lease;
        } else if run.wrong == Wrong::Merges {
            // More are no different, and would be without end.
            current.permits = (current.permits + granted).min(2 * run.burst as u8);
            current.left = current.left.max(left);
        } else if next.permits == 0 {
            *next = lease;
        }
    }
}

impl Part {
    fn lease(self, nanos: u64) -> Lease {
        let ends = HERE.as_nanos() + u64::from(self.left) * nanos;
        let lifetime = std::time::Duration::from_nanos(ends);
        Lease::new(self.permits.into(), Timestamp::ZERO, lifetime)
    }
}

impl Holder {
    fn move_up(&mut self) {
        for lease in &mut self.leases {
            if lease.permits == 0 {
                *lease = Part::default();
            }
        }
        if self.leases[0].permits == 0 {
            self.leases.swap(0, 1);
        }
    }
}

fn ahead(tat: ServerTime) -> Ahead {
    (tat.as_micros() as i64 - NOW as i64) as Ahead
}
