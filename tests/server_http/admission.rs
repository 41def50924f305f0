//! All places taken: who gets in, and who makes room.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use super::raw_client::{Client, connector, tcp};
use super::{TestServer, ann};

/// A server with so few places, and so much time that nobody goes because of it.
fn server(connections: usize) -> TestServer {
    TestServer::start_with(|config| {
        config.limits.connections = connections;
        config.limits.head_time = Duration::from_secs(300);
        config.limits.keep_alive = Duration::from_secs(300);
    })
}

#[test]
fn those_who_show_nothing_of_themselves_make_room_and_those_who_are_known_stay() {
    const PLACES: usize = 8;
    let server = server(PLACES);
    let mut known = server.client();
    assert!(known.identify("/wsman", &ann()).came_through());
    // Some do not even begin their handshake, others never ask for anything.
    let mut silent: Vec<_> = (0..3 * PLACES).map(|_| tcp(server.address)).collect();
    let shaken: Vec<_> = (0..3 * PLACES).map(|_| Client::connect(server.address, &server.certificate)).collect();
    let mut newcomer = server.client();
    assert!(newcomer.identify("/wsman", &ann()).came_through());
    assert!(known.identify("/wsman", &ann()).came_through(), "a connection of somebody known was cut off");
    // The last of them may still have places.
    for stream in silent.iter_mut().take(2 * PLACES) {
        let end = stream.read(&mut [0]);
        let is_cut_off = matches!(&end, Ok(0)) || end.as_ref().is_err_and(|e| e.kind() == ErrorKind::ConnectionReset);
        assert!(is_cut_off, "{end:?}");
    }
    drop(shaken);
}

#[test]
fn without_strangers_whoever_has_asked_for_nothing_for_longest_makes_room() {
    const PLACES: usize = 3;
    let server = server(PLACES);
    let mut clients: Vec<_> = (0..PLACES).map(|_| server.client()).collect();
    for client in &mut clients {
        assert!(client.identify("/wsman", &ann()).came_through());
        // The clock of the server counts milliseconds.
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(3) {
            std::hint::spin_loop();
        }
    }
    assert!(clients[0].identify("/wsman", &ann()).came_through());
    let stream = connector(&server.certificate).connect("localhost", tcp(server.address)).unwrap();
    assert!(Client::over(stream).identify("/wsman", &ann()).came_through());
    // The one that was quiet for longest hears the end.
    assert!(clients.remove(1).rest().is_empty());
    for client in &mut clients {
        assert!(client.identify("/wsman", &ann()).came_through());
    }
}
