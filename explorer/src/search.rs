//! Searching a model.

use stateright::{Checker, HasDiscoveries, Model};
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::{Duration, Instant};

const THREADS: usize = 2;

/// What came of a search.
#[derive(Debug)]
pub struct Outcome {
    /// How many states it saw.
    pub states: usize,
    /// How long it took.
    pub seconds: f32,
    /// Whether it ended for want of time.
    pub cut_short: bool,
    /// The property that fails, and a way to its failure.
    pub failure: Option<(&'static str, String)>,
}

/// Looks at every state, breadth first, until a property fails.
pub fn breadth_first<M>(model: M, limit: Duration) -> Outcome
where
    M: Model + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
    M::State: Clone + PartialEq + Send + Sync + Hash + Debug,
{
    let began = Instant::now();
    let checker = model
        .checker()
        .threads(THREADS)
        .timeout(limit)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let failure = checker.discoveries().into_iter().next().map(|(name, path)| {
        let steps = path.into_vec().into_iter().map(|(state, action)| match action {
            Some(action) => format!("  {state:?}\n  {action:?}\n"),
            None => format!("  {state:?}\n"),
        });
        (name, steps.collect())
    });
    Outcome {
        states: checker.unique_state_count(),
        seconds: began.elapsed().as_secs_f32(),
        cut_short: began.elapsed() >= limit,
        failure,
    }
}

/// Looks for a way from a state back to itself, depth first.
pub fn ends<M>(model: &M, limit: Duration) -> Outcome
where
    M: Model,
    M::Action: Debug,
    M::State: Hash + Debug,
{
    let began = Instant::now();
    let hasher = RandomState::new();
    // Whether each state that was seen is on the way to the one that is looked at.
    let mut seen: HashMap<u64, bool> = HashMap::new();
    let mut failure = None;
    let mut way: Vec<(u64, M::State, Vec<M::Action>)> = Vec::new();
    let mut starts = model.init_states();
    while failure.is_none() && began.elapsed() < limit {
        let next = match way.last_mut() {
            None => starts.pop(),
            Some((mark, state, actions)) => match actions.pop() {
                Some(action) => model.next_state(state, action),
                None => {
                    seen.insert(*mark, false);
                    way.pop();
                    continue;
                }
            },
        };
        let Some(next) = next else {
            if way.is_empty() {
                break;
            }
            continue;
        };
        let mark = hasher.hash_one(&next);
        match seen.get(&mark) {
            None => {
                let mut actions = Vec::new();
                model.actions(&next, &mut actions);
                seen.insert(mark, true);
                way.push((mark, next, actions));
            }
            Some(true) => failure = Some(("c ends", format!("  back to {next:?}\n"))),
            Some(false) => {}
        }
    }
    let seconds = began.elapsed().as_secs_f32();
    Outcome { states: seen.len(), seconds, cut_short: began.elapsed() >= limit, failure }
}
