//! The fleet as a graph of states, and what must hold in each.
//!
//! No state knows the time. Each has the time that is left, or that went by. So the graph is finite, and covers runs of
//! any length.

use crate::action::Action;
use crate::ghost::Ghost;
use crate::holder::{Call, Holder};
use crate::run::Run;
use crate::server::Server;
use crate::wrong::Wrong;
use explorer::{Model, Property};

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) run: Run,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Now {
    /// The parts of a microsecond since the server's clock ticked.
    pub(crate) part: u8,
    pub(crate) server: Server,
    pub(crate) holders: Vec<Holder>,
    pub(crate) events: u8,
    pub(crate) ghost: Ghost,
}

impl Model for World {
    type State = Now;
    type Action = Action;

    fn init_states(&self) -> Vec<Now> {
        // As far into the microsecond as you like.
        let begin = |part| Now {
            part,
            server: Server { tat: None, replica: None, unreplicated: 0 },
            holders: vec![Holder::default(); self.run.holders],
            events: self.run.events,
            ghost: Ghost::begin(),
        };
        (0..self.run.parts).map(begin).collect()
    }

    fn actions(&self, now: &Now, out: &mut Vec<Action>) {
        let run = &self.run;
        out.push(Action::Time);
        let can_stray = now.holders.iter().all(|h| h.stray.is_none());
        for (i, h) in now.holders.iter().enumerate() {
            match h.call {
                None if h.leases[1].permits == 0 => {
                    out.push(Action::Ask { holder: i, want: run.quota.burst() as u8 });
                }
                None => {}
                Some(call) => {
                    if let Call::Request { .. } = call {
                        for holders in 1..=2 {
                            out.push(Action::Run { holder: i, holders, copy: false });
                            if can_stray {
                                out.push(Action::Run { holder: i, holders, copy: true });
                            }
                        }
                        if can_stray {
                            out.push(Action::NoReply { holder: i, stray: true });
                        }
                    } else {
                        out.push(Action::Reply { holder: i });
                    }
                    out.push(Action::NoReply { holder: i, stray: false });
                }
            }
            if h.stray.is_some() {
                out.push(Action::RunStray { holder: i });
                out.push(Action::LoseStray { holder: i });
            }
            for (j, lease) in h.leases.iter().enumerate() {
                if lease.permits > 0 {
                    out.push(Action::Spend { holder: i, lease: j });
                    if run.wrong == Wrong::Returns {
                        out.push(Action::Return { holder: i, lease: j });
                    }
                }
            }
            if run.crashes && *h != Holder::default() {
                out.push(Action::Crash { holder: i });
            }
        }
        if now.events > 0 {
            if run.clock_step != 0 {
                out.push(Action::ClockStep(run.clock_step));
            }
            if run.loses {
                out.push(Action::Loss);
            }
            if run.fails_over {
                out.push(Action::Failover);
                out.push(Action::Replicate);
            }
        }
    }

    fn next_state(&self, now: &Now, action: Action) -> Option<Now> {
        if now.ghost.failure.is_some() {
            return None;
        }
        let mut next = now.clone();
        self.step(&mut next, action);
        // Holders are alike.
        next.holders.sort_unstable();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a bound", |_, now: &Now| now.ghost.failure != Some("a bound")),
            Property::always("b calls end", |world: &World, now: &Now| {
                let mut actions = Vec::new();
                world.actions(now, &mut actions);
                now.holders.iter().enumerate().all(|(i, h)| {
                    h.call.is_none()
                        || actions.contains(&Action::NoReply { holder: i, stray: false })
                })
            }),
            Property::always("c served", |_, now: &Now| now.ghost.failure != Some("c served")),
        ]
    }
}
