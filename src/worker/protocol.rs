//! What the server and the worker say to each other: one JSON text a line, over a Unix socket.
//!
//! The worker speaks first ([`Reply::Hello`]); then each request gets exactly one reply, in order. After
//! [`Request::Watch`] the worker also sends [`Reply::Grown`] whenever a journal has new entries.
//!
//! When the program was upgraded, a server may find a worker that was started from the file before, of this version of the
//! protocol or of another; when its settings were changed, one that was told other ones. It gives it nothing to do but has it end ([`Request::Retire`]), which it does as soon as the job
//! at work has; what that job does stands in its journal, which every version reads, leaving out what it does not know.
//! Then the server starts a worker of its own program. The greeting, Retire and its answer stay as they are in all versions
//! from 3 on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Caller;
use crate::software::patch::PatchOperation;
use crate::software::vib::ImageOperation;
use crate::software::{ApplyError, Nevra, Operation, Plan};

/// The version of this protocol; both sides must speak the same one. It grows with every change of what is said.
pub const VERSION: u32 = 5;

/// The longest line either side accepts, in octets.
pub const MAX_LINE: usize = 4 * 1024 * 1024;

/// Tells one staged file from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StagedId(Uuid);

impl StagedId {
    /// A new one.
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl std::fmt::Display for StagedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl From<StagedId> for String {
    fn from(id: StagedId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for StagedId {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, uuid::Error> {
        Uuid::try_parse(&text).map(Self)
    }
}

/// A package file that the worker copied to its spool and found to be a package of its engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Its name in the spool.
    pub id: StagedId,
    /// The name that the file had where it came from, without folders.
    pub file_name: String,
    /// The package that the file says it holds.
    pub nevra: Nevra,
    /// Its size in octets.
    pub size: u64,
    /// The SHA-256 of its octets, in lower-case hexadecimal.
    pub sha256: String,
}

/// What the worker tells when a server connects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol's version, [`VERSION`].
    pub protocol: u32,
    /// The worker's process.
    pub pid: u32,
    /// The file that the worker's program was started from, as [`program_file`](super::program_file) tells it.
    #[serde(default)]
    pub program: String,
    /// The digest of what the worker was told when it was started, as the server that started it gave it; empty if it gave none.
    #[serde(default)]
    pub orders: String,
}

/// What a job is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Install the staged package, or update to it.
    InstallStaged {
        /// The file, as it was when it was staged.
        staged: Staged,
        /// Whether the same or an older build replaces what is installed.
        #[serde(default)]
        force: bool,
    },
    /// Fetch a package file, install it, or update to it.
    InstallRemote {
        /// Where it is: an http or https URL.
        url: String,
        /// Whether the same or an older build replaces what is installed.
        force: bool,
    },
    /// Change or look at packages that need no file; [`Operation::InstallFile`] is refused.
    Change(Operation),
    /// Compare a system with what was published for it, or have it patched; it ends with an assessment.
    Patch(PatchOperation),
    /// Do something with an image. Only the worker of an image does it, and it does nothing else.
    Image(ImageWork),
}

/// What a job does with an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageWork {
    /// Change it. Bundles are read where they are: every octet of them is verified while it is copied into the image.
    Change(ImageOperation),
}

/// What a server asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Send [`Reply::Grown`] from now on.
    Watch,
    /// Copy a local file to the spool and say what it is.
    Stage {
        /// Where the file is.
        path: PathBuf,
        /// Who asked for it.
        caller: Caller,
    },
    /// The same with the open file that comes with this line.
    StageUpload {
        /// Who sent it.
        caller: Caller,
    },
    /// Say whether a bundle for the image can be read: a file, or a folder.
    CheckBundle {
        /// Where it is.
        path: PathBuf,
        /// Who asked for it.
        caller: Caller,
    },
    /// Do this work under this job number, once.
    Run {
        /// The job's number.
        job: u64,
        /// What to do.
        operation: Work,
        /// Who asked for it.
        caller: Caller,
    },
    /// Say what this work would change. Changes nothing.
    Plan {
        /// The work.
        work: Work,
        /// Who asked for it.
        caller: Caller,
    },
    /// Enable or disable a repository.
    SetRepository {
        /// Its id.
        id: String,
        /// Whether packages are to be taken from it.
        enabled: bool,
        /// Who asked for it.
        caller: Caller,
    },
    /// Stop the job if nothing was changed yet. A job that was not run yet will never be.
    Cancel {
        /// The job's number.
        job: u64,
    },
    /// Delete a staged file that no job needs.
    Discard {
        /// The file.
        staged: StagedId,
    },
    /// Delete all staged files that are old and not in the list.
    Sweep {
        /// The files that jobs still need.
        keep: Vec<StagedId>,
        /// How old a file must be.
        older_than_seconds: u64,
    },
    /// Delete the journals of these jobs and what lies beside them. What the worker works on stays.
    Forget {
        /// Their numbers.
        jobs: Vec<u64>,
    },
    /// Take no further job, and end as soon as the one at work has ended.
    Retire,
}

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The first line of every connection.
    Hello(Hello),
    /// To [`Request::Watch`].
    Watching,
    /// To [`Request::Stage`] and [`Request::StageUpload`].
    Staged(Staged),
    /// To [`Request::CheckBundle`]: it can.
    Readable,
    /// To [`Request::Run`]: the journal has the job's first entry.
    Accepted,
    /// To [`Request::Plan`].
    Planned(Plan),
    /// To [`Request::SetRepository`]: it is so.
    RepositorySet,
    /// To [`Request::Cancel`]: the journal will tell whether it was in time.
    Cancelling,
    /// To [`Request::Cancel`]: the job had ended already.
    Ended,
    /// To [`Request::Discard`] and [`Request::Sweep`].
    Discarded,
    /// To [`Request::Forget`].
    Forgotten,
    /// To [`Request::Retire`]. Unless a job is at work, the worker ends now, and the connection with it.
    Retiring {
        /// Whether a job is at work.
        busy: bool,
    },
    /// The request was not carried out.
    Refused(Refusal),
    /// The journal of this job has new entries.
    Grown {
        /// The job's number.
        job: u64,
    },
}

