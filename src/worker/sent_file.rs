//! An open file that goes with a line over the socket: who reads it follows no path of who sent it, and who sent it needs no folder
//! that both may enter.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;

use super::lines::{LinesError, line_of};

/// Writes one value as a line, and gives the other side the file with it.
pub fn write_line_with_file(mut stream: &UnixStream, value: &impl Serialize, file: &File) -> Result<(), LinesError> {
    let line = line_of(value)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut files = SendAncillaryBuffer::new(&mut space);
    let file = [file.as_fd()];
    if !files.push(SendAncillaryMessage::ScmRights(&file)) {
        return Err(LinesError::Io(io::ErrorKind::InvalidInput.into()));
    }
    // The file goes with the first octets.
    let sent = sendmsg(stream, &[IoSlice::new(&line)], &mut files, SendFlags::NOSIGNAL).map_err(io::Error::from)?;
    Ok(stream.write_all(line.get(sent..).unwrap_or_default())?)
}

/// The reading side of a socket, which keeps the last file that came until somebody asks for it.
#[derive(Debug)]
pub(super) struct Receiving<'s> {
    stream: &'s UnixStream,
    file: Option<OwnedFd>,
}

impl<'s> Receiving<'s> {
    pub(super) fn new(stream: &'s UnixStream) -> Self {
        Self { stream, file: None }
    }

    /// The last file that came with what was read; the system may have told of it together with an earlier line.
    pub(super) fn take_file(&mut self) -> Option<File> {
        self.file.take().map(File::from)
    }
}

impl Read for Receiving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Of a message with more files the system closes those for which there is no room here.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut buffers = [IoSliceMut::new(buffer)];
        let received = recvmsg(self.stream, &mut buffers, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.file = files.last();
            }
        }
        Ok(received.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::super::lines::{Lines, write_line};
    use super::*;

    #[test]
    fn a_file_comes_with_its_line_and_is_given_out_once() {
        let (one, other) = UnixStream::pair().unwrap();
        let mut sent = tempfile::tempfile().unwrap();
        sent.write_all(b"content").unwrap();
        write_line(&mut &one, &"without").unwrap();
        write_line_with_file(&one, &"with", &sent).unwrap();
        write_line(&mut &one, &"without again").unwrap();
        let mut lines = Lines::new(Receiving::new(&other));
        let mut next = || lines.read::<String>().unwrap().unwrap();
        assert_eq!([next(), next()], ["without", "with"]);
        let mut content = String::new();
        let mut file = lines.stream().take_file().unwrap();
        file.rewind().unwrap();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
        assert_eq!(lines.read::<String>().unwrap().unwrap(), "without again");
        assert!(lines.stream().take_file().is_none());
    }
}
