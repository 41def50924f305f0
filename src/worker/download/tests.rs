use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::client::sink::{PATIENCE, Received, Reply, Sink, dead_url};
use crate::software::Family;
use crate::worker::Settings;

const FILE: &[u8] = b"0123456789";

/// Keeps the percentages, and cancels at the first if it is told to.
#[derive(Default)]
struct Told {
    percents: Vec<u8>,
    cancel: Option<CancelToken>,
}

impl Progress for Told {
    fn started(&mut self, _: u32, _: u64) {}

    fn phase(&mut self, phase: Phase, percent: u8) {
        assert_eq!(phase, Phase::Downloading);
        self.percents.push(percent);
        if let Some(token) = &self.cancel {
            token.cancel();
        }
    }

    fn note(&mut self, _: &str) {}
}

struct Fixture {
    _state: tempfile::TempDir,
    spool: Spool,
    settings: Downloads,
}

impl Fixture {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let worker = Settings { max_package_octets: 16, ..Settings::new(state.path().to_owned()) };
        let spool = Spool::open(&worker, Family::Deb).unwrap();
        let settings = Downloads {
            rules: AddressRules::new(true),
            longest_silence: PATIENCE,
            first_wait: Duration::from_millis(1),
            ..Downloads::default()
        };
        Self { spool, settings, _state: state }
    }

    fn fetch(&self, url: &str) -> Result<Vec<u8>, ApplyError> {
        self.fetch_with(url, &mut Told::default(), &CancelToken::default())
    }

    /// The octets of the file; whatever came of it, nothing stays in the spool.
    fn fetch_with(&self, url: &str, told: &mut Told, cancel: &CancelToken) -> Result<Vec<u8>, ApplyError> {
        let url = Url::parse(url).unwrap();
        let result = download(&self.settings, &url, &self.spool, told, cancel);
        let octets = result.map(|file| fs::read(file.path()).unwrap());
        assert_eq!(fs::read_dir(self._state.path().join("spool")).unwrap().count(), 0);
        octets
    }
}

/// A server whose answers follow each other; the last is given again and again.
fn server(answers: impl IntoIterator<Item = Reply>) -> Sink {
    let (answers, asked): (Vec<Reply>, _) = (answers.into_iter().collect(), AtomicUsize::new(0));
    Sink::http(move |_| answers[asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)].clone())
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat()
}

/// The whole file; fewer octets are one that breaks off.
fn whole(octets: &[u8]) -> Reply {
    Reply::Cut(answer("200 OK\r\nContent-Length: 10\r\nETag: \"one\"", octets))
}

fn rest(range: &str, tag: &str, octets: &[u8]) -> Reply {
    let head = format!("206 Partial\r\nContent-Length: {}\r\nContent-Range: {range}\r\nETag: {tag}", octets.len());
    Reply::Cut(answer(&head, octets))
}

fn ranges(sink: &Sink) -> Vec<Option<String>> {
    sink.rest().iter().map(|asked: &Received| asked.header("range").map(str::to_owned)).collect()
}

#[test]
fn a_file_comes_and_its_progress_is_told() {
    let fixture = Fixture::new();
    let sink = server([whole(FILE)]);
    let mut told = Told::default();
    assert_eq!(fixture.fetch_with(&sink.url(), &mut told, &CancelToken::default()).unwrap(), FILE);
    assert_eq!((told.percents[0], told.percents.last()), (0, Some(&SHARE)));
}

#[test]
fn a_broken_download_goes_on_where_it_broke_off() {
    let fixture = Fixture::new();
    let sink = server([
        whole(&FILE[..4]),
        Reply::Cut(answer("206 P\r\nContent-Length: 6\r\nContent-Range: bytes 4-9/10", &FILE[4..7])),
        rest("bytes 7-9/*", "\"one\"", &FILE[7..]),
    ]);
    assert_eq!(fixture.fetch(&sink.url()).unwrap(), FILE);
    assert_eq!(ranges(&sink), [None, Some("bytes=4-".into()), Some("bytes=7-".into())]);
}

#[test]
fn a_file_that_is_another_by_now_is_fetched_anew() {
    let fixture = Fixture::new();
    let other = Reply::Cut(answer("200 OK\r\nContent-Length: 5\r\nETag: \"two\"", b"other"));
    for changed in [
        vec![whole(&FILE[..4]), other.clone()],
        vec![whole(&FILE[..4]), rest("bytes 4-9/10", "\"two\"", &FILE[4..]), other.clone()],
        vec![whole(&FILE[..4]), rest("bytes 4-8/9", "\"one\"", &FILE[4..9]), other.clone()],
        vec![whole(&FILE[..4]), rest("bytes 0-9/10", "\"one\"", FILE), other.clone()],
        vec![whole(&FILE[..4]), Reply::Answer(416, String::new()), other.clone()],
    ] {
        let last = changed.len() - 1;
        let sink = server(changed);
        assert_eq!(fixture.fetch(&sink.url()).unwrap(), b"other");
        assert_eq!(ranges(&sink)[last], (last == 1).then(|| "bytes=4-".to_owned()));
    }
}

