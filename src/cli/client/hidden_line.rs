//! A line that somebody types at the terminal and that is not shown.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The longest line that a terminal gives, in octets (termios(3), canonical mode).
const LONGEST: usize = 4096;

/// Asks for it. The terminal shows nothing from before the question on, as a program that answers does not wait.
pub(super) fn ask(question: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let _hidden = Hidden::begin(terminal.try_clone()?)?;
    terminal.write_all(question.as_bytes())?;
    let mut typed = Zeroizing::new([0; LONGEST]);
    let count = terminal.read(typed.as_mut_slice())?;
    let line = typed.get(..count).unwrap_or_default();
    let text = std::str::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    match text.strip_suffix('\n') {
        Some(text) => Ok(Zeroizing::new(text.to_owned())),
        None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the line has no end")),
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    /// What was typed before is thrown away: it was no answer.
    fn begin(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The end of the line was not shown either. A terminal that is gone has nothing to restore.
        let _ = self.terminal.write_all(b"\n");
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
