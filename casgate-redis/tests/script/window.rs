use crate::lease::of_any_size;
use crate::resp::Connection;
use crate::server::Server;
use crate::{at, timeless};
use casgate::Quota;
use casgate_redis::protocol::{
    Returned, Script, ServerTime, WindowGrant, WindowQuota, WindowRequest, WindowState,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

const LAST: u64 = 1 << 52;

fn quota() -> impl Strategy<Value = WindowQuota> {
    (of_any_size(u32::MAX.into()), of_any_size((1 << 61) / 1_000)).prop_map(|(permits, micros)| {
        let permits = permits.max(1);
        // At most a permit per nanosecond.
        let period = Duration::from_micros(micros.max(permits.div_ceil(1_000)));
        WindowQuota::new(Quota::new(permits as u32, period).unwrap()).unwrap()
    })
}

#[derive(Clone, Debug)]
enum Step {
    Call {
        want: u32,
        least: u32,
        holder: u64,
        holders: u32,
        returned: Option<(u32, u64, u64)>,
    },
    Again,
    Forward(u64),
    Back(u64),
    /// To the next boundary, or the one before.
    Boundary {
        back: bool,
    },
    Lose,
    Quota(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let permits = || of_any_size(u32::MAX.into()).prop_map(|n| n as u32);
    let returned = prop::option::of((
        permits(),
        prop_oneof![8 => 0..3_u64, 1 => any::<u64>()],
        prop_oneof![8 => 1..9_u64, 1 => any::<u64>()],
    ));
    prop_oneof![
        12 => (permits(), prop_oneof![3 => Just(0), 1 => permits()], 0..3_u64, permits(), returned)
            .prop_map(|(want, least, holder, holders, returned)| {
                Step::Call { want, least, holder, holders, returned }
            }),
        2 => Just(Step::Again),
        3 => of_any_size(1 << 51).prop_map(Step::Forward),
        1 => of_any_size(1 << 51).prop_map(Step::Back),
        3 => any::<bool>().prop_map(|back| Step::Boundary { back }),
        1 => Just(Step::Lose),
        1 => (0..2_usize).prop_map(Step::Quota),
    ]
}

fn trace(
    connection: &mut Connection,
    text: &str,
    sha1: &str,
    quotas: [WindowQuota; 2],
    begin: u64,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    connection.send(&["FLUSHALL"]);
    let (mut now, mut quota, mut last) = (begin, &quotas[0], None);
    let (mut state, mut lives) = (None::<WindowState>, 0);
    for step in steps {
        let length = quota.quota().period().as_micros() as u64;
        let window = now / length;
        let request = match *step {
            Step::Call { want, least, holder, holders, returned } => {
                let mut request = WindowRequest::new(want, holder).at_least(least).among(holders);
                if let Some((permits, ago, sequence)) = returned {
                    // Of the next window, this, or one before.
                    let window = state.as_ref().map_or(window, |state| state.window);
                    request = request.returning(Returned {
                        permits,
                        window: (window + 1).wrapping_sub(ago),
                        sequence,
                    });
                }
                Some(request)
            }
            Step::Again => last,
            Step::Forward(micros) => {
                now = now.saturating_add(micros).min(LAST);
                None
            }
            Step::Back(micros) => {
                now = now.saturating_sub(micros);
                None
            }
            Step::Boundary { back } => {
                let boundary =
                    if back { (window * length).saturating_sub(1) } else { (window + 1) * length };
                now = boundary.min(LAST);
                None
            }
            Step::Lose => {
                connection.send(&["DEL", "limit"]);
                state = None;
                None
            }
            Step::Quota(which) => {
                quota = &quotas[which];
                None
            }
        };
        let Some(request) = request else { continue };
        last = Some(request);
        let reply = connection.run(sha1, text, "limit", &at(request.arguments(quota), now));
        let time = ServerTime::from_micros(now);
        let (next, expected) = WindowState::grant(state.clone(), quota, &request, time);
        prop_assert_eq!(WindowGrant::from_reply(&reply), Ok(expected));
        if state.as_ref() != Some(&next) {
            lives = next.lives_millis(quota, time);
        }
        let returns = next.returns.iter().map(|(holder, mark)| (format!("r:{holder}"), *mark));
        let own = [("w", next.window), ("u", next.used), ("lives", lives)];
        let expected: BTreeMap<String, u64> =
            own.into_iter().map(|(name, n)| (name.to_owned(), n)).chain(returns).collect();
        prop_assert_eq!(
            connection.fields("limit").into_iter().collect::<BTreeMap<_, _>>(),
            expected
        );
        state = Some(next);
    }
    Ok(())
}

/// Compares random traces of a timeless text with those of the twin.
pub(crate) fn compare(server: &Server, text: &str, runner: &mut TestRunner) -> Result<(), String> {
    let mut connection = server.connect();
    let sha1 = connection.load(text);
    let connection = RefCell::new(connection);
    let traces = (quota(), quota(), of_any_size(LAST), prop::collection::vec(step(), 1..40));
    let outcome = runner.run(&traces, |(first, second, begin, steps)| {
        trace(&mut connection.borrow_mut(), text, &sha1, [first, second], begin, &steps)
    });
    outcome.map_err(|error| error.to_string())
}

#[test]
fn the_script_decides_as_its_twin_does() {
    let text = timeless(Script::WINDOW.text, 9);
    if let Err(error) = compare(&Server::start(), &text, &mut TestRunner::default()) {
        panic!("{error}");
    }
}

#[test]
fn with_the_clock_of_the_server() {
    let server = Server::start();
    let mut connection = server.connect();
    let Script { text, sha1, .. } = Script::WINDOW;
    let quota = WindowQuota::new(Quota::per_hour(7_000)).unwrap();
    let mut state = None;
    for i in 1..=200_u32 {
        let mut request = WindowRequest::new(i * i % 97, (i % 3).into()).among(3);
        if let Some(WindowState { window, .. }) = state {
            request = request.returning(Returned { permits: i % 5, window, sequence: i.into() });
        }
        let arguments = request.arguments(&quota).map(|a| a.to_string());
        let told =
            WindowGrant::from_reply(&connection.run(sha1, text, "limit", &arguments)).unwrap();
        // The reply tells the clock too, by when the window ends.
        let ends = (told.window + 1) * 3_600_000_000;
        let now = ServerTime::from_micros(ends - told.ends_in.as_micros() as u64 - 1);
        let (next, expected) = WindowState::grant(state, &quota, &request, now);
        assert_eq!(told, expected);
        state = Some(next);
    }
}
