//! Real sinks that want to know who posts to them, and posts that want to know whose sink it is.

use openssl::hash::{MessageDigest, hash};

use super::sink::{Identity, PATIENCE, Received, Reply, Sink};
use super::*;
use crate::hexadecimal;

const BODY: &str = "<event/>";

fn client(settings: Settings) -> Client {
    Client::start(settings, AddressRules::new(true)).unwrap()
}

fn ok(_: &Received) -> Reply {
    Reply::Answer(200, "done".to_owned())
}

/// Posts with the credentials for the URL that `with` adds to.
fn send(
    client: &Client,
    url: &str,
    with: impl FnOnce(SinkCredentials) -> SinkCredentials,
) -> Result<Response, ClientError> {
    let credentials = with(SinkCredentials::new(Url::parse(url).unwrap()));
    send_as(client, url, &Arc::new(credentials))
}

fn send_as(client: &Client, url: &str, credentials: &Arc<SinkCredentials>) -> Result<Response, ClientError> {
    let body = Bytes::from_static(BODY.as_bytes());
    let post = Post { url: Url::parse(url).unwrap(), content_type: "application/soap+xml".to_owned(), body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.post_as(post, Some(Arc::clone(credentials))))
}

fn login(scheme: Scheme, password: &str) -> Login {
    Login::new(scheme, "ann", password.to_owned()).unwrap()
}

