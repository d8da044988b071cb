use crate::log;
use crate::record::Admission;
use crate::server::signal;
use rustix::process::Signal;
use serde_json::Value;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process of the fleet: the example `worker`.
pub(crate) struct Worker {
    arguments: Vec<String>,
    wrong: Option<&'static str>,
    process: Option<Child>,
    logs: Vec<PathBuf>,
}

/// What a process told at its end.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    value: Value,
    /// What its log says that it admitted.
    pub(crate) logged: u64,
}

impl Worker {
    /// A worker with these arguments, and with that fault if there is one.
    pub(crate) const fn new(arguments: Vec<String>, wrong: Option<&'static str>) -> Self {
        Self { arguments, wrong, process: None, logs: Vec::new() }
    }

    /// Starts the process, for so long. It logs to a file of its own.
    pub(crate) fn start(&mut self, lasts: Duration, log: PathBuf) {
        let mut command = Command::new(executable());
        command
            .args(&self.arguments)
            .args(["--for-ms", &lasts.as_millis().to_string(), "--log"])
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        match self.wrong {
            Some(wrong) => command.env("CASGATE_WRONG", wrong),
            None => command.env_remove("CASGATE_WRONG"),
        };
        self.process = Some(command.spawn().expect("the worker starts"));
        self.logs.push(log);
    }

    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it is a child");
        process.wait().expect("it ends");
    }

    /// Asks the process to end (`SIGTERM`), which it does without a word.
    pub(crate) fn terminate(&mut self) {
        let mut process = self.process.take().expect("it runs");
        signal(&process, Signal::TERM);
        process.wait().expect("it ends");
    }

    pub(crate) fn stop(&self) {
        signal(self.process.as_ref().expect("it runs"), Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        signal(self.process.as_ref().expect("it runs"), Signal::CONT);
    }

    /// Returns the memory that it has, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let process = self.process.as_ref().expect("it runs");
        let text = std::fs::read_to_string(format!("/proc/{}/statm", process.id()));
        let text = text.expect("this test needs the files of Linux");
        let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
        pages.expect("a number of pages") * 4_096
    }

    /// Waits for its end, and returns its report; `None` if it was killed before.
    ///
    /// # Errors
    ///
    /// It did not end in time, or not well.
    pub(crate) fn end(&mut self, deadline: Instant) -> Result<Option<Report>, String> {
        let Some(mut process) = self.process.take() else { return Ok(None) };
        let status = loop {
            if let Some(status) = process.try_wait().expect("it is a child") {
                break status;
            }
            if Instant::now() > deadline {
                let _ = process.kill();
                let _ = process.wait();
                return Err("it does not end".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut text = String::new();
        let output = process.stdout.as_mut().expect("the output is piped");
        output.read_to_string(&mut text).expect("it wrote text");
        if !status.success() {
            return Err(format!("it failed: {status}"));
        }
        let value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text:?}"))?;
        let log = self.logs.last().expect("it has run");
        let logged = read(log)?.iter().map(|admission| admission.permits).sum();
        Ok(Some(Report { value, logged }))
    }

    /// Returns what it admitted in all its lives.
    ///
    /// # Errors
    ///
    /// A line of a log that is none.
    pub(crate) fn admissions(&self) -> Result<Vec<Admission>, String> {
        let logs: Result<Vec<_>, _> = self.logs.iter().map(|path| read(path)).collect();
        Ok(logs?.into_iter().flatten().collect())
    }

    /// Returns how often it was started.
    pub(crate) fn lives(&self) -> usize {
        self.logs.len()
    }
}

impl Report {
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.value[name].as_u64().unwrap_or_else(|| panic!("no number {name}: {}", self.value))
    }

    /// Returns why it was told that the limit is unavailable.
    pub(crate) fn causes(&self) -> Vec<String> {
        let causes = self.value["causes"].as_array().into_iter().flatten();
        causes.filter_map(|cause| cause.as_str().map(str::to_owned)).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn read(path: &Path) -> Result<Vec<Admission>, String> {
    // A process that is killed at once has not made it.
    log::read(&std::fs::read_to_string(path).unwrap_or_default())
}

/// Cargo builds the examples with the tests, next to them.
pub(crate) fn executable() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let target = test.parent().and_then(Path::parent).expect("it is in a target directory");
    let worker = target.join("examples").join(format!("worker{}", std::env::consts::EXE_SUFFIX));
    assert!(
        worker.exists(),
        "the worker is missing: `cargo build -p casgate-redis --example worker`"
    );
    worker
}
