use redis::{Connection, FromRedisValue, RedisResult};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server of a test's own, on a free port of the loopback interface. It keeps nothing on disk, and ends with the
/// test.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    directory: PathBuf,
    keeps_log: bool,
    loads_slowly: bool,
}

impl Server {
    /// Starts a server. Its files are in a directory of its own in `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        // Between the choice of a port and its use somebody else may take it.
        let start = || {
            let port = free_port();
            let directory = directory.join(format!("server-{port}"));
            std::fs::create_dir_all(&directory).expect("a directory for temporary files");
            let process = spawn(port, &directory, false, false)?;
            Some(Self { process, port, directory, keeps_log: false, loads_slowly: false })
        };
        (0..10).find_map(|_| start()).expect("redis-server starts")
    }

    /// Kills the server with what it knows.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }

    /// From now on it logs each write before it replies (`appendonly`), and reads the log when it starts again.
    pub(crate) fn keep_log(&mut self) {
        self.keeps_log = true;
        self.run::<()>(&["CONFIG", "SET", "appendfsync", "always"]);
        self.run::<()>(&["CONFIG", "SET", "appendonly", "yes"]);
        let begins = |server: &Self| {
            server.run::<String>(&["INFO", "persistence"]).contains("in_progress:1")
        };
        while begins(self) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Keeps a log of many keys, which it takes a second to read: it answers meanwhile, and says that it is loading.
    pub(crate) fn load_slowly(&mut self) {
        // It looks at its connections every kilobyte, so the keys are long.
        let fill = "for n = 1, 500 do
            local key = ''
            for part = 1, 20 do key = key .. redis.sha1hex(n .. ' ' .. part) end
            redis.call('SET', key, '', 'EX', 600)
        end";
        self.run::<()>(&["EVAL", fill, "0"]);
        self.keep_log();
        self.loads_slowly = true;
    }

    /// Starts it again, at the same port. It knows nothing, unless it keeps a log.
    pub(crate) fn start_again(&mut self) {
        let start = || spawn(self.port, &self.directory, self.keeps_log, self.loads_slowly);
        self.process = start().or_else(start).expect("its port is free");
    }

    pub(crate) fn stop(&self) {
        signal(&self.process, Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        signal(&self.process, Signal::CONT);
    }

    pub(crate) fn connect(&self) -> RedisResult<Connection> {
        let client = redis::Client::open((Ipv4Addr::LOCALHOST.to_string(), self.port))?;
        let connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(connection)
    }

    /// Runs a command, by its words, and returns the reply.
    pub(crate) fn run<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let command = redis::cmd(words[0]).arg(&words[1..]).clone();
        let reply = self.connect().and_then(|mut connection| command.query(&mut connection));
        reply.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Becomes a replica of `primary` at that port, and waits until it has the data, and the primary counts it.
    pub(crate) fn replicate(&self, primary: &Self, port: u16) {
        self.run::<()>(&["REPLICAOF", "127.0.0.1", &port.to_string()]);
        let deadline = Instant::now() + Duration::from_secs(20);
        let says =
            |server: &Self, text| server.run::<String>(&["INFO", "replication"]).contains(text);
        while !says(self, "master_link_status:up") || !says(primary, "state=online") {
            assert!(Instant::now() < deadline, "the replica has no data");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn signal(process: &Child, signal: Signal) {
    kill_process(Pid::from_child(process), signal).expect("the process is a child");
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    free.local_addr().expect("an address").port()
}

fn spawn(port: u16, directory: &Path, keeps_log: bool, loads_slowly: bool) -> Option<Child> {
    // Microseconds for each key, and bytes from one look at its connections to the next.
    let slowly = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"];
    let process = Command::new("redis-server")
        .args(slowly.iter().filter(|_| loads_slowly))
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", if keeps_log { "yes" } else { "no" }, "--appendfsync", "always"])
        .args(["--daemonize", "no", "--logfile", "", "--dir"])
        .arg(directory)
        .args(["--repl-diskless-sync-delay", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut process = match process {
        Ok(process) => process,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "this test needs redis-server: `apt-get install redis-server`, or `.ci/redis` as root"
        ),
        Err(error) => panic!("redis-server does not start: {error}"),
    };
    let log = process.stdout.take().expect("the output is piped");
    let mut lines = BufReader::new(log).lines();
    // The log ends when the server does.
    if lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept"))) {
        Some(process)
    } else {
        let _ = process.wait();
        None
    }
}
