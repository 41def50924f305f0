//! A web server for the files of a folder, on a free port of the loopback interface.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

/// It serves as long as the test runs.
#[derive(Debug)]
pub struct FileServer {
    address: SocketAddr,
}

impl FileServer {
    /// Serves the folder.
    pub fn new(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = folder.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                thread::spawn(move || serve(stream, &folder));
            }
        });
        Self { address }
    }

    /// The address of the folder.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// An address at which nobody listens.
pub fn closed_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Answers requests on one connection until the client closes it.
fn serve(mut stream: TcpStream, folder: &Path) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let path = request
            .split(' ')
            .nth(1)?
            .trim_start_matches('/')
            .replace("%2b", "+")
            .replace("%3a", ":")
            .replace("%7e", "~");
        let file: PathBuf = folder.join(path);
        match fs::read(file) {
            Ok(content) => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len()).ok()?;
                stream.write_all(&content).ok()?;
            }
            Err(_) => write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok()?,
        }
    }
}
