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

pub use super::refusal::Refusal;
use crate::access::Caller;
use crate::software::patch::PatchOperation;
use crate::software::vib::{BundleIdentity, ImageOperation, SeenBundles};
use crate::software::{Nevra, Operation, Plan};

/// The version of this protocol; both sides must speak the same one. It grows with every change of what is said.
pub const VERSION: u32 = 6;

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
    /// Change an image; only the worker of an image does it. Bundles are read where they are: every octet of them is verified
    /// while it is copied into the image.
    Image {
        /// What to do.
        operation: ImageOperation,
        /// What [`Reply::Readable`] said of the bundles, as far as it was asked for.
        seen: SeenBundles,
    },
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
        /// Who asked for it.
        caller: Caller,
    },
    /// Delete a staged file that no job needs.
    Discard {
        /// The file.
        staged: StagedId,
        /// Who asked for it.
        caller: Caller,
    },
    /// Delete all staged files that are old and not in the list.
    Sweep {
        /// The files that jobs still need.
        keep: Vec<StagedId>,
        /// How old a file must be; none that is younger than a minute is deleted.
        older_than_seconds: u64,
        /// Who asked for it.
        caller: Caller,
    },
    /// Delete the journals of these jobs and what lies beside them, and from now on run no job whose number is below the lowest.
    /// What the worker or a tool works on stays, and so does what is not below the lowest.
    Forget {
        /// Their numbers.
        jobs: Vec<u64>,
        /// The lowest number that a job may still have.
        lowest: u64,
        /// Who asked for it.
        caller: Caller,
    },
    /// Take no further job, and end as soon as the one at work has ended.
    Retire,
}

impl Request {
    /// Who asks; `None` for what concerns nothing but the connection and the worker's life.
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::Watch | Self::Retire => None,
            Self::Stage { caller, .. }
            | Self::StageUpload { caller }
            | Self::CheckBundle { caller, .. }
            | Self::Run { caller, .. }
            | Self::Plan { caller, .. }
            | Self::SetRepository { caller, .. }
            | Self::Cancel { caller, .. }
            | Self::Discard { caller, .. }
            | Self::Sweep { caller, .. }
            | Self::Forget { caller, .. } => Some(caller),
        }
    }
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
    /// To [`Request::CheckBundle`]: it can, and this is the one that lies there.
    Readable(BundleIdentity),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

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
        let request = Request::Cancel { job: 7, caller: Caller::new("olga", Role::Operator) };
        let caller = r#"{"name":"olga","role":"operator","address":null,"scheme":null}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), format!(r#"{{"cancel":{{"job":7,"caller":{caller}}}}}"#));
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
