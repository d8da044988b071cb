//! The file of the policies.

use crate::live::Live;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the file is read.
const PERIOD: Duration = Duration::from_secs(1);

/// A file that is read again and again.
///
/// Its text is compared, and not its time of modification: that is coarse on some file systems, and can stay the same
/// when one file replaces another. A few kilobytes a second cost nothing.
#[derive(Debug)]
pub(crate) struct PolicyFile {
    path: PathBuf,
    /// What was read last, or why nothing was.
    last: Result<String, String>,
}

impl PolicyFile {
    /// Opens the file, which must be there when the gateway starts.
    pub(crate) fn open(path: PathBuf) -> Result<Self, String> {
        let text = read(&path)?;
        Ok(Self { path, last: Ok(text) })
    }

    /// The text that was read last.
    pub(crate) fn text(&self) -> &str {
        self.last.as_deref().unwrap_or_default()
    }

    /// Reads the file, and reloads the policies if it has changed.
    pub(crate) fn poll(&mut self, live: &Live) {
        let now = read(&self.path);
        if now == self.last {
            return;
        }
        match &now {
            Ok(text) => live.reload(text),
            Err(problem) => live.report(problem.clone()),
        }
        self.last = now;
    }

    /// Polls until the task is dropped.
    pub(crate) async fn watch(mut self, live: &Live) {
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            self.poll(live);
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
