//! Reads `modules.yaml`: the streams of modules and which of them is the default (modulemd version 2, modulemd-defaults
//! version 1).

use std::collections::BTreeSet;
use std::io;

use super::yaml::{self, Node};

/// How many builds of packages the documents of one list may name; those of a distribution name some hundred thousand.
const MOST_BUILDS: usize = 2_000_000;

/// How many streams they may describe; those of a distribution describe some thousand.
const MOST_STREAMS: usize = 20_000;

/// How many streams of modules they may need all together; those of a distribution need some ten thousand.
const MOST_NEEDS: usize = 200_000;

/// What the documents say.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// The streams, one for each context.
    pub streams: Vec<Stream>,
    /// The default streams.
    pub defaults: Vec<DefaultStream>,
    /// How many builds all streams have.
    builds: usize,
    /// How much all streams need.
    needs: usize,
}

/// A stream of a module, as it was built in one context.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stream {
    /// The name of the module.
    pub module: String,
    /// The name of the stream.
    pub stream: String,
    /// Which of its builds, that differ in what they need.
    pub context: String,
    /// What it needs: one of these, each a list of modules with the streams of them that will do.
    pub needs: Vec<Vec<Need>>,
    /// Its packages: `name-epoch:version-release.architecture`.
    pub builds: Vec<String>,
}

/// A module that is needed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// Its name.
    pub module: String,
    /// The only streams of it that will do; all if there is none.
    pub taken: BTreeSet<String>,
    /// Those that will not.
    refused: BTreeSet<String>,
}

impl Need {
    /// A need of one of these streams, or where `-` is before them of none of these.
    pub(super) fn new(module: String, streams: impl IntoIterator<Item = String>) -> Self {
        let (mut taken, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for text in streams {
            match text.strip_prefix('-') {
                Some(stream) => refused.insert(stream.to_owned()),
                None => taken.insert(text),
            };
        }
        Self { module, taken, refused }
    }

    /// Whether a stream of the module will do.
    pub(super) fn takes(&self, stream: &str) -> bool {
        !self.refused.contains(stream) && (self.taken.is_empty() || self.taken.contains(stream))
    }
}

/// The stream of a module that counts where none is chosen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DefaultStream {
    /// The name of the module.
    pub module: String,
    /// The name of the stream; `None` if there is no default one.
    pub stream: Option<String>,
}

impl Documents {
    /// Adds the documents of a text. What is read before damage is found stays.
    pub(super) fn read(&mut self, text: &str) -> io::Result<()> {
        let mut is_too_much = false;
        yaml::read(text, |document| is_too_much |= !self.take(document))?;
        if is_too_much {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it has more modules than any repository"));
        }
        Ok(())
    }

    /// Takes a document; tells whether there was room for it.
    fn take(&mut self, document: &Node) -> bool {
        let Some(data) = document.get("data") else { return true };
        match document.text("document") {
            Some("modulemd" | "modulemd-stream") => {
                let Some(stream) = Stream::of(data) else { return true };
                self.builds += stream.builds.len();
                self.needs += stream.need_count();
                if self.builds > MOST_BUILDS || self.needs > MOST_NEEDS || self.streams.len() >= MOST_STREAMS {
                    return false;
                }
                self.streams.push(stream);
            }
            Some("modulemd-defaults") => self.defaults.extend(data.text("module").map(|module| DefaultStream {
                module: module.to_owned(),
                stream: data.text("stream").filter(|stream| !stream.is_empty()).map(str::to_owned),
            })),
            _ => {}
        }
        true
    }
}

impl Stream {
    fn of(data: &Node) -> Option<Self> {
        let builds = data.get("artifacts").and_then(|artifacts| artifacts.get("rpms"));
        let needs = data.get("dependencies").map(Node::items).unwrap_or_default();
        Some(Self {
            module: data.text("name")?.to_owned(),
            stream: data.text("stream")?.to_owned(),
            context: data.text("context").unwrap_or_default().to_owned(),
            needs: needs.iter().map(|needs| needs.get("requires").map(wanted).unwrap_or_default()).collect(),
            builds: builds.map(|builds| builds.texts().map(str::to_owned).collect()).unwrap_or_default(),
        })
    }

    /// How many streams of modules its needs name, each list and each module counting too.
    fn need_count(&self) -> usize {
        let of_one = |need: &Need| 1 + need.taken.len() + need.refused.len();
        self.needs.iter().map(|needs| 1 + needs.iter().map(of_one).sum::<usize>()).sum()
    }
}

fn wanted(requires: &Node) -> Vec<Need> {
    let need = |(module, streams): &(String, Node)| Need::new(module.clone(), streams.texts().map(str::to_owned));
    requires.entries().iter().map(need).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_defaults_are_read_and_other_documents_passed_over() {
        let text = "---\ndocument: modulemd\nversion: 2\ndata:\n  name: php\n  stream: 7.30\n  version: 20\n  context: c0ffee\n  \
                    dependencies:\n  - buildrequires: {x: [1]}\n    requires:\n      httpd: [2.4]\n      nginx: []\n      perl: [-5.24]\n  \
                    artifacts:\n    rpms:\n    - php-0:7.30-1.x86_64\n...\n---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  \
                    module: php\n  stream: '7.30'\n...\n---\ndocument: modulemd-defaults\ndata: {module: perl}\n---\n\
                    document: modulemd-translations\ndata: {module: php}\n---\ndocument: modulemd\ndata: {name: odd}\n--- 3\n";
        let mut documents = Documents::default();
        documents.read(text).unwrap();
        let [php] = documents.streams.as_slice() else { panic!("{documents:?}") };
        assert_eq!((&*php.module, &*php.stream, &*php.context), ("php", "7.30", "c0ffee"));
        assert_eq!(php.builds, ["php-0:7.30-1.x86_64"]);
        let [needs] = php.needs.as_slice() else { panic!("{php:?}") };
        let takes = |at: usize| ["2.4", "5.24"].map(|stream| needs[at].takes(stream));
        assert_eq!((takes(0), takes(1), takes(2)), ([true, false], [true, true], [true, false]));
        let defaults: Vec<_> = documents.defaults.iter().map(|d| (&*d.module, d.stream.as_deref())).collect();
        assert_eq!(defaults, [("php", Some("7.30")), ("perl", None)]);
    }

    #[test]
    fn more_than_any_repository_has_is_not_taken() {
        let needing = |count: usize| {
            let needs = "x: [1], ".repeat(count);
            format!(
                "---\ndocument: modulemd\ndata: {{name: a, stream: 1, dependencies: [{{requires: {{{needs}}}}}]}}\n"
            )
        };
        // Each need counts for its module and for its stream, and each list for itself.
        let most = MOST_NEEDS / 4;
        let mut documents = Documents::default();
        documents.read(&needing(most - 1)).unwrap();
        documents.read(&needing(most)).unwrap();
        assert_eq!(documents.streams.len(), 2);
        assert!(documents.read(&needing(1)).is_err());
        assert_eq!(documents.streams.len(), 2);
    }
}
