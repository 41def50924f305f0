//! What a process of another user says, shown on the terminal of this one: it has no part of the terminal itself, over which it
//! could type for whoever sits there.

use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, Read, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::audit::one_line;

/// The longest line that is shown as one, in octets.
const LONGEST_LINE: u64 = 64 * 1024;
/// How long the last words of a process that has ended are waited for: what it started may keep the pipe.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One of the streams that a process writes to, on its way to one of ours.
#[derive(Debug)]
pub(super) struct Relay {
    said_all: Option<Receiver<()>>,
}

impl Relay {
    /// What a process is to have in the place of our stream: the stream itself, if it is no terminal, else a pipe.
    pub(super) fn to<W: Write + IsTerminal + Send + 'static>(ours: W) -> io::Result<(Stdio, Self)> {
        if !ours.is_terminal() {
            return Ok((Stdio::inherit(), Self { said_all: None }));
        }
        let (from, to) = io::pipe()?;
        let (tell, said_all) = channel();
        let pass = move || {
            // Whoever reads has gone: nobody is left to tell.
            let _ = pass_on(from, ours);
            let _ = tell.send(());
        };
        thread::Builder::new().name("relay".to_owned()).spawn(pass)?;
        Ok((to.into(), Self { said_all: Some(said_all) }))
    }

    /// Waits for the last words of a process that has ended.
    pub(super) fn end(self) {
        if let Some(said_all) = self.said_all {
            let _ = said_all.recv_timeout(LAST_WORDS);
        }
    }
}

/// Passes lines on, without what steers a terminal.
fn pass_on(from: PipeReader, mut to: impl Write) -> io::Result<()> {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        if (&mut from).take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
        let shown: Vec<String> = text.split('\t').map(one_line).collect();
        write!(to, "{}{end}", shown.join("\t"))?;
        to.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_as_they_are_but_for_what_steers_a_terminal() {
        let (from, mut to) = io::pipe().unwrap();
        to.write_all("one\ttwo über\n\u{1b}[2J\rthree".as_bytes()).unwrap();
        drop(to);
        let mut shown = Vec::new();
        pass_on(from, &mut shown).unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), "one\ttwo über\n\\u{1b}[2J\\rthree");
    }
}
