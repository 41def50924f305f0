//! A plain HTTP server of files, with ranges, that can also misbehave.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// How a path answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With the file or the part that is asked for; the first answer breaks off in the middle if `breaks`.
    File {
        /// The file.
        octets: Vec<u8>,
        /// Whether the connection breaks once.
        breaks: bool,
    },
    /// With half of the file; the rest comes only when the server is dropped.
    Half(Vec<u8>),
    /// With the announcement of so many octets, of which none comes.
    Announced(u64),
    /// With a redirect.
    Redirect(String),
}

/// A server on a port of loopback. What it does not know is 404.
#[derive(Debug)]
pub struct Files {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    answers: HashMap<String, Answer>,
    /// Path and Range header of each request.
    asked: Mutex<Vec<(String, Option<String>)>>,
    over: Mutex<bool>,
    ends: Condvar,
}

impl Files {
    /// Starts it.
    pub fn serve(answers: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = answers.into_iter().map(|(path, answer)| (path.to_owned(), answer)).collect();
        let shared =
            Arc::new(Shared { answers, asked: Mutex::default(), over: Mutex::default(), ends: Condvar::new() });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&theirs);
                // A client that went away is no matter.
                thread::spawn(move || answer(stream, &shared));
            }
        });
        Self { port, shared }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The Range headers of the requests for a path.
    pub fn ranges(&self, path: &str) -> Vec<Option<String>> {
        let asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|(of, _)| of == path).map(|(_, range)| range.clone()).collect()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        *self.shared.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.ends.notify_all();
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    let (path, range) = read_request(&stream)?;
    let earlier = {
        let mut asked = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push((path.clone(), range.clone()));
        asked.iter().filter(|(of, _)| *of == path).count() - 1
    };
    let mut send = |head: &str, octets: &[u8]| {
        let message = [format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes(), octets].concat();
        stream.write_all(&message).ok()
    };
    match shared.answers.get(&path) {
        None => send("404 Not Found\r\nContent-Length: 0", b""),
        Some(Answer::Redirect(target)) => send(&format!("302 Found\r\nContent-Length: 0\r\nLocation: {target}"), b""),
        Some(Answer::Announced(length)) => send(&format!("200 OK\r\nContent-Length: {length}"), b""),
        Some(Answer::Half(octets)) => {
            send(&format!("200 OK\r\nContent-Length: {}", octets.len()), &octets[..octets.len() / 2])?;
            let over = shared.over.lock().unwrap_or_else(PoisonError::into_inner);
            drop(shared.ends.wait_while(over, |over| !*over));
            Some(())
        }
        Some(Answer::File { octets, breaks }) => {
            let (whole, tag) = (octets.len(), "ETag: \"the only one\"");
            let from = range.as_deref().and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
            match from {
                Some(from) => send(
                    &format!(
                        "206 Partial Content\r\n{tag}\r\nContent-Range: bytes {from}-{}/{whole}\r\nContent-Length: {}",
                        whole - 1,
                        whole - from
                    ),
                    &octets[from..],
                ),
                None => {
                    let sent = if *breaks && earlier == 0 { whole / 2 } else { whole };
                    send(&format!("200 OK\r\n{tag}\r\nContent-Length: {whole}"), &octets[..sent])
                }
            }
        }
    }
}

fn read_request(stream: &TcpStream) -> Option<(String, Option<String>)> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let range = lines
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())))
        .fold(None, |found, (name, value)| if name == "range" { Some(value) } else { found });
    Some((path, range))
}
