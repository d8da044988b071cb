use redis::{Client, Connection, FromRedisValue};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server of a test's own, which ends with it.
pub(crate) struct Node {
    process: Child,
    pub(crate) port: u16,
    directory: PathBuf,
}

impl Node {
    /// Starts a server with further arguments, and waits until it answers.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        (0..10).find_map(|_| Self::try_start(arguments)).expect("redis-server starts")
    }

    /// The same, or `None`: somebody else may take a port before the server does.
    pub(crate) fn try_start(arguments: &[&str]) -> Option<Self> {
        let port = free_port();
        let directory =
            std::env::temp_dir().join(format!("casgate-node-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory for temporary files");
        // Sentinel writes its configuration.
        let configuration = directory.join("server.conf");
        std::fs::write(&configuration, "").expect("a file for the configuration");
        let process = Command::new("redis-server")
            .arg(&configuration)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .arg("--dir")
            .arg(&directory)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let process = match process {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => panic!(
                "this test needs redis-server: `apt-get install redis-server`, or `.ci/redis` as root"
            ),
            Err(error) => panic!("redis-server does not start: {error}"),
        };
        let mut node = Self { process, port, directory };
        let mut has_ended = false;
        until("the server answers", || {
            has_ended = node.process.try_wait().is_ok_and(|status| status.is_some());
            has_ended || node.connect().is_ok()
        });
        (!has_ended).then_some(node)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    fn connect(&self) -> redis::RedisResult<Connection> {
        Client::open(self.url())?.get_connection()
    }

    pub(crate) fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        self.run(&command.split(' ').collect::<Vec<_>>())
    }

    /// Runs a command whose words may have spaces.
    pub(crate) fn run<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        let mut connection = self.connect().expect("the server answers");
        command.query(&mut connection).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    free.local_addr().expect("an address").port()
}

/// Waits until it is so, for half a minute at most.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "not so in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
