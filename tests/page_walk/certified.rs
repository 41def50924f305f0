//! Browsers that show a certificate.

use crate::authority::{Authority, ClientFiles};
use crate::browser::Browser;
use crate::support::eventually;
use crate::support::server::{ADMIN, Host, PATIENCE, Server};

const ANN: (&str, &str) = ("ann", "the operator's password");

/// A service that knows `ann` by the first certificate; the second means nobody.
fn served() -> (Host, Server, [ClientFiles; 2]) {
    let host = Host::bare(&["--engine", "none"]);
    let authority = Authority::new(&host.scratch().join("authority"));
    let settings = "[auth]\nhash_mebibytes = 1\n[tls]\nclient_certificates = true\n";
    let host = host.with_settings(settings);
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    host.add_user(ANN.0, ANN.1, "operator");
    let files = ["ann", "stranger"].map(|name| authority.issue(name, &format!("/CN={name}"), &format!("DNS:{name}")));
    map(&host, "add", &files[0]);
    let server = host.serve();
    (host, server, files)
}

fn map(host: &Host, what: &str, files: &ClientFiles) {
    let (ended, said) = host.run(&["user", "certificate", what, ANN.0, "--file", files.certificate.to_str().unwrap()]);
    assert!(ended.success(), "{said}");
}

fn showing(server: &Server, files: &ClientFiles) -> Browser {
    Browser::new(server).with_certificate(&files.certificate, &files.key)
}

#[test]
fn a_certificate_lets_its_user_in_without_a_form() {
    let (host, server, [ann, stranger]) = served();
    let mut browser = showing(&server, &ann);
    let page = browser.page("/jobs");
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(page.has(">ann ") && page.has("(operator)"), "{page:?}");
    // From then on it is a session like any other.
    let again = browser.page("/history");
    assert_eq!(again.header("set-cookie"), None);
    assert_eq!(page.token(), again.token());

    // Without the certificate, or with another one, its cookie is worth nothing.
    for mut other in [Browser::new(&server), showing(&server, &stranger)] {
        other.take_cookie(browser.cookie());
        let sent = other.get("/jobs");
        assert_eq!((sent.status, sent.header("location")), (303, Some("/login?next=%2Fjobs")));
        assert_eq!(other.post("/logout", &[("token", &page.token())]).header("location"), Some("/login"));
    }
    browser.page("/jobs");

    // The certificate is taken from the user.
    map(&host, "remove", &ann);
    eventually("the session to end", PATIENCE, || (browser.get("/jobs").status == 303).then_some(()));
}

#[test]
fn whoever_logs_out_stays_out_until_they_say_otherwise() {
    let (_host, server, [ann, stranger]) = served();
    let mut browser = showing(&server, &ann);
    let page = browser.page("/");
    let left = browser.submit(&page, "/logout", &[]);
    assert_eq!((left.status, left.header("location"), browser.cookie()), (303, Some("/login"), ""));
    let login = browser.page("/login?next=%2Fjobs");
    assert!(login.has("The certificate of this browser means <strong>ann</strong>"), "{login:?}");
    assert!(login.has("href=\"/jobs\">Go on as ann</a>") && login.header("set-cookie").is_none(), "{login:?}");
    // Somebody else may log in with a password all the same, and is who that says.
    let entered = browser.submit(&login, "/login", &[("name", ADMIN.0), ("password", ADMIN.1)]);
    assert_eq!((entered.status, entered.header("location")), (303, Some("/jobs")));
    assert!(browser.page("/jobs").has("walker"));
    let mut stranger = showing(&server, &stranger);
    assert!(!stranger.page("/login").has("The certificate"));
    assert_eq!(stranger.get("/jobs").status, 303);
}

#[test]
fn pages_of_others_neither_begin_a_session_nor_change_anything() {
    let (_host, server, [ann, _]) = served();
    let mut browser = showing(&server, &ann);
    for site in ["cross-site", "same-site"] {
        browser.headers = format!("Sec-Fetch-Site: {site}\r\n");
        let led = browser.get("/jobs");
        assert_eq!(
            (led.status, led.header("location"), led.header("set-cookie")),
            (303, Some("/login?next=%2Fjobs"), None)
        );
    }
    browser.headers = "Sec-Fetch-Site: none\r\n".to_owned();
    let token = browser.page("/").token();
    // A form needs a session and its token: the certificate alone sends none.
    browser.headers = String::new();
    let mut other = showing(&server, &ann);
    assert_eq!(other.post("/logout", &[("token", &token)]).header("location"), Some("/login"));
    assert_eq!(browser.post("/logout", &[("token", "x")]).status, 403);
    browser.headers = "Origin: https://evil.example\r\n".to_owned();
    assert_eq!(browser.post("/logout", &[("token", &token)]).status, 403);
    browser.headers = String::new();
    assert_eq!(browser.page("/").token(), token);
}
