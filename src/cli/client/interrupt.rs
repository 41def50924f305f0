//! Ctrl-C of a person who waits for the work of hosts: the first one leaves the work to them, the second ends the program at once.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long a host that is just being asked to begin something may take to answer, once nobody waits any more: whoever leaves
/// wants to know what has begun.
const GRACE: Duration = Duration::from_secs(3);

/// How often the person has pressed Ctrl-C.
#[derive(Debug)]
pub(super) struct Interrupt {
    pressed: watch::Sender<u32>,
}

impl Interrupt {
    pub(super) fn new() -> Self {
        Self { pressed: watch::Sender::new(0) }
    }

    /// From now on Ctrl-C does not end the program by itself. Not before all questions are asked, which it is to end.
    pub(super) fn heed(&self) -> io::Result<()> {
        let mut signals = signal(SignalKind::interrupt())?;
        let pressed = self.pressed.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                pressed.send_modify(|times| *times = times.saturating_add(1));
            }
        });
        Ok(())
    }

    /// Whether nobody waits any more: nothing else is to begin.
    pub(super) fn was_pressed(&self) -> bool {
        *self.pressed.borrow() > 0
    }

    /// Waits until nobody waits any more.
    pub(super) async fn pressed(&self) {
        self.pressed_times(1).await;
    }

    /// Waits until nobody waits any more, not even for a host that is just being asked.
    pub(super) async fn out_of_patience(&self) {
        self.pressed().await;
        tokio::time::sleep(GRACE).await;
    }

    /// Waits until the program is to end at once.
    pub(super) async fn insisted(&self) {
        self.pressed_times(2).await;
    }

    async fn pressed_times(&self, times: u32) {
        // It cannot fail, since the sender is here.
        let _ = self.pressed.subscribe().wait_for(|pressed| *pressed >= times).await;
    }
}
