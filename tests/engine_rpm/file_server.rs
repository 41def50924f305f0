//! A repository behind HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// What is done with a request for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It is answered.
    Answer,
    /// It is answered with something else.
    Alter,
    /// It is never answered.
    Stall,
}

/// Serves a folder on a port of loopback for as long as the test runs; tells its URL.
pub(crate) fn serve(folder: &Path, manner: impl Fn(&str) -> Manner + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (folder, manner) = (folder.to_owned(), Arc::new(manner));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, manner) = (folder.clone(), manner.clone());
            thread::spawn(move || answer(stream, &folder, &*manner));
        }
    });
    url
}

fn answer(mut stream: TcpStream, folder: &Path, manner: &dyn Fn(&str) -> Manner) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(path) = next_request(&mut reader) {
        let content = fs::read(folder.join(path.trim_start_matches('/'))).ok();
        let content = match manner(&path) {
            Manner::Stall => {
                // The client ends the connection.
                let _ = reader.read_line(&mut String::new());
                return;
            }
            Manner::Alter => content.map(|content| content.iter().map(|byte| byte ^ 1).collect()),
            Manner::Answer => content,
        };
        let status = if content.is_some() { "200 OK" } else { "404 Not Found" };
        let content = content.unwrap_or_default();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", content.len());
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&content)).is_err() {
            return;
        }
    }
}

/// The path of the next request on a connection.
fn next_request(reader: &mut impl BufRead) -> Option<String> {
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    Some(path)
}
