//! A TCP server that limits each client by its address: some that are polite, and one that is not.
//!
//! ```sh
//! cargo run --release --example doorman
//! ```

use casgate::{Ipv6Prefix, KeyedLimiter, Quota};
use clap::Parser;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Limits connections by client address, and shows who got in.
#[derive(Debug, Parser)]
struct Args {
    /// Connections a second that each client may open.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// How many of them at once.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    burst: u32,
    /// Clients that keep to half of the rate.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=200))]
    polite: u8,
    /// For how many seconds they come.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
}

/// Answers each connection with one line until `open` is false.
fn serve(listener: &TcpListener, limiter: &KeyedLimiter, open: &AtomicBool) {
    for stream in listener.incoming() {
        if !open.load(Ordering::Relaxed) {
            return;
        }
        // A client that has gone already is no reason to stop.
        let Ok(mut stream) = stream else { continue };
        let Ok(peer) = stream.peer_addr() else { continue };
        let answer = match limiter.check(&Ipv6Prefix::default().of(peer.ip())) {
            Ok(admitted) => format!("welcome, {} left\n", admitted.remaining()),
            Err(denied) => match denied.retry_after() {
                // In whole milliseconds, rounded up.
                Some(wait) => format!("come back in {} ms\n", wait.as_nanos().div_ceil(1_000_000)),
                None => "do not come back\n".to_owned(),
            },
        };
        let _ = stream.write_all(answer.as_bytes());
    }
}

/// Connects from `from`, one of the addresses that the loopback network has; was it welcome?
fn call(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<bool> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&to.into())?;
    let mut answer = String::new();
    BufReader::new(TcpStream::from(socket)).read_line(&mut answer)?;
    Ok(answer.starts_with("welcome"))
}

/// Connections admitted and denied.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    admitted: u64,
    denied: u64,
}

/// Calls every `pause` until `end`.
fn client(from: Ipv4Addr, to: SocketAddr, pause: Duration, end: Instant) -> Count {
    let mut count = Count::default();
    while Instant::now() < end {
        match call(from, to) {
            Ok(true) => count.admitted += 1,
            Ok(false) => count.denied += 1,
            // The machine is out of ports for a while: that is what floods do.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => {
                eprintln!("{from}: {error}");
                break;
            }
        }
        thread::sleep(pause);
    }
    count
}

const HOSTILE: Ipv4Addr = Ipv4Addr::new(127, 0, 6, 66);

/// Lets the clients come; what each got, and for how long it lasted.
fn run(args: &Args) -> Result<(BTreeMap<Ipv4Addr, Count>, Duration), Box<dyn Error>> {
    let quota = Quota::new(args.rate, Duration::from_secs(1))?.try_with_burst(args.burst)?;
    let limiter = Arc::new(KeyedLimiter::token_bucket(quota, 10_000));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let to = listener.local_addr()?;
    let open = Arc::new(AtomicBool::new(true));
    let server = {
        let (limiter, open) = (Arc::clone(&limiter), Arc::clone(&open));
        thread::spawn(move || serve(&listener, &limiter, &open))
    };

    let start = Instant::now();
    let end = start + Duration::from_secs(args.seconds);
    let polite = (1..=args.polite).map(|i| Ipv4Addr::new(127, 0, 1, i));
    let pause = Duration::from_secs(2) / args.rate;
    let threads: Vec<_> = polite
        .map(|from| (from, pause))
        .chain([(HOSTILE, Duration::ZERO)])
        .map(|(from, pause)| (from, thread::spawn(move || client(from, to, pause, end))))
        .collect();
    let counts = threads
        .into_iter()
        .map(|(from, thread)| thread.join().map(|count| (from, count)))
        .collect::<Result<_, _>>()
        .map_err(|_| "a client panicked")?;
    let took = start.elapsed();

    open.store(false, Ordering::Relaxed);
    drop(TcpStream::connect(to)?); // wakes the server
    server.join().map_err(|_| "the server panicked")?;
    Ok((counts, took))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (counts, took) = match run(&args) {
        Ok(done) => done,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!(
        "{} connections a second for each client, {} at once; {:.1} s\n",
        args.rate,
        args.burst,
        took.as_secs_f64()
    );
    println!("{:<12} {:>9} {:>9}", "client", "admitted", "denied");
    for (client, Count { admitted, denied }) in counts {
        let note = if client == HOSTILE { "  hostile" } else { "" };
        println!("{:<12} {admitted:>9} {denied:>9}{note}", client.to_string());
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hostile_client_gets_its_quota_and_costs_the_others_nothing() {
        let args = Args { rate: 20, burst: 10, polite: 3, seconds: 1 };
        let (counts, took) = run(&args).unwrap();
        assert_eq!(counts.len(), 4);
        for (&client, count) in &counts {
            // The clock's cheap timestamp may lag by some milliseconds.
            let most = 10 + (took + Duration::from_millis(20)).as_nanos() as u64 / 50_000_000;
            assert!(count.admitted <= most, "{client}: {count:?}, at most {most} in {took:?}");
            assert!(count.admitted > 0);
            if client == HOSTILE {
                assert!(count.denied > count.admitted, "{count:?}");
            } else {
                assert_eq!(count.denied, 0, "{client}");
            }
        }
    }
}
