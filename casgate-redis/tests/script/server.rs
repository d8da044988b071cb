use crate::resp::Connection;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A server of a test's own, on a free port of the loopback interface. It keeps nothing on disk, and ends with the
/// test.
pub(crate) struct Server {
    process: Child,
    port: u16,
    directory: PathBuf,
}

impl Server {
    pub(crate) fn start() -> Self {
        // Between the choice of a port and its use somebody else may take it.
        (0..10).find_map(|_| Self::try_start()).expect("redis-server does not start")
    }

    fn try_start() -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no free port");
        let port = free.local_addr().expect("no address").port();
        drop(free);
        let directory =
            std::env::temp_dir().join(format!("casgate-redis-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("no directory for temporary files");
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "no", "--daemonize", "no", "--logfile", "", "--dir"])
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let process = match process {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => panic!(
                "this test needs redis-server: `apt-get install redis-server`, or `.ci/redis` as root"
            ),
            Err(error) => panic!("redis-server does not start: {error}"),
        };
        let mut server = Self { process, port, directory };
        let log = server.process.stdout.take().expect("the output is piped");
        let mut lines = BufReader::new(log).lines();
        // The log ends when the server does.
        let ready = lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept")));
        ready.then_some(server)
    }

    /// A connection, and the server that must outlive it.
    pub(crate) fn connect_kept(self) -> (Self, Connection) {
        let connection = self.connect();
        (self, connection)
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::to(self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
