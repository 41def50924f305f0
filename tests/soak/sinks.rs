//! Sinks on ports that stay theirs, which take, refuse, forget, hang and are away as they are told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::support::server::PATIENCE;
use crate::told::{self, Told};

/// How a sink behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It takes what comes.
    Taking,
    /// It takes nothing and says so.
    Refusing,
    /// It takes what comes and goes away before it has said so.
    Forgetting,
    /// It says nothing until it is in another mood, and has taken nothing then.
    Hanging,
    /// Nobody listens.
    Away,
}

/// An event that a sink took.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) message_id: String,
    /// The place in the log that its bookmark names.
    pub(crate) bookmark: u64,
    pub(crate) told: Told,
    /// The connection that it came through.
    pub(crate) connection: u64,
    /// The server that it came from: 0 for the first, 1 for the next.
    pub(crate) server: u64,
    /// Whether the sender was told.
    pub(crate) is_answered: bool,
}

/// A sink.
#[derive(Debug)]
pub(crate) struct Sink {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    server: u64,
    taken: Vec<Taken>,
    connections: HashMap<u64, TcpStream>,
    accepted: u64,
    /// The port of the last connection of the sink's own.
    own: Option<u16>,
}

impl Sink {
    /// A sink that takes what comes.
    pub(crate) fn new(random: &mut Random) -> Self {
        // Not from the ports that the system gives to those who connect: while the sink is away it must stay free.
        let free = || (20_000..32_000).nth(random.below(12_000)).and_then(|port| TcpListener::bind(local(port)).ok());
        let listener = std::iter::repeat_with(free).flatten().next().unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State {
            mood: Mood::Taking,
            server: 0,
            taken: Vec::new(),
            connections: HashMap::new(),
            accepted: 0,
            own: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || listen(listener, port, &theirs));
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// From now on it behaves so.
    pub(crate) fn be(&self, mood: Mood) {
        let mut state = self.shared.lock();
        let before = std::mem::replace(&mut state.mood, mood);
        if mood == Mood::Away {
            state.connections.drain().for_each(|(_, stream)| drop(stream.shutdown(Shutdown::Both)));
        }
        drop(state);
        self.shared.changed.notify_all();
        if mood == Mood::Away && before != Mood::Away {
            // Lets the listener see it.
            let _ = TcpStream::connect(local(self.port));
        }
    }

    /// Another server comes: what is accepted from now on is from it. The one before must be dead.
    pub(crate) fn next_server(&self) {
        // Connections are accepted in order, so when this one is, all of the dead server's are.
        let own = TcpStream::connect(local(self.port)).ok();
        if let Some(port) = own.and_then(|stream| stream.local_addr().ok()).map(|address| address.port()) {
            self.shared.wait("its own connection", |state| state.own == Some(port) || state.mood == Mood::Away);
        }
        self.shared.lock().server += 1;
        self.shared.changed.notify_all();
    }

    /// What it took up to now.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.shared.lock().taken.clone()
    }

    /// Waits until what it took is so.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&[Taken]) -> bool) {
        self.shared.wait(what, |state| is_so(&state.taken));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        while !is_so(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            let last = || state.taken.last().map(|taken| &taken.told);
            assert!(!left.is_zero(), "a sink waited in vain for {what}; the last it took: {:?}", last());
            state = self.changed.wait_timeout(state, left.min(Duration::from_secs(1))).unwrap().0;
        }
    }
}

fn local(port: u16) -> (&'static str, u16) {
    ("127.0.0.1", port)
}

fn listen(listener: TcpListener, port: u16, shared: &Arc<Shared>) {
    let mut listener = Some(listener);
    loop {
        let Ok((stream, peer)) = listener.as_ref().unwrap().accept() else { continue };
        let mut state = shared.lock();
        if state.mood == Mood::Away {
            listener = None;
            drop(shared.changed.wait_while(state, |state| state.mood == Mood::Away).unwrap());
            // A connection of the time before may not be quite gone.
            listener =
                listener.or_else(|| std::iter::repeat_with(|| TcpListener::bind(local(port)).ok()).flatten().next());
            continue;
        }
        state.own = Some(peer.port());
        state.accepted += 1;
        let (connection, server) = (state.accepted, state.server);
        state.connections.insert(connection, stream.try_clone().unwrap());
        drop(state);
        shared.changed.notify_all();
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            serve(&stream, connection, server, &shared);
            shared.lock().connections.remove(&connection);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

fn serve(mut stream: &TcpStream, connection: u64, server: u64, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(envelope) = read_request(&mut reader) {
        let (message_id, bookmark, told) = told::read(&envelope);
        let mut state = shared.lock();
        let mood = state.mood;
        match mood {
            Mood::Taking | Mood::Forgetting => {
                let is_answered = mood == Mood::Taking;
                state.taken.push(Taken { message_id, bookmark, told, connection, server, is_answered });
                shared.changed.notify_all();
            }
            Mood::Hanging => {
                let is_same = |state: &mut State| state.mood == Mood::Hanging && state.server == server;
                drop(shared.changed.wait_while(state, is_same).unwrap());
                return;
            }
            Mood::Refusing => {}
            Mood::Away => return,
        }
        drop(state);
        let status = match mood {
            Mood::Taking => "202 Accepted",
            Mood::Refusing => "500 Internal Server Error",
            _ => return,
        };
        if write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// The body of a request.
fn read_request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&count| count > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}