/// Why the worker did not do what it was asked. The texts are for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Refusal {
    /// The file is not there, is no plain file, or cannot be read.
    #[error("{message}")]
    NotReadable {
        /// What is wrong with it.
        message: String,
    },
    /// The file is in no folder that the settings allow.
    #[error("the file is in no folder that packages may be read from")]
    NotAllowed,
    /// The file is no package of this engine.
    #[error("{message}")]
    NotAPackage {
        /// What is wrong with it.
        message: String,
    },
    /// The file is too large.
    #[error("the file is larger than the {limit} octets that are allowed")]
    TooLarge {
        /// The largest size in octets.
        limit: u64,
    },
    /// A copy of the file would fill the disk.
    #[error("there is not enough room for a copy of the file beside the store")]
    NoRoom,
    /// Too many staged files wait for their jobs.
    #[error("too many packages wait to be installed: try again when some jobs have ended")]
    SpoolFull,
    /// The caller's role does not allow the work.
    #[error("installing software needs the role operator")]
    NotPermitted,
    /// The work cannot be done, as a plan of it shows.
    #[error("{error}")]
    NotPossible {
        /// Why.
        error: ApplyError,
    },
    /// The repository's configuration is overridden elsewhere.
    #[error("{message}")]
    Overridden {
        /// By what, and what to do.
        message: String,
    },
    /// There is no repository with this id.
    #[error("there is no such repository")]
    NoRepository,
    /// The job was accepted before; work is never done twice.
    #[error("the job was run before")]
    AlreadyAccepted,
    /// Another job is being worked on.
    #[error("another job is running")]
    Busy,
    /// The worker was asked to retire.
    #[error("the worker is about to end and takes no further job")]
    Retiring,
    /// The staged file is gone or is not what was staged.
    #[error("the staged package is gone or was changed: submit the installation again")]
    StagedChanged,
    /// The request could not be read.
    #[error("the request is not understood")]
    Malformed,
    /// The worker itself has a problem, such as a full disk.
    #[error("the worker failed: {message}")]
    Internal {
        /// What went wrong, without paths.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_id_is_never_a_path() {
        for text in ["../../etc/passwd", "", "a/b", "00000000-0000-0000-0000-00000000000/"] {
            assert!(serde_json::from_value::<StagedId>(text.into()).is_err(), "{text}");
        }
        let id = StagedId::new();
        assert_eq!(serde_json::from_value::<StagedId>(id.to_string().into()).unwrap(), id);
    }

    #[test]
    fn lines_are_what_the_documentation_says() {
        let request = Request::Discard { staged: StagedId(Uuid::nil()) };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(text, r#"{"discard":{"staged":"00000000-0000-0000-0000-000000000000"}}"#);
        let refused = Reply::Refused(Refusal::TooLarge { limit: 5 });
        assert_eq!(serde_json::to_string(&refused).unwrap(), r#"{"refused":{"kind":"too_large","limit":5}}"#);
    }

    #[test]
    fn what_all_versions_understand_stays_as_it_is() {
        assert_eq!(serde_json::to_string(&Request::Retire).unwrap(), r#""retire""#);
        assert_eq!(serde_json::to_string(&Reply::Retiring { busy: true }).unwrap(), r#"{"retiring":{"busy":true}}"#);
        let hello = |text| serde_json::from_str::<Reply>(text).unwrap();
        let earlier = Hello { protocol: 2, pid: 5, program: String::new(), orders: String::new() };
        assert_eq!(hello(r#"{"hello":{"protocol":2,"pid":5}}"#), Reply::Hello(earlier));
        let later = Hello { protocol: 9, pid: 5, program: "1:2".to_owned(), orders: String::new() };
        assert_eq!(hello(r#"{"hello":{"protocol":9,"pid":5,"program":"1:2","mood":"good"}}"#), Reply::Hello(later));
    }
}
