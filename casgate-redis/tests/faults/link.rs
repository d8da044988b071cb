use rustix::net::sockopt::set_socket_linger;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A network between a client and a server, with faults: a proxy of TCP connections.
pub(crate) struct Link {
    wire: Arc<Wire>,
    pub(crate) port: u16,
}

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Each message is late by so much, and by up to so much more.
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    /// Requests are held until the weather changes, as a network does that loses packets and sends them again.
    pub(crate) holds_requests: bool,
    /// Replies are held.
    pub(crate) holds_replies: bool,
    /// Replies to scripts are held, and connections are made as ever.
    pub(crate) holds_leases: bool,
    /// A connection is cut in the place of a reply: the request was executed.
    pub(crate) cuts_replies: bool,
    /// New connections are accepted, and nobody reads what they send.
    pub(crate) is_deaf: bool,
    /// New connections are cut at once.
    pub(crate) is_cut: bool,
    /// Messages come in pieces of a few bytes, one in a millisecond.
    pub(crate) is_narrow: bool,
    /// Connections are reset (`RST`), with what they were about to deliver.
    pub(crate) is_reset: bool,
}

struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    weather: Weather,
    server: u16,
    connections: Vec<TcpStream>,
    /// What stands for what in requests, as long.
    alias: Option<(Vec<u8>, Vec<u8>)>,
    is_over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Requests,
    Replies,
}

/// The bytes that a narrow link carries in a millisecond.
const NARROW: usize = 16;

impl Link {
    /// Makes a link to that port.
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let weather = Weather::default();
        let state = State { weather, server, connections: Vec::new(), alias: None, is_over: false };
        let wire = Arc::new(Wire { state: Mutex::new(state), changed: Condvar::new() });
        thread::spawn({
            let wire = Arc::clone(&wire);
            move || wire.accept(&listener)
        });
        Self { wire, port }
    }

    /// Changes the weather. What was held is delivered if it is held no more.
    pub(crate) fn set(&self, weather: Weather) {
        let mut state = self.wire.state();
        let is_news = weather.is_deaf != state.weather.is_deaf || weather.is_cut;
        state.weather = weather;
        if weather.is_reset {
            state.reset();
        } else if is_news {
            state.cut();
        }
        self.wire.changed.notify_all();
    }

    /// Puts `new` in the place of `old` in requests: the name of another script.
    pub(crate) fn rename(&self, old: &str, new: &str) {
        assert_eq!(old.len(), new.len(), "the length is told before it");
        self.wire.state().alias = Some((old.into(), new.into()));
    }

    /// Leads to another port from now on, for new connections. Those that are open are cut.
    pub(crate) fn lead_to(&self, server: u16) {
        let mut state = self.wire.state();
        state.server = server;
        state.cut();
        self.wire.changed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut state = self.wire.state();
        state.is_over = true;
        state.cut();
        self.wire.changed.notify_all();
        drop(state);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl State {
    /// Lets those who carry end. When the last of them has closed a connection, it is reset.
    fn reset(&mut self) {
        for connection in self.connections.drain(..) {
            let _ = set_socket_linger(&connection, Some(Duration::ZERO));
            let _ = connection.shutdown(Shutdown::Read);
        }
    }

    fn cut(&mut self) {
        for connection in self.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let mut state = self.state();
            if state.is_over {
                return;
            }
            let Ok(client) = client else { continue };
            if state.weather.is_cut || state.weather.is_reset {
                continue;
            }
            if state.weather.is_deaf {
                state.connections.push(client);
                continue;
            }
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, state.server)) else {
                continue;
            };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            for (from, to, way) in
                [(&client, &server, Way::Requests), (&server, &client, Way::Replies)]
            {
                let clone = |stream: &TcpStream| stream.try_clone().expect("a file descriptor");
                let (from, to, wire) = (clone(from), clone(to), Arc::clone(&self));
                thread::spawn(move || wire.carry(from, to, way));
            }
            state.connections.extend([client, server]);
        }
    }

    /// Carries what comes, until either side closes.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream, way: Way) {
        let mut message = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut message) {
            let message = &mut message[..length];
            if way == Way::Requests {
                self.rename(message);
            }
            if !self.pass(way, message) || self.write(message, &mut to).is_err() {
                break;
            }
        }
        // An end is held as a message is.
        self.pass(way, &[]);
        if !self.state().weather.is_reset {
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        }
    }

    fn write(&self, message: &[u8], to: &mut TcpStream) -> std::io::Result<()> {
        if !self.state().weather.is_narrow {
            return to.write_all(message);
        }
        for piece in message.chunks(NARROW) {
            thread::sleep(Duration::from_millis(1));
            to.write_all(piece)?;
        }
        Ok(())
    }

    fn rename(&self, message: &mut [u8]) {
        let Some((old, new)) = self.state().alias.clone() else { return };
        for at in 0..message.len().saturating_sub(old.len() - 1) {
            if message[at..].starts_with(&old) {
                message[at..at + new.len()].copy_from_slice(&new);
            }
        }
    }

    /// Waits until a message may pass. Returns whether it does.
    fn pass(&self, way: Way, message: &[u8]) -> bool {
        let Weather { delay, jitter, .. } = self.state().weather;
        thread::sleep(delay + jitter.mul_f64(fastrand::f64()));
        let is_held = |state: &mut State| {
            !state.is_over
                && match way {
                    Way::Requests => state.weather.holds_requests,
                    Way::Replies => {
                        state.weather.holds_replies
                            || state.weather.holds_leases && message.starts_with(b"*")
                    }
                }
        };
        let state = self.changed.wait_while(self.state(), is_held);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let weather = state.weather;
        !(state.is_over || weather.is_reset || way == Way::Replies && weather.cuts_replies)
    }
}
