//! A store in memory that grants leases as the script in Redis does, and fails or answers late as it is told.

use casgate::Quota;
use casgate::clock::{Clock, SystemClock};
use casgate_redis::protocol::{
    LeaseQuota, Request, Returned, Script, ServerTime, State, WindowQuota, WindowRequest,
    WindowState,
};
use casgate_redis::{Call, Cause, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// The bugs that a store can have on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// Each call finds a full bucket, whatever its process knows of the one before.
    Forgets,
    /// It has no permits.
    GrantsNothing,
    /// It fails, and nobody has told it to.
    Fails,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Answers,
    Fails,
    /// Keeps the replies back.
    Waits,
}

/// What all see of the store.
pub(super) struct Book {
    quota: LeaseQuota,
    window: WindowQuota,
    bug: Bug,
    state: Mutex<Pages>,
    news: Condvar,
}

struct Pages {
    buckets: HashMap<String, State>,
    windows: HashMap<String, WindowState>,
    granted: HashMap<String, u64>,
    mode: Mode,
    /// How often it has changed.
    changes: u64,
    calls: u64,
}

impl Book {
    pub(super) fn new(quota: Quota, lifetime: Duration, bug: Bug) -> Arc<Self> {
        let pages = Pages {
            buckets: HashMap::new(),
            windows: HashMap::new(),
            granted: HashMap::new(),
            mode: Mode::Answers,
            changes: 0,
            calls: 0,
        };
        let window = WindowQuota::new(quota).unwrap();
        let quota = LeaseQuota::new(quota, lifetime).unwrap();
        Arc::new(Self { quota, window, bug, state: Mutex::new(pages), news: Condvar::new() })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.state.lock().unwrap()
    }

    fn set(&self, mode: Mode) {
        let mut pages = self.pages();
        pages.changes += u64::from(pages.mode != mode);
        pages.mode = mode;
        self.news.notify_all();
    }

    pub(super) fn fail(&self) {
        self.set(Mode::Fails);
    }

    pub(super) fn keep_replies(&self) {
        self.set(Mode::Waits);
    }

    pub(super) fn answer(&self) {
        self.set(Mode::Answers);
    }

    pub(super) fn is_honest(&self) -> bool {
        self.bug == Bug::None
    }

    /// The calls that it has had.
    pub(super) fn calls(&self) -> u64 {
        self.pages().calls
    }

    /// What it has granted to limits of that name.
    pub(super) fn granted(&self, name: &str) -> u64 {
        let of_name = format!("casgate:{name}:");
        let pages = self.pages();
        pages.granted.iter().filter(|(key, _)| key.starts_with(&of_name)).map(|(_, n)| n).sum()
    }
}

/// The store itself.
pub(super) struct Ledger(pub(super) Arc<Book>);

impl Store for Ledger {
    fn call(
        &mut self,
        calls: &[Call<'_>],
        _: Duration,
    ) -> Result<Vec<Result<Vec<i64>, StoreError>>, StoreError> {
        let book = &self.0;
        let mut pages = book.pages();
        pages.calls += 1;
        if pages.mode == Mode::Fails || book.bug == Bug::Fails && pages.calls.is_multiple_of(2) {
            return Err(StoreError::new(Cause::Unreachable, "it was told to fail"));
        }
        let replies = calls.iter().map(|call| Ok(pages.grant(book, call))).collect();
        let changes = pages.changes;
        // If it is to wait again meanwhile, that is for the next call.
        while pages.mode == Mode::Waits && pages.changes == changes {
            pages = book.news.wait(pages).unwrap();
        }
        Ok(replies)
    }
}

impl Pages {
    fn grant(&mut self, book: &Book, call: &Call<'_>) -> Vec<i64> {
        let now = ServerTime::from_micros(SystemClock.now().as_nanos() / 1_000);
        let reply = match call.script {
            Script::WINDOW => self.grant_in_window(book, call, now),
            _ => self.grant_lease(book, call, now),
        };
        *self.granted.entry(call.key.to_owned()).or_default() += reply[0] as u64;
        reply
    }

    fn grant_lease(&mut self, book: &Book, call: &Call<'_>, now: ServerTime) -> Vec<i64> {
        let request = request(call.arguments);
        assert_eq!(request.arguments(&book.quota), call.arguments);
        let (before, request) = match book.bug {
            Bug::Forgets => (None, request.carrying(ServerTime::from_micros(0))),
            _ => (self.buckets.get(call.key).copied(), request),
        };
        let (state, mut grant) = State::grant(before, &book.quota, &request, now);
        if book.bug == Bug::GrantsNothing {
            grant.permits = 0;
        }
        self.buckets.insert(call.key.to_owned(), state);
        vec![
            grant.permits.into(),
            grant.tat.as_micros() as i64,
            grant.now.as_micros() as i64,
            grant.epoch as i64,
            grant.holders.into(),
            grant.state_missing.into(),
        ]
    }

    fn grant_in_window(&mut self, book: &Book, call: &Call<'_>, now: ServerTime) -> Vec<i64> {
        let before = self.windows.remove(call.key).filter(|_| book.bug != Bug::Forgets);
        let request = window_request(call.arguments);
        let (state, grant) = WindowState::grant(before, &book.window, &request, now);
        self.windows.insert(call.key.to_owned(), state);
        let ends_in = grant.ends_in.as_micros() as i64;
        vec![grant.permits.into(), grant.window as i64, ends_in, grant.left.into()]
    }
}

fn request(arguments: &[i64]) -> Request {
    let [want, least, carried, counted] = arguments[9..] else { panic!("{arguments:?}") };
    let request = Request::new(want as u32)
        .at_least(least as u32)
        .carrying(ServerTime::from_micros(carried as u64));
    if counted >= 0 { request.counted_in(counted as u64) } else { request }
}

fn window_request(arguments: &[i64]) -> WindowRequest {
    let &[_, _, want, holders, holder, permits, window, sequence, least] = arguments else {
        panic!("{arguments:?}")
    };
    let request =
        WindowRequest::new(want as u32, holder as u64).among(holders as u32).at_least(least as u32);
    if permits == 0 {
        return request;
    }
    request.returning(Returned {
        permits: permits as u32,
        window: window as u64,
        sequence: sequence as u64,
    })
}
