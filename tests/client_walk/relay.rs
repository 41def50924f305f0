//! An address that stays while what is behind it comes and goes.

use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

/// Passes on what comes to a port of loopback.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Where it listens.
    pub(crate) port: u16,
    behind: Arc<AtomicU16>,
}

impl Relay {
    /// Passes it on to this port of loopback.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { port: listener.local_addr().unwrap().port(), behind: Arc::new(AtomicU16::new(port)) };
        let behind = Arc::clone(&relay.behind);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // Who finds nobody behind it is let go.
                let Ok(far) = TcpStream::connect(("127.0.0.1", behind.load(Ordering::SeqCst))) else { continue };
                let pairs = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
                for (from, to) in pairs {
                    let (mut from, mut to) = (from.unwrap(), to.unwrap());
                    thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        relay
    }

    /// From now on it passes it on to another port.
    pub(crate) fn turn_to(&self, port: u16) {
        self.behind.store(port, Ordering::SeqCst);
    }
}
