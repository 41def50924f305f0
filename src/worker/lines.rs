//! JSON lines of bounded length on a stream.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::MAX_LINE;

/// Reads values, one a line.
#[derive(Debug)]
pub struct Lines<R> {
    stream: R,
    /// What was read and not given out yet.
    pending: Vec<u8>,
}

/// A line cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The stream failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The line is longer than [`MAX_LINE`].
    #[error("a line is longer than {MAX_LINE} octets")]
    TooLong,
    /// The line does not hold what it should.
    #[error("a line is not understood")]
    Malformed(#[from] serde_json::Error),
}

impl<R: Read> Lines<R> {
    /// Reads from `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, pending: Vec::new() }
    }

    /// What is read from.
    pub(super) fn stream(&mut self) -> &mut R {
        &mut self.stream
    }

    /// The next line's value; `None` when the other side closed the stream. Blocks.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<Option<T>, LinesError> {
        let mut searched = 0;
        loop {
            let unsearched = self.pending.get(searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|&octet| octet == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=searched + at).collect();
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            searched = self.pending.len();
            if searched >= MAX_LINE {
                return Err(LinesError::TooLong);
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 8 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(count) => {
                    self.pending.extend(buffer.iter().take(count));
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Writes one value as a line.
pub fn write_line(stream: &mut impl Write, value: &impl Serialize) -> Result<(), LinesError> {
    Ok(stream.write_all(&line_of(value)?)?)
}

pub(super) fn line_of(value: &impl Serialize) -> Result<Vec<u8>, LinesError> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    if line.len() > MAX_LINE { Err(LinesError::TooLong) } else { Ok(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_however_the_stream_is_cut() {
        struct OneByOne<'a>(&'a [u8]);
        impl Read for OneByOne<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = 1.min(self.0.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let mut octets = Vec::new();
        write_line(&mut octets, &"one\ntwo").unwrap();
        write_line(&mut octets, &"three").unwrap();
        let mut lines = Lines::new(OneByOne(&octets));
        assert_eq!(lines.read::<String>().unwrap().unwrap(), "one\ntwo");
        assert_eq!(lines.read::<String>().unwrap().unwrap(), "three");
        assert!(lines.read::<String>().unwrap().is_none());
        let mut lines = Lines::new(octets.as_slice());
        assert_eq!(lines.read::<String>().unwrap().unwrap(), "one\ntwo");
        assert_eq!(lines.read::<String>().unwrap().unwrap(), "three");
    }

    #[test]
    fn a_line_without_end_is_refused_in_bounded_memory() {
        let mut lines = Lines::new(io::repeat(b'x'));
        assert!(matches!(lines.read::<String>(), Err(LinesError::TooLong)));
        assert!(lines.pending.len() <= MAX_LINE + 8 * 1024);
        assert!(matches!(write_line(&mut Vec::new(), &"x".repeat(MAX_LINE)), Err(LinesError::TooLong)));
    }

    #[test]
    fn rubbish_is_malformed() {
        assert!(matches!(Lines::new(&b"{]\n"[..]).read::<String>(), Err(LinesError::Malformed(_))));
    }
}
