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
    assert!(matches!(refused, Err(ClientError::Untrusted)), "{refused:?}");

    let trusting = client(Settings { trust_file: Some(identity.trust_file.clone()), ..Settings::default() });
    assert_eq!(run(trusting.post(post(&sink.url(), ""))).unwrap().status, 200);
    // The certificate is of 127.0.0.1 and not of the name.
    let refused = run(trusting.post(post(&sink.named_url(), "")));
    assert!(matches!(refused, Err(ClientError::Untrusted)), "{refused:?}");
}

#[test]
fn the_certificate_of_a_bare_address_is_verified_too() {
    let (own, other) = (Identity::new(), Identity::new());
    let sink = Sink::https_on_ipv6(&own, ok);
    assert!(sink.url().starts_with("https://[::1]:"), "{}", sink.url());
    for (trusted, is_good) in [(&own, true), (&other, false)] {
        let client = client(Settings { trust_file: Some(trusted.trust_file.clone()), ..Settings::default() });
        let answer = run(client.post(post(&sink.url(), "")));
        match answer {
            Ok(response) => assert!(is_good && response.status == 200, "{response:?}"),
            Err(refused) => assert!(!is_good && matches!(refused, ClientError::Untrusted), "{refused:?}"),
        }
    }
}

#[test]
fn a_trust_file_without_certificates_is_refused_at_the_start() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let settings = Settings { trust_file: Some(file.path().to_owned()), ..Settings::default() };
    let refused = Client::start(settings, AddressRules::new(true));
    assert!(matches!(refused, Err(StartError::Tls(TlsError::TrustFile(..)))), "{refused:?}");
    let settings = Settings { trust_file: Some("/nowhere/trusted.pem".into()), ..Settings::default() };
    let refused = Client::start(settings, AddressRules::new(true));
    assert!(matches!(refused, Err(StartError::Tls(TlsError::TrustFileUnreadable(..)))), "{refused:?}");
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

/// All parts that come, and how it ended.
fn arrive(client: &Client, fetch: Fetch) -> (Vec<Part>, Option<ClientError>) {
    let arrival = client.fetch(fetch).unwrap();
    let mut parts = Vec::new();
    loop {
        match arrival.next(PATIENCE) {
            Ok(part) => parts.push(part.expect("a part comes in time")),
            Err(error) => return (parts, Some(error)),
        }
        if parts.last() == Some(&Part::End) {
            return (parts, None);
        }
    }
}

fn whole(url: &str) -> Fetch {
    Fetch { url: Url::parse(url).unwrap(), rest: None, known: None }
}

fn octets(parts: &[Part]) -> Vec<u8> {
    let octets = parts.iter().filter_map(|part| if let Part::Octets(octets) = part { Some(&octets[..]) } else { None });
    octets.flatten().copied().collect()
}

#[test]
fn a_file_comes_in_parts_after_its_head() {
    let large = "0123456789".repeat(200_000);
    let body = large.clone();
    let sink = Sink::http(move |_| Reply::Answer(200, body.clone()));
    let (parts, error) = arrive(&client(Settings::default()), whole(&sink.url()));
    assert!(error.is_none(), "{error:?}");
    let head = Head { status: 200, length: Some(2_000_000), ..Head::default() };
    assert_eq!(parts.first(), Some(&Part::Head(head)));
    assert!(octets(&parts) == large.as_bytes());
    let longest = parts.iter().map(|part| if let Part::Octets(octets) = part { octets.len() } else { 0 }).max();
    assert!(longest.unwrap() < 1_000_000, "{longest:?}");
}

