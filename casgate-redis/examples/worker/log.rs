use casgate::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// What was admitted, one line a batch.
pub(crate) struct Log(Option<File>);

impl Log {
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        path.map(open).transpose().map(Self)
    }

    /// One write for a line: lines of several threads do not mix, and a line that is written outlives the process.
    pub(crate) fn write(&self, at: Timestamp, permits: u64) -> io::Result<()> {
        match &self.0 {
            Some(file) if permits > 0 => {
                let mut file = file;
                file.write_all(format!("{} {permits}\n", at.as_nanos()).as_bytes())
            }
            _ => Ok(()),
        }
    }
}
