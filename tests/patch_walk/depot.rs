//! A depot on the web: files with entity tags and ranges, which can break off, hang, and be asked for through a proxy.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::support::vib::sha256;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The target of the request line.
    pub(crate) target: String,
    /// Its Range header.
    pub(crate) range: Option<String>,
    /// What a proxy was told of who asks.
    pub(crate) proxy_authorization: Option<String>,
    /// The status of the answer.
    pub(crate) status: u16,
}

/// A server on a port of loopback. What it does not have is 404.
#[derive(Debug)]
pub(crate) struct Depot {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    files: HashMap<String, Arc<Vec<u8>>>,
    /// Of these the next answer ends in the middle.
    breaking: HashSet<String>,
    /// Of these answers stop in the middle, until they are taken off.
    hanging: HashSet<String>,
    asked: Vec<Asked>,
}

impl Depot {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = theirs.clone();
                // A client that went away is no matter.
                thread::spawn(move || answer(stream, &shared));
            }
        });
        Self { port, shared }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn put(&self, path: &str, octets: Vec<u8>) {
        self.lock().files.insert(path.to_owned(), Arc::new(octets));
    }

    pub(crate) fn file(&self, path: &str) -> Arc<Vec<u8>> {
        self.lock().files[path].clone()
    }

    pub(crate) fn remove(&self, path: &str) {
        self.lock().files.remove(path);
    }

    /// The next answer with this file ends in the middle.
    pub(crate) fn break_off(&self, path: &str) {
        self.lock().breaking.insert(path.to_owned());
    }

    /// Answers with this file stop in the middle, until it is released.
    pub(crate) fn hang(&self, path: &str) {
        self.lock().hanging.insert(path.to_owned());
    }

    pub(crate) fn release(&self, path: &str) {
        self.lock().hanging.remove(path);
        self.shared.changed.notify_all();
    }

    /// Waits until somebody asked for a path.
    pub(crate) fn wait_until_asked(&self, path: &str) {
        let is_new = |state: &mut State| !state.asked.iter().any(|asked| asked.target.ends_with(path));
        let waited = self.shared.changed.wait_timeout_while(self.lock(), crate::support::server::PATIENCE, is_new);
        let (state, time) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!time.timed_out(), "nobody asked for {path}: {:?}", state.asked);
    }

    /// What was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.lock().asked)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: HashMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())))
        .collect();
    // Whoever takes it for a proxy names the whole address.
    let path = target.strip_prefix("http://").map_or(target.as_str(), |rest| &rest[rest.find('/').unwrap()..]);
    let (file, breaks) = {
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.files.get(path).cloned(), state.breaking.remove(path))
    };
    let tag = file.as_ref().map(|file| format!("\"{}\"", sha256(file))).unwrap_or_default();
    let range = headers.get("range").cloned();
    let from =
        range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let from = from.filter(|_| headers.get("if-range") == Some(&tag));
    let whole = file.as_ref().map_or(0, |file| file.len());
    let (status, head) = match (&file, from) {
        (None, _) => (404, "404 Not Found\r\nContent-Length: 0".to_owned()),
        (Some(_), _) if headers.get("if-none-match") == Some(&tag) => (304, "304 Not Modified".to_owned()),
        (Some(_), Some(from)) => (
            206,
            format!(
                "206 Partial Content\r\nETag: {tag}\r\nContent-Range: bytes {from}-{}/{whole}\r\nContent-Length: {}",
                whole - 1,
                whole - from
            ),
        ),
        (Some(_), None) => (200, format!("200 OK\r\nETag: {tag}\r\nContent-Length: {whole}")),
    };
    {
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let proxy_authorization = headers.get("proxy-authorization").cloned();
        state.asked.push(Asked { target: target.clone(), range, proxy_authorization, status });
        shared.changed.notify_all();
    }
    stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
    if !matches!(status, 200 | 206) {
        return Some(());
    }
    let rest = &file.as_ref()?[from.unwrap_or(0)..];
    let (first, second) = rest.split_at(rest.len() / 2);
    stream.write_all(first).ok()?;
    if breaks {
        return Some(());
    }
    let state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    drop(shared.changed.wait_while(state, |state| state.hanging.contains(path)));
    stream.write_all(second).ok()
}
