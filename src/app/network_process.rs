//! The process that faces the network, for its keeper and for itself: the keeper starts it, passes signals on, and hears over a
//! socket, which is that process's standard input, when it goes by other settings. If the keeper was given the port, it goes over the
//! socket first.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::account::{self, Account};
use super::relay::Relay;
use crate::config::Config;
use crate::worker;

/// What the process is told of its keeper…
const KEEPER_OPTION: &str = "--keeper";
/// …and of the user that it is to become.
const USER_OPTION: &str = "--become";
/// The folders that it is told in their place, wherever the command line or the settings have them.
const FOLDER_OPTIONS: [&str; 2] = ["--state-dir", "--worker-dir"];

/// What stands for each thing that is said over the socket: it is one octet.
const SAID: [u8; 1] = [b'.'];
/// How long the keeper may take to hear that other settings hold.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process, as its keeper has it.
#[derive(Debug)]
pub(super) struct NetworkProcess {
    child: Child,
    socket: tokio::net::UnixStream,
    relays: [Relay; 2],
}

impl NetworkProcess {
    /// Starts the same program with the same words. It ends when the thread that calls this does. Needs a runtime around it.
    pub(super) fn start(config: &Config, account: &Account, port: Option<impl AsFd>) -> io::Result<Self> {
        let (ours, its) = UnixStream::pair()?;
        send(&ours, port.as_ref().map(AsFd::as_fd))?;
        ours.set_nonblocking(true)?;
        let ((stdout, says), (stderr, complains)) = (Relay::to(io::stdout())?, Relay::to(io::stderr())?);
        let mut arguments = without_folders(std::env::args_os().skip(1));
        let folders = [config.state_dir.as_os_str(), config.worker_dir().as_os_str()];
        for (option, folder) in FOLDER_OPTIONS.into_iter().zip(folders) {
            arguments.extend([option.into(), folder.to_owned()]);
        }
        let (keeper, user) = (std::process::id().to_string(), account.numbers().to_string());
        arguments.extend([KEEPER_OPTION.into(), keeper.into(), USER_OPTION.into(), user.into()]);
        let name = std::env::args_os().next().unwrap_or_else(|| env!("CARGO_PKG_NAME").into());
        let mut command = Command::new("/proc/self/exe");
        command.arg0(name).args(arguments).stdin(OwnedFd::from(its)).stdout(stdout).stderr(stderr);
        let socket = tokio::net::UnixStream::from_std(ours)?;
        Ok(Self { child: command.spawn()?, socket, relays: [says, complains] })
    }

    /// Passes signals on until the process ends. `take` is called when it goes by the settings as they are now, after SIGHUP.
    pub(super) async fn run(mut self, take: &mut dyn FnMut()) -> io::Result<ExitStatus> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let (mut is_asked, mut is_open) = (false, true);
        loop {
            let mut said = SAID;
            let told = tokio::select! {
                status = self.child.wait() => {
                    self.relays.into_iter().for_each(Relay::end);
                    return status;
                }
                _ = terminate.recv() => Signal::TERM,
                _ = interrupt.recv() => Signal::INT,
                _ = hang_up.recv() => {
                    is_asked = true;
                    Signal::HUP
                }
                read = self.socket.read(&mut said), if is_open => {
                    is_open = matches!(read, Ok(1..));
                    if is_open {
                        if std::mem::take(&mut is_asked) {
                            take();
                        }
                        // If it is gone, it is not told.
                        let _ = self.socket.write_all(&SAID).await;
                    }
                    continue;
                }
            };
            tell(&self.child, told);
        }
    }
}

fn tell(child: &Child, told: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(Err(error)) = pid.map(|pid| kill_process(pid, told)) {
        tracing::warn!(%error, "a signal cannot be passed on");
    }
}

/// The words without those that name the folders.
fn without_folders(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut is_value = false;
    for word in words {
        let is_option = |option: &&str| word == OsStr::new(option);
        let is_both = |option: &&str| word.to_string_lossy().starts_with(&format!("{option}="));
        let is_name = !is_value && FOLDER_OPTIONS.iter().any(is_option);
        if !is_value && !is_name && !FOLDER_OPTIONS.iter().any(is_both) {
            kept.push(word);
        }
        is_value = is_name;
    }
    kept
}

/// The keeper, as the process itself has it.
#[derive(Debug)]
pub struct Keeper(UnixStream);

impl Keeper {
    /// Makes this process, which a keeper started, end when the keeper does, and gives up what rights it could still gain. Gives the
    /// port if the keeper was given one. To be called before there are further threads.
    pub fn begin(keeper: u32) -> io::Result<(Self, Option<OwnedFd>)> {
        set_parent_process_death_signal(Some(Signal::TERM))?;
        if getppid().is_none_or(|parent| parent.as_raw_nonzero().get().unsigned_abs() != keeper) {
            return Err(io::Error::other("the process that started this one is gone"));
        }
        worker::take_name();
        account::renounce()?;
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        // No tool shall get it.
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let port = receive(&socket)?;
        Ok((Self(socket), port))
    }

    /// Tells the keeper that other settings hold, and waits until it goes by them, too. Blocks.
    pub fn settings_hold(&self) {
        let mut heard = SAID;
        if let Err(error) = (&self.0).write_all(&SAID).and_then(|()| (&self.0).read_exact(&mut heard)) {
            tracing::error!(%error, "the process that starts workers does not hear of the settings: start the service again");
        }
    }
}

/// Begins the conversation, with the port if there is one.
fn send(socket: &UnixStream, port: Option<std::os::fd::BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut files = SendAncillaryBuffer::new(&mut space);
    let port: Vec<_> = port.into_iter().collect();
    if !port.is_empty() && !files.push(SendAncillaryMessage::ScmRights(&port)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(socket, &[IoSlice::new(&SAID)], &mut files, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(socket: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut files = RecvAncillaryBuffer::new(&mut space);
    let mut said = SAID;
    recvmsg(socket, &mut [IoSliceMut::new(&mut said)], &mut files, RecvFlags::CMSG_CLOEXEC)?;
    let mut port = None;
    for message in files.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = message {
            port = files.last();
        }
    }
    Ok(port)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn the_port_goes_over_the_socket_if_there_is_one() {
        let (ours, its) = UnixStream::pair().unwrap();
        send(&ours, None).unwrap();
        assert!(receive(&its).unwrap().is_none());
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        send(&ours, Some(port.as_fd())).unwrap();
        let same = TcpListener::from(receive(&its).unwrap().unwrap());
        assert_eq!(same.local_addr().unwrap(), port.local_addr().unwrap());
    }

    #[test]
    fn folders_are_taken_out_of_the_words_however_they_are_written() {
        let words = ["serve", "--state-dir", "--worker-dir", "--worker-dir=/w", "--root", "--state-dir=", "-x"];
        let kept = without_folders(words.into_iter().map(OsString::from));
        assert_eq!(kept, ["serve", "--root", "-x"]);
    }
}
