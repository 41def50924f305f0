use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::client::AddressRules;
use crate::client::sink::{PATIENCE, Received, Reply, Sink};
use crate::clock::SystemClock;
use crate::software::{Family, Phase};
use crate::worker::Settings;

struct Silent;

impl Progress for Silent {
    fn started(&mut self, _: u32, _: u64) {}
    fn phase(&mut self, _: Phase, _: u8) {}
    fn note(&mut self, _: &str) {}
}

struct Fixture {
    state: tempfile::TempDir,
    spool: Spool,
    downloads: Downloads,
    clock: SharedClock,
    depot: Depot,
}

impl Fixture {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut worker = Settings::new(state.path().to_owned());
        worker.readable_folders = Some(vec![state.path().to_owned()]);
        let downloads = Downloads {
            rules: AddressRules::new(true),
            longest_silence: PATIENCE,
            first_wait: Duration::from_millis(1),
            ..Downloads::default()
        };
        Self {
            spool: Spool::open(&worker, Family::Deb).unwrap(),
            depot: Depot::open(state.path(), 100).unwrap(),
            downloads,
            clock: Arc::new(SystemClock),
            state,
        }
    }

    fn obtain(&self, uri: &str) -> Result<Kept, ApplyError> {
        let means = Means { downloads: &self.downloads, spool: &self.spool, clock: &self.clock };
        let kept = self.depot.obtain(uri, &means, &mut Silent, &CancelToken::default());
        let spooled = fs::read_dir(self.state.path().join("spool")).unwrap().count();
        assert_eq!(spooled, 0, "nothing stays in the spool");
        kept
    }

    fn files(&self) -> usize {
        fs::read_dir(self.state.path().join("depot")).unwrap().count()
    }
}

fn answer(tag: &str, body: &str) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\nETag: \"{tag}\"\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    Reply::Cut(head.into_bytes())
}

fn said(kept: Result<Kept, ApplyError>) -> String {
    kept.unwrap_err().to_string()
}

#[test]
fn metadata_is_fetched_once_for_as_long_as_it_is_the_same() {
    let fixture = Fixture::new();
    let sink = Sink::http(|asked: &Received| match asked.header("if-none-match") {
        None => answer("1", "first"),
        Some("\"1\"") if asked.path == "/same" => Reply::Cut(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()),
        Some("\"1\"") => answer("2", "second"),
        other => panic!("{other:?}"),
    });
    let same = sink.url().replace("/sink", "/same");
    let first = fixture.obtain(&same).unwrap();
    assert_eq!(fs::read(&first.path).unwrap(), b"first");
    let again = fixture.obtain(&same).unwrap();
    assert_eq!((&again.path, &again.source.sha256), (&first.path, &first.source.sha256));
    assert!(again.source.checked_at > first.source.checked_at);
    // Two addresses of the same octets share a file; what came later at one of them does not.
    assert_eq!(fixture.obtain(&sink.url()).unwrap().path, first.path);
    assert_eq!(fs::read(fixture.obtain(&sink.url()).unwrap().path).unwrap(), b"second");
    assert_eq!(fixture.files(), 3, "two files and the list");
    assert_eq!(fixture.depot.find(&first.source).unwrap().path, first.path);
    let reopened = Depot::open(fixture.state.path(), 100).unwrap();
    assert_eq!(*reopened.lock(), *fixture.depot.lock());
}

#[test]
fn what_was_scanned_is_there_when_its_address_has_something_else() {
    let fixture = Fixture::new();
    let sink = Sink::http(|asked: &Received| match asked.header("if-none-match") {
        None => answer("1", "first"),
        Some("\"1\"") => answer("2", "second"),
        other => panic!("{other:?}"),
    });
    let first = fixture.obtain(&sink.url()).unwrap();
    let second = fixture.obtain(&sink.url()).unwrap();
    for kept in [&second, &first] {
        assert_eq!(fixture.depot.find(&kept.source).unwrap().path, kept.path);
    }
    assert_eq!(fs::read(&first.path).unwrap(), b"first");
}

#[test]
fn what_was_changed_or_left_behind_is_not_used() {
    let fixture = Fixture::new();
    let sink = Sink::http(|asked: &Received| {
        assert_eq!(asked.header("if-none-match"), None, "what is not here is not asked about");
        answer("1", "first")
    });
    let kept = fixture.obtain(&sink.url()).unwrap();
    fs::write(&kept.path, "fir5t").unwrap();
    assert!(said(fixture.depot.find(&kept.source)).contains("Scan the host again"));
    assert_eq!(fs::read(fixture.obtain(&sink.url()).unwrap().path).unwrap(), b"first");
    let strange = MetadataSource { sha256: "../../etc/passwd".to_owned(), ..kept.source };
    assert!(said(fixture.depot.find(&strange)).contains("Scan the host again"));
    fs::write(fixture.state.path().join("depot/left.zip"), "left").unwrap();
    Depot::open(fixture.state.path(), 100).unwrap();
    assert_eq!(fixture.files(), 2);
}

#[test]
fn local_files_are_copied_and_what_cannot_be_had_is_told() {
    let fixture = Fixture::new();
    let file = fixture.state.path().join("metadata.zip");
    fs::write(&file, "local").unwrap();
    let uri = format!("file://{}", file.display());
    let kept = fixture.obtain(&uri).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(fs::read(&kept.path).unwrap(), b"local");
    let error = said(fixture.obtain(&uri));
    let text = format!(
        "[MetadataDownloadError] Failed to download metadata: there is no such file. See that the address is right and that the \
         host can read what is there, and submit the job again. url = {uri}"
    );
    assert_eq!(error, text);
    assert!(said(fixture.obtain("file:///etc/passwd")).contains("no folder that packages may be read from"));
    let sink = Sink::http(|_| answer("1", &"x".repeat(101)));
    assert!(said(fixture.obtain(&sink.url())).contains("larger than the 100 octets"));
    let sink = Sink::http(|_| Reply::Answer(404, String::new()));
    let error = said(fixture.obtain(&sink.url()));
    assert!(error.starts_with("[MetadataDownloadError] ") && error.contains("no such file"), "{error}");
}

#[test]
fn what_was_used_least_recently_makes_room() {
    let fixture = Fixture::new();
    let sink = Sink::http(|asked: &Received| answer("1", &asked.path));
    let kept: Vec<Kept> = (0..MOST_FILES + 1)
        .map(|number| fixture.obtain(&sink.url().replace("/sink", &format!("/{number}"))).unwrap())
        .collect();
    assert_eq!(fixture.files(), MOST_FILES + 1, "the files and the list");
    assert!(fixture.depot.find(&kept[0].source).is_err());
    fixture.depot.find(&kept[1].source).unwrap();
}
