use std::fs;

use super::*;

const OPEN: &str = "<s:Body><InstallFromByteStream_INPUT><Image>";
const CLOSE: &str = "</Image></InstallFromByteStream_INPUT></s:Body>";

struct Fixture {
    folder: tempfile::TempDir,
    uploads: Arc<Uploads>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("left by another"), "").unwrap();
        let settings = UploadSettings { folder: folder.path().to_owned(), max_characters: 32 };
        Self { uploads: Arc::new(Uploads::open(settings).unwrap()), folder }
    }

    fn receive(&self, user: &str) -> Receiving {
        self.uploads.receive(&Caller::new(user, Role::Operator), 200).unwrap()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }
}

#[tokio::test]
async fn a_package_file_is_written_while_it_arrives_and_goes_with_its_request() {
    let fixture = Fixture::new();
    assert_eq!(fixture.files(), 0);
    let mut receiving = fixture.receive("olga");
    for piece in [OPEN, "AQ", "IDBA", "==", CLOSE] {
        receiving.feed(piece.as_bytes()).await.unwrap();
    }
    assert_eq!(fixture.files(), 1);
    let received = receiving.finish().await.unwrap();
    assert_eq!(String::from_utf8(received.body.clone()).unwrap(), [OPEN, CLOSE].concat());
    assert_eq!(fs::read(received.upload.as_ref().unwrap().file().unwrap()).unwrap(), [1, 2, 3, 4]);
    drop(received);
    assert_eq!(fixture.files(), 0);
}

#[tokio::test]
async fn what_is_no_base64_is_told_and_leaves_nothing() {
    let fixture = Fixture::new();
    for wrong in ["AQIDB", "AQ*DAQID", "AQ==AQID", "AQID&amp;AQID"] {
        let mut receiving = fixture.receive("olga");
        receiving.feed([OPEN, wrong, CLOSE].concat().as_bytes()).await.unwrap();
        let received = receiving.finish().await.unwrap();
        let why = received.upload.as_ref().unwrap().file().unwrap_err();
        assert!(why.starts_with("it is not base64"), "{wrong}: {why}");
        drop(received);
        assert_eq!(fixture.files(), 0);
    }
}

#[tokio::test]
async fn the_message_and_the_file_have_limits_of_their_own() {
    let fixture = Fixture::new();
    let mut receiving = fixture.receive("olga");
    receiving.feed(OPEN.as_bytes()).await.unwrap();
    receiving.feed("\n".repeat(1000).as_bytes()).await.unwrap_err();
    let mut receiving = fixture.receive("olga");
    receiving.feed([OPEN, &"A".repeat(32)].concat().as_bytes()).await.unwrap();
    receiving.feed("\n".repeat(1000).as_bytes()).await.unwrap();
    assert_eq!(receiving.feed(b"A").await, Err(Refusal::TooLarge { limit: 32 }));
    let mut receiving = fixture.receive("otto");
    assert_eq!(receiving.feed("x".repeat(201).as_bytes()).await, Err(Refusal::TooLarge { limit: 200 }));
}

#[tokio::test]
async fn each_user_has_one_upload_and_a_viewer_none() {
    let fixture = Fixture::new();
    let begin = [OPEN, "AAAA"].concat();
    let mut first = fixture.receive("olga");
    first.feed(begin.as_bytes()).await.unwrap();
    assert_eq!(fixture.receive("olga").feed(begin.as_bytes()).await, Err(Refusal::Uploading));
    assert_eq!(fixture.receive("olga").feed(b"<s:Body><Get/></s:Body>").await, Ok(()), "another request");
    assert_eq!(fixture.receive("otto").feed(begin.as_bytes()).await, Ok(()));
    drop(first);
    assert_eq!(fixture.receive("olga").feed(begin.as_bytes()).await, Ok(()));
    assert!(fixture.uploads.receive(&Caller::new("vic", Role::Viewer), 200).is_none());
}
