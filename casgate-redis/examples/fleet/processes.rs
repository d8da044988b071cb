use crate::process::CHILD;
use crate::record::{Line, Record};
use casgate::Timestamp;
use casgate::clock::{Clock, SystemClock};
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// The processes of the fleet. They are killed when this is dropped.
pub(crate) struct Processes {
    url: String,
    start: Timestamp,
    running: Vec<Option<(Child, JoinHandle<()>)>>,
    record: Arc<Mutex<Record>>,
}

impl Processes {
    pub(crate) fn start(url: String, processes: usize) -> io::Result<Self> {
        let running = (0..processes).map(|_| None).collect();
        let start = SystemClock.now();
        let mut this = Self { url, start, running, record: Arc::default() };
        (0..processes).try_for_each(|process| this.start_one(process))?;
        Ok(this)
    }

    /// When the first began.
    pub(crate) const fn start_time(&self) -> Timestamp {
        self.start
    }

    /// Starts a process in that place.
    pub(crate) fn start_one(&mut self, process: usize) -> io::Result<()> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([CHILD, &self.url, &self.start.as_nanos().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
        lock(&self.record).started(process);
        let record = Arc::clone(&self.record);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok).filter_map(|line| Line::parse(&line)) {
                lock(&record).take(process, line);
            }
        });
        self.running[process] = Some((child, reader));
        Ok(())
    }

    /// Kills the process in that place, with no warning, and reads what it has told.
    pub(crate) fn kill(&mut self, process: usize) {
        if let Some((mut child, reader)) = self.running[process].take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            let _ = reader.join();
            lock(&self.record).ended(process);
        }
    }

    pub(crate) fn kill_all(&mut self) {
        (0..self.running.len()).for_each(|process| self.kill(process));
    }

    /// What is known by now.
    pub(crate) fn record(&self) -> Record {
        lock(&self.record).clone().in_order()
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.kill_all();
    }
}