#[test]
fn the_rest_of_a_file_is_asked_for_as_the_standard_says() {
    let sink = Sink::http(|_| {
        let head = "HTTP/1.1 206 X\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\nETag: \"a\"\r\n\r\n789";
        Reply::Cut(head.into())
    });
    let rest = Some(Rest { offset: 7, entity_tag: "\"a\"".into() });
    let (parts, _) = arrive(&client(Settings::default()), Fetch { rest, ..whole(&sink.url()) });
    let range = Some(ContentRange { first: 7, whole: Some(10) });
    let validators = Validators { entity_tag: Some("\"a\"".into()), last_modified: None };
    let head = Head { status: 206, length: Some(3), range, entity_tag: Some("\"a\"".into()), validators };
    assert_eq!(parts, [Part::Head(head), Part::Octets(Bytes::from_static(b"789")), Part::End]);
    let asked = sink.next();
    assert_eq!((asked.header("range"), asked.header("if-range")), (Some("bytes=7-"), Some("\"a\"")));
}

#[test]
fn a_fetch_follows_redirects_but_not_for_ever_and_not_anywhere() {
    let there = Sink::http(ok);
    let target = there.url();
    let sink = Sink::http(move |asked| match asked.path.as_str() {
        "/sink" => Reply::Redirect("/next".into()),
        "/next" => Reply::Redirect(target.clone()),
        "/round" => Reply::Redirect("/round".into()),
        "/file" => Reply::Redirect("file:///etc/passwd".into()),
        _ => Reply::Redirect("http://[fe80::1]/".into()),
    });
    let client = client(Settings::default());
    let (parts, error) = arrive(&client, whole(&sink.url()));
    assert!(error.is_none() && octets(&parts) == b"done", "{error:?}");
    let to = |path: &str| arrive(&client, whole(&sink.url().replace("/sink", path))).1;
    assert!(matches!(to("/round"), Some(ClientError::Redirect(_))));
    assert!(matches!(to("/file"), Some(ClientError::Redirect(_))));
    assert!(matches!(to("/elsewhere"), Some(ClientError::Forbidden(_))));
}

#[test]
fn a_redirect_never_leads_out_of_encryption() {
    let (identity, there) = (Identity::new(), Sink::http(ok));
    let target = there.url();
    let sink = Sink::https(&identity, move |_| Reply::Redirect(target.clone()));
    let refused = arrive(&client(Settings::default()), whole(&sink.url())).1;
    assert!(matches!(refused, Some(ClientError::Untrusted)), "the certificate is not trusted: {refused:?}");
    let trusting = client(Settings { trust_file: Some(identity.trust_file.clone()), ..Settings::default() });
    let refused = arrive(&trusting, whole(&sink.url())).1;
    assert!(matches!(refused, Some(ClientError::Redirect(_))), "{refused:?}");
    assert!(there.rest().is_empty());
}

#[test]
fn files_that_break_off_or_stand_still_are_told() {
    let half = b"HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\n01234".to_vec();
    let (cut, stalled) = (half.clone(), half);
    let (cut, stalled) =
        (Sink::http(move |_| Reply::Cut(cut.clone())), Sink::http(move |_| Reply::Stall(stalled.clone())));
    let client = client(Settings { longest_silence: Duration::from_millis(300), ..Settings::default() });
    let (parts, error) = arrive(&client, whole(&cut.url()));
    assert!(matches!(error, Some(ClientError::Exchange(_))) && octets(&parts) == b"01234", "{error:?}");
    let (parts, error) = arrive(&client, whole(&stalled.url()));
    assert!(matches!(error, Some(ClientError::TimedOut)) && octets(&parts) == b"01234", "{error:?}");
}

#[test]
fn a_fetch_that_nobody_waits_for_frees_its_place() {
    let stalled = Sink::http(|_| Reply::Hang);
    let healthy = Sink::http(ok);
    let client = client(Settings { max_in_flight: 1, longest_silence: PATIENCE * 2, ..Settings::default() });
    let arrival = client.fetch(whole(&stalled.url())).unwrap();
    stalled.next();
    drop(arrival);
    let (parts, error) = arrive(&client, whole(&healthy.url()));
    assert!(error.is_none() && octets(&parts) == b"done", "{error:?}");
}