#[track_caller]
fn unauthorized(result: Result<Response, ClientError>, reason: &str) {
    match result {
        Err(ClientError::Unauthorized(why)) => assert!(why.contains(reason), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn unconnected(result: Result<Response, ClientError>, reason: &str) {
    match result {
        Err(error @ (ClientError::Connect(_) | ClientError::Untrusted | ClientError::Exchange(_))) => {
            assert!(error.to_string().contains(reason), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn basic_credentials_go_with_the_first_request_and_wrong_ones_are_told() {
    // ann:hidden
    let sink = Sink::http(|message| match message.header("authorization") {
        Some("Basic YW5uOmhpZGRlbg==") => Reply::Answer(204, String::new()),
        _ => Reply::challenge("Basic realm=\"sink\""),
    });
    let client = client(Settings::default());
    let answer = send(&client, &sink.url(), |c| c.with_login(login(Scheme::Basic, "hidden"))).unwrap();
    assert_eq!((answer.status, sink.rest().len()), (204, 1));
    let refused = send(&client, &sink.url(), |c| c.with_login(login(Scheme::Basic, "wrong")));
    unauthorized(refused, "does not accept the user name and password");
    unauthorized(send(&client, &sink.url(), |c| c), "it wants a user name and a password");
    assert_eq!(sink.rest().len(), 2, "a refusal that nothing answers is not asked for twice");
}

/// What a digest of RFC 7616 must be, from the parameters that the request itself gives.
fn is_right(authorization: &str, kind: MessageDigest, nonce: &str, password: &str) -> bool {
    let digest = |text: String| -> String { hexadecimal::written(&hash(kind, text.as_bytes()).unwrap()) };
    let parameter = |name: &str| {
        let part = authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        part.unwrap_or_default().trim_matches('"').to_owned()
    };
    let secret = digest(format!("ann:sink:{password}"));
    let request = digest(format!("POST:{}", parameter("uri")));
    let [count, ours] = [parameter("nc"), parameter("cnonce")];
    let whole = digest(format!("{secret}:{nonce}:{count}:{ours}:auth:{request}"));
    parameter("uri") == "/sink" && parameter("nonce") == nonce && parameter("response") == whole
}

#[test]
fn a_digest_challenge_is_answered_and_from_then_on_beforehand() {
    for (name, kind) in [("MD5", MessageDigest::md5()), ("SHA-256", MessageDigest::sha256())] {
        let challenge = format!("Digest realm=\"sink\", nonce=\"n1\", qop=\"auth\", algorithm={name}");
        let sink = Sink::http(move |message| match message.header("authorization") {
            Some(answer) if is_right(answer, kind, "n1", "hidden") => Reply::Answer(200, String::new()),
            _ => Reply::Challenge(vec!["Basic realm=\"sink\"".to_owned(), challenge.clone()]),
        });
        let client = client(Settings::default());
        let url = Url::parse(&sink.url()).unwrap();
        let credentials = Arc::new(SinkCredentials::new(url).with_login(login(Scheme::Digest, "hidden")));
        for (messages, count) in [(2, "nc=00000001"), (1, "nc=00000002")] {
            assert_eq!(send_as(&client, &sink.url(), &credentials).unwrap().status, 200, "{name}");
            let got = sink.rest();
            assert_eq!(got.len(), messages, "{got:?}");
            assert!(got.iter().all(|message| message.body == BODY
                && !message.header("authorization").is_some_and(|a| a.contains("hidden"))));
            assert!(got.last().unwrap().header("authorization").unwrap().contains(count), "{got:?}");
        }
        let refused = send(&client, &sink.url(), |c| c.with_login(login(Scheme::Digest, "wrong")));
        unauthorized(refused, "does not accept the user name and password");
        assert_eq!(sink.rest().len(), 2, "a challenge is answered once");
    }
}

#[test]
fn a_nonce_that_ran_out_is_replaced_within_the_request() {
    let nonces = std::sync::atomic::AtomicU32::new(1);
    let sink = Sink::http(move |message| {
        let nonce = |number: u32| format!("n{number}");
        let now = nonces.load(std::sync::atomic::Ordering::SeqCst);
        match message.header("authorization") {
            Some(answer) if is_right(answer, MessageDigest::md5(), &nonce(now), "hidden") => {
                nonces.store(now + 1, std::sync::atomic::Ordering::SeqCst);
                Reply::Answer(200, String::new())
            }
            _ => {
                Reply::challenge(&format!("Digest realm=\"sink\", nonce=\"{}\", qop=\"auth\", stale=true", nonce(now)))
            }
        }
    });
    let client = client(Settings::default());
    let url = Url::parse(&sink.url()).unwrap();
    let credentials = Arc::new(SinkCredentials::new(url).with_login(login(Scheme::Digest, "hidden")));
    for _ in 0..3 {
        assert_eq!(send_as(&client, &sink.url(), &credentials).unwrap().status, 200);
        assert_eq!(sink.rest().len(), 2);
    }
}

#[test]
fn a_digest_login_is_never_sent_as_it_is() {
    let sink = Sink::http(|_| Reply::challenge("Basic realm=\"sink\""));
    let refused = send(&client(Settings::default()), &sink.url(), |c| c.with_login(login(Scheme::Digest, "hidden")));
    unauthorized(refused, "offers no Digest authentication");
    assert!(sink.rest().iter().all(|message| message.header("authorization").is_none()));
    let sink = Sink::http(|_| Reply::challenge("Digest realm=\"sink\", nonce=\"n\""));
    let refused = send(&client(Settings::default()), &sink.url(), |c| c.with_login(login(Scheme::Digest, "hidden")));
    unauthorized(refused, "MD5 or SHA-256");
}

#[test]
fn credentials_go_to_nobody_else() {
    let other = Sink::http(ok);
    let target = other.url();
    let sink = Sink::http(move |_| Reply::Redirect(target.clone()));
    let client = client(Settings::default());
    let credentials = SinkCredentials::new(Url::parse(&sink.url()).unwrap()).with_login(login(Scheme::Basic, "hidden"));
    let credentials = Arc::new(credentials);
    assert_eq!(send_as(&client, &sink.url(), &credentials).unwrap().status, 307);
    unauthorized(send_as(&client, &other.url(), &credentials), "for another address");
    assert!(other.rest().is_empty());
}

#[test]
fn a_challenger_that_talks_endlessly_or_falls_silent_is_left() {
    let head = "HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm=\"sink\", nonce=\"n\", qop=\"auth\"\r\n";
    let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\nffffffff\r\n");
    let endless = Sink::http(move |message| match message.header("authorization") {
        Some(answer) if is_right(answer, MessageDigest::md5(), "n", "hidden") => Reply::Answer(200, String::new()),
        _ => Reply::Endless(endless.clone().into_bytes()),
    });
    let patient = client(Settings { request_timeout: PATIENCE, max_response: 4096, ..Settings::default() });
    let answer = send(&patient, &endless.url(), |c| c.with_login(login(Scheme::Digest, "hidden"))).unwrap();
    assert_eq!(answer.status, 200);

    let stalled = format!("{head}Content-Length: 10\r\n\r\nwho");
    let stalled = Sink::http(move |_| Reply::Stall(stalled.clone().into_bytes()));
    let short = client(Settings { request_timeout: Duration::from_millis(300), ..Settings::default() });
    let result = send(&short, &stalled.url(), |c| c.with_login(login(Scheme::Digest, "hidden")));
    assert!(matches!(result, Err(ClientError::TimedOut)), "{result:?}");
}

#[test]
fn a_pinned_certificate_is_accepted_under_any_name_and_no_other_is() {
    let (identity, other) = (Identity::new(), Identity::new());
    let sink = Sink::https(&identity, ok);
    let client = client(Settings::default());
    for digest in [MessageDigest::sha1(), MessageDigest::sha256()] {
        let pin: Thumbprint = identity.thumbprint(digest).parse().unwrap();
        for url in [sink.url(), sink.named_url()] {
            assert_eq!(send(&client, &url, |c| c.with_peer_certificate(pin)).unwrap().status, 200, "{url}");
        }
        let wrong: Thumbprint = other.thumbprint(digest).parse().unwrap();
        unconnected(send(&client, &sink.url(), |c| c.with_peer_certificate(wrong)), "the peer's certificate is not");
    }
    unconnected(send(&client, &sink.url(), |c| c), "the peer's certificate is not trusted");
}

#[test]
fn a_pin_is_all_that_counts_where_the_certificate_would_be_trusted_too() {
    let (identity, other) = (Identity::new(), Identity::new());
    let sink = Sink::https(&identity, ok);
    let trusting = client(Settings { trust_file: Some(identity.trust_file.clone()), ..Settings::default() });
    assert_eq!(send(&trusting, &sink.url(), |c| c).unwrap().status, 200);
    let wrong: Thumbprint = other.thumbprint(MessageDigest::sha256()).parse().unwrap();
    unconnected(send(&trusting, &sink.url(), |c| c.with_peer_certificate(wrong)), "the peer's certificate is not");
}

fn with_identity(sink: &Identity, own: &Identity) -> Client {
    let files = IdentityFiles { certificate: own.trust_file.clone(), key: own.key_file.clone() };
    client(Settings { trust_file: Some(sink.trust_file.clone()), identity: Some(files), ..Settings::default() })
}

#[test]
fn a_sink_that_wants_a_certificate_gets_the_configured_one_where_it_is_asked_for() {
    let (identity, own, stranger) = (Identity::new(), Identity::new(), Identity::new());
    let sink = Sink::https_for(&identity, &own, ok);
    let known = with_identity(&identity, &own);
    let pin: Thumbprint = identity.thumbprint(MessageDigest::sha1()).parse().unwrap();
    assert_eq!(send(&known, &sink.url(), |c| c.with_identity()).unwrap().status, 200);
    let hint = sink.next().header("authorization").unwrap().to_owned();
    assert_eq!(hint, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual");
    assert_eq!(send(&known, &sink.url(), |c| c.with_identity().with_peer_certificate(pin)).unwrap().status, 200);
    // What the peer says to it may be lost when it closes the connection.
    unconnected(send(&known, &sink.url(), |c| c), "");
    unconnected(send(&with_identity(&identity, &stranger), &sink.url(), |c| c.with_identity()), "");
    assert_eq!(sink.rest().len(), 1, "nobody else got in");
    let bare = client(Settings { trust_file: Some(identity.trust_file.clone()), ..Settings::default() });
    unauthorized(send(&bare, &sink.url(), |c| c.with_identity()), "no certificate is configured");
}

#[test]
fn a_certificate_and_a_login_go_together() {
    let (identity, own) = (Identity::new(), Identity::new());
    let sink = Sink::https_for(&identity, &own, |message| match message.header("authorization") {
        Some(answer) if is_right(answer, MessageDigest::sha256(), "n", "hidden") => Reply::Answer(200, String::new()),
        _ => Reply::challenge("Digest realm=\"sink\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256"),
    });
    let client = with_identity(&identity, &own);
    let answer = send(&client, &sink.url(), |c| c.with_identity().with_login(login(Scheme::Digest, "hidden"))).unwrap();
    assert_eq!(answer.status, 200);
    let hint = sink.next().header("authorization").unwrap().to_owned();
    assert_eq!(hint, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual/digest");
}

#[test]
fn the_configured_certificate_tells_its_thumbprint_and_its_authorities() {
    let (own, authority) = (Identity::new(), Identity::new());
    let thumbprint = |identity: &Identity| identity.thumbprint(MessageDigest::sha1()).parse::<Thumbprint>().unwrap();
    let files = IdentityFiles { certificate: authority.file_behind(&own), key: own.key_file.clone() };
    let client = client(Settings { identity: Some(files), ..Settings::default() });
    let identity = client.identity().unwrap();
    assert!(identity.is(&thumbprint(&own)) && !identity.is(&thumbprint(&authority)));
    // It is self-signed besides.
    assert!(identity.is_issued_by(&thumbprint(&authority)) && identity.is_issued_by(&thumbprint(&own)));
    assert!(!identity.is_issued_by(&thumbprint(&Identity::new())));
}

#[test]
fn a_certificate_that_cannot_be_shown_is_refused_at_the_start() {
    let (own, other) = (Identity::new(), Identity::new());
    let start = |certificate: &std::path::Path, key: &std::path::Path| {
        let files = IdentityFiles { certificate: certificate.to_owned(), key: key.to_owned() };
        match Client::start(Settings { identity: Some(files), ..Settings::default() }, AddressRules::new(true)) {
            Err(StartError::Tls(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let nowhere = std::path::Path::new("/nowhere.pem");
    assert!(matches!(start(nowhere, &own.key_file), TlsError::CertificateUnreadable(..)));
    assert!(matches!(start(&own.trust_file, nowhere), TlsError::KeyUnreadable(..)));
    assert!(matches!(start(&own.key_file, &own.key_file), TlsError::Certificate(..)));
    assert!(matches!(start(&own.trust_file, &own.trust_file), TlsError::Key(..)));
    assert!(matches!(start(&own.trust_file, &other.key_file), TlsError::KeyOfAnother { .. }));
}
