use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A Redis server on a free port of the loopback interface. It keeps nothing on disk, and ends when this is dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
    directory: PathBuf,
}

impl Server {
    pub(crate) fn start() -> Result<Self, String> {
        for _ in 0..10 {
            // Another process may take the port before the server does.
            if let Some(server) = Self::try_start()? {
                return Ok(server);
            }
        }
        Err("redis-server does not start".to_owned())
    }

    fn try_start() -> Result<Option<Self>, String> {
        let port = free_port().map_err(|error| format!("no port is free: {error}"))?;
        let directory =
            std::env::temp_dir().join(format!("casgate-fleet-{}-{port}", std::process::id()));
        fs::create_dir_all(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "no", "--daemonize", "no", "--logfile", "", "--dir"])
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let process = process.map_err(|error| {
            let _ = fs::remove_dir_all(&directory);
            if error.kind() == ErrorKind::NotFound {
                "this needs redis-server on the PATH. Debian and Ubuntu: `apt-get install redis-server`. \
                 Fedora: `dnf install redis`. macOS: `brew install redis`. Or see https://redis.io/docs/"
                    .to_owned()
            } else {
                format!("redis-server does not start: {error}")
            }
        })?;
        let mut server = Self { process, port, directory };
        let log = server.process.stdout.take().ok_or("the server has no output")?;
        // The log ends when the server does.
        let mut lines = BufReader::new(log).lines();
        let is_ready = lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept")));
        Ok(is_ready.then_some(server))
    }

    /// Stops it where it is. It keeps its connections, and answers nobody.
    #[allow(dead_code)] // The bench does not.
    pub(crate) fn stop(&self) -> std::io::Result<()> {
        self.signal(Signal::STOP)
    }

    #[allow(dead_code)]
    pub(crate) fn go_on(&self) -> std::io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> std::io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), signal)?)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