#[test]
fn without_a_strong_tag_nothing_is_pieced_together() {
    let fixture = Fixture::new();
    let half = Reply::Cut(answer("200 OK\r\nContent-Length: 10\r\nETag: W/\"one\"", &FILE[..4]));
    let sink = server([half, whole(FILE)]);
    assert_eq!(fixture.fetch(&sink.url()).unwrap(), FILE);
    assert_eq!(ranges(&sink), [None, None]);
}

#[test]
fn a_server_in_trouble_is_asked_again_but_not_for_ever() {
    let fixture = Fixture::new();
    let busy = Reply::Answer(503, String::new());
    assert_eq!(fixture.fetch(&server([busy.clone(), Reply::Close, whole(FILE)]).url()).unwrap(), FILE);
    for (trouble, word) in [(busy, "503"), (Reply::Close, "broke off"), (whole(&FILE[..4]), "before the end")] {
        let sink = server([trouble]);
        let error = fixture.fetch(&sink.url()).unwrap_err();
        assert!(matches!(&error, ApplyError::Unreachable(text) if text.contains(word)), "{error:?}");
        let asked = sink.rest().len();
        assert!(asked <= TRIES as usize + 1, "{asked} times");
    }
}

#[test]
fn what_will_not_come_is_told_at_once() {
    let fixture = Fixture::new();
    let missing = server([Reply::Answer(404, "no".into())]);
    let secret = server([Reply::Answer(403, "no".into())]);
    let metadata = server([Reply::Redirect("http://169.254.169.254/latest".into())]);
    for (url, words) in [
        (missing.url(), "the server has no such file"),
        (secret.url(), "does not give it"),
        (metadata.url(), "address of a metadata service"),
        (dead_url(), "no connection"),
        ("http://nowhere.invalid/x.deb".into(), "nowhere.invalid has no address"),
    ] {
        let error = fixture.fetch(&url).unwrap_err();
        assert!(matches!(&error, ApplyError::Unreachable(text) if text.contains(words)), "{url}: {error:?}");
    }
    assert_eq!([missing, secret, metadata].map(|sink| sink.rest().len()), [1, 1, 1]);
}

#[test]
fn what_is_too_large_is_given_up_whether_its_size_is_told_or_not() {
    let fixture = Fixture::new();
    let told = server([Reply::Stall(answer("200 OK\r\nContent-Length: 17", b""))]);
    let untold = server([Reply::Stall(answer("200 OK\r\nTransfer-Encoding: chunked", b"11\r\n0123456789abcdefg\r\n"))]);
    for sink in [told, untold] {
        let error = fixture.fetch(&sink.url()).unwrap_err();
        assert!(matches!(&error, ApplyError::Failed(text) if text.contains("16 octets")), "{error:?}");
    }
}

#[test]
fn a_download_that_hangs_can_be_cancelled() {
    let fixture = Fixture::new();
    let sink = server([Reply::Stall(answer("200 OK\r\nContent-Length: 10", &FILE[..4]))]);
    let cancel = CancelToken::default();
    let mut told = Told { cancel: Some(cancel.clone()), ..Told::default() };
    assert_eq!(fixture.fetch_with(&sink.url(), &mut told, &cancel), Err(ApplyError::Cancelled));
}

#[test]
fn a_download_has_an_end() {
    let mut fixture = Fixture::new();
    fixture.settings.time_limit = Duration::ZERO;
    let hanging = server([Reply::Hang]);
    let error = fixture.fetch(&hanging.url()).unwrap_err();
    assert!(error.to_string().ends_with("it was not complete after 0 seconds"), "{error}");
}

#[test]
fn a_trust_file_that_cannot_be_used_is_told() {
    let mut fixture = Fixture::new();
    fixture.settings.trust_file = Some("/nowhere/roots.pem".into());
    let error = fixture.fetch("http://127.0.0.1/").unwrap_err();
    assert!(matches!(&error, ApplyError::Failed(text) if text.contains("trust file")), "{error:?}");
}

#[test]
fn what_follows_has_the_rest_of_the_percents() {
    struct Last(u8);
    impl Progress for Last {
        fn started(&mut self, _: u32, _: u64) {}
        fn phase(&mut self, _: Phase, percent: u8) {
            self.0 = percent;
        }
        fn note(&mut self, _: &str) {}
    }
    let mut last = Last(0);
    for (own, shown) in [(0, SHARE), (50, 65), (99, 99), (255, 100)] {
        AfterDownload(&mut last).phase(Phase::Unpacking, own);
        assert_eq!(last.0, shown);
    }
}
