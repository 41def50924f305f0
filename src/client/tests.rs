use super::sink::{Identity, PATIENCE, Reply, Sink, dead_url};
use super::*;

fn ok(_: &sink::Received) -> Reply {
    Reply::Answer(200, "done".to_owned())
}

fn post(url: &str, body: &str) -> Post {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Post { url: Url::parse(url).unwrap(), content_type: "application/soap+xml;charset=UTF-8".to_owned(), body }
}

fn client(settings: Settings) -> Client {
    Client::start(settings, AddressRules::new(true)).unwrap()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn a_message_arrives_and_the_answer_comes_back() {
    let sink = Sink::http(ok);
    let client = client(Settings::default());
    for url in [sink.url(), sink.named_url()] {
        let response = run(client.post(post(&url, "<x/>"))).unwrap();
        assert_eq!((response.status, &*response.body), (200, &b"done"[..]));
        let message = sink.next();
        assert_eq!((message.path.as_str(), message.body.as_str()), ("/sink", "<x/>"));
        assert_eq!(message.header("content-type"), Some("application/soap+xml;charset=UTF-8"));
    }
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Sink::http(ok);
    let target = elsewhere.url();
    let sink = Sink::http(move |_| Reply::Redirect(target.clone()));
    let response = run(client(Settings::default()).post(post(&sink.url(), ""))).unwrap();
    assert_eq!(response.status, 307);
    assert!(elsewhere.rest().is_empty());
}

#[test]
fn certificates_are_verified_and_a_trust_file_adds_to_the_trusted() {
    let identity = Identity::new();
    let sink = Sink::https(&identity, ok);
    let refused = run(client(Settings::default()).post(post(&sink.url(), "")));
    assert!(matches!(refused, Err(ClientError::Connect(_))), "{refused:?}");

    let trusting = client(Settings { trust_file: Some(identity.trust_file.clone()), ..Settings::default() });
    assert_eq!(run(trusting.post(post(&sink.url(), ""))).unwrap().status, 200);
    // The certificate is of 127.0.0.1 and not of the name.
    let refused = run(trusting.post(post(&sink.named_url(), "")));
    assert!(matches!(refused, Err(ClientError::Connect(_))), "{refused:?}");
}

#[test]
fn a_trust_file_without_certificates_is_refused_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let settings = Settings { trust_file: Some(file.path().to_owned()), ..Settings::default() };
    let refused = Client::start(settings, AddressRules::new(true));
    assert!(matches!(refused, Err(StartError::Tls(TlsError::TrustFile(_)))), "{refused:?}");
    let settings = Settings { trust_file: Some("/nowhere/trusted.pem".into()), ..Settings::default() };
    let refused = Client::start(settings, AddressRules::new(true));
    assert!(matches!(refused, Err(StartError::Tls(TlsError::TrustFileUnreadable(_)))), "{refused:?}");
}

#[test]
fn a_forbidden_address_is_refused_when_asked_and_when_sending_even_by_name() {
    let sink = Sink::http(ok);
    let client = Client::start(Settings::default(), AddressRules::new(false)).unwrap();
    for url in [sink.url(), sink.named_url()] {
        let refused = client.check(&Url::parse(&url).unwrap());
        assert!(matches!(refused, Err(ClientError::Forbidden(_))), "{refused:?}");
        let refused = run(client.post(post(&url, "")));
        assert!(matches!(refused, Err(ClientError::Forbidden(_))), "{refused:?}");
    }
    assert!(sink.rest().is_empty());
}

#[test]
fn a_name_without_address_is_told() {
    let refused = client(Settings::default()).check(&Url::parse("http://nowhere.invalid/").unwrap());
    assert!(matches!(refused, Err(ClientError::Unresolved { .. })), "{refused:?}");
}

#[test]
fn peers_that_hang_close_or_talk_endlessly_are_left() {
    let hanging = Sink::http(|_| Reply::Hang);
    let closing = Sink::http(|_| Reply::Close);
    let endless = Sink::http(|_| Reply::Answer(200, "x".repeat(5000)));
    let short = Settings { request_timeout: Duration::from_millis(300), max_response: 4096, ..Settings::default() };
    let client = client(short);
    let result = run(client.post(post(&hanging.url(), "")));
    assert!(matches!(result, Err(ClientError::TimedOut)), "{result:?}");
    let result = run(client.post(post(&closing.url(), "")));
    assert!(matches!(result, Err(ClientError::Exchange(_))), "{result:?}");
    let result = run(client.post(post(&endless.url(), "")));
    assert!(matches!(result, Err(ClientError::TooLarge { limit: 4096 })), "{result:?}");
    let result = run(client.post(post(&dead_url(), "")));
    assert!(matches!(result, Err(ClientError::Connect(_))), "{result:?}");
}

#[test]
fn many_hanging_peers_delay_nobody_else() {
    let hanging = Sink::http(|_| Reply::Hang);
    let healthy = Sink::http(ok);
    let client = client(Settings { request_timeout: PATIENCE * 2, ..Settings::default() });
    run(async {
        let local = tokio::task::LocalSet::new();
        for _ in 0..150 {
            let (client, post) = (client.clone(), post(&hanging.url(), ""));
            local.spawn_local(async move { client.post(post).await });
        }
        let answered = local.run_until(tokio::time::timeout(PATIENCE, client.post(post(&healthy.url(), "")))).await;
        assert_eq!(answered.expect("no delay").unwrap().status, 200);
    });
}

#[test]
fn a_request_whose_asker_went_away_frees_its_place() {
    let hanging = Sink::http(|_| Reply::Hang);
    let healthy = Sink::http(ok);
    let client = client(Settings { max_in_flight: 1, request_timeout: PATIENCE * 2, ..Settings::default() });
    run(async {
        let url = hanging.url();
        let taken = tokio::task::spawn_blocking(move || {
            hanging.next();
            hanging
        });
        let _hanging = tokio::select! {
            _ = client.post(post(&url, "")) => panic!("the sink does not answer"),
            hanging = taken => hanging.unwrap(),
        };
        let answered = tokio::time::timeout(PATIENCE, client.post(post(&healthy.url(), ""))).await;
        assert_eq!(answered.expect("the place is free").unwrap().status, 200);
    });
}
