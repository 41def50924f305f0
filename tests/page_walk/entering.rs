//! Who gets in, who does not, and what every answer says to the browser.

use crate::browser::Browser;
use crate::support::packages::DebRoot;
use crate::support::server::{ADMIN, Host, Server};

/// What an answer must say, whatever it is.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

fn served() -> (DebRoot, Host, Server) {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb").with_settings("[auth]\nhash_mebibytes = 1\n");
    host.add_user("vera", "the viewer's password", "viewer");
    let server = host.serve();
    (root, host, server)
}

#[test]
fn somebody_logs_in_looks_and_logs_out() {
    let (_root, _host, server) = served();
    let mut browser = Browser::new(&server);
    let sent = browser.get("/software?q=a%20b");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/login?next=%2Fsoftware%3Fq%3Da%2520b")));
    let login = browser.page("/login?next=%2Fsoftware%3Fq%3Da%2520b");
    let entered = browser.submit(&login, "/login", &[("name", ADMIN.0), ("password", ADMIN.1)]);
    assert_eq!((entered.status, entered.header("location")), (303, Some("/software?q=a%20b")));
    let cookie = entered.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-") && cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );

    let page = browser.page("/software?q=a%20b");
    assert!(page.has("walker") && page.has("(admin)") && page.has("value=\"a b\""), "{page:?}");
    let nothing = browser.get("/nothing");
    assert!(nothing.status == 404 && nothing.has("WS-Management is served at /wsman"), "{nothing:?}");
    browser.headers = "Accept: text/html,application/xhtml+xml\r\n".to_owned();
    let nothing = browser.get("/nothing");
    assert!(nothing.status == 404 && nothing.has("There is no such page."), "{nothing:?}");

    let earlier = browser.cookie().to_owned();
    let left = browser.submit(&page, "/logout", &[]);
    assert_eq!((left.status, left.header("location")), (303, Some("/login")));
    assert_eq!(browser.cookie(), "");
    assert!(!browser.page("/login").has("Your session has ended"));
    browser.take_cookie(&earlier);
    assert_eq!(browser.get("/software").status, 303, "the session lives on");
    assert!(browser.page("/login").has("Your session has ended"));
}

#[test]
fn nobody_gets_in_with_a_wrong_password_or_is_led_elsewhere() {
    let (_root, _host, server) = served();
    let mut browser = Browser::new(&server);
    for (name, password) in [(ADMIN.0, "wrong"), ("nobody", ADMIN.1), ("", ""), ("<b>\"", "x")] {
        let page = browser.post("/login", &[("name", name), ("password", password)]);
        assert_eq!(page.status, 403, "{page:?}");
        assert!(page.has("The name or the password is wrong.") && !page.has("<b>"), "{page:?}");
        assert_eq!(page.header("set-cookie"), None);
    }
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let page = browser.post("/login", &[("name", ADMIN.0), ("password", ADMIN.1), ("next", next)]);
        assert_eq!((page.status, page.header("location")), (303, Some("/")), "{next}");
    }
    // Basic credentials are for WS-Management; here they are nothing.
    let mut browser = Browser::new(&server);
    browser.headers = crate::raw_client::basic(ADMIN.0, ADMIN.1);
    assert_eq!(browser.get("/software").status, 303);
    browser.take_cookie("__Host-quartermaster-443=0000");
    assert_eq!(browser.get("/software").status, 303);
}

#[test]
fn wrong_passwords_make_their_sender_wait() {
    let (_root, _host, server) = served();
    let mut browser = Browser::new(&server);
    let mut wrong = |name| browser.post("/login", &[("name", name), ("password", "wrong")]);
    assert!((0..5).all(|_| wrong("vera").status == 403));
    let refused = (0..2).map(|_| wrong("vera")).find(|page| page.status == 429).expect("nobody has to wait");
    assert!(refused.has("Too many wrong passwords") && refused.header("retry-after").is_some(), "{refused:?}");
    Browser::of_admin(&server);
}

#[test]
fn strangers_may_send_no_more_than_a_log_in() {
    let (_root, _host, server) = served();
    let mut browser = Browser::new(&server);
    let long = "x".repeat(9000);
    assert_eq!(browser.post("/login", &[("name", ADMIN.0), ("password", &long)]).status, 413);
    let asked = browser.post("/change", &[("deed", &long)]);
    assert_eq!((asked.status, asked.header("location")), (303, Some("/login")));
    let mut browser = Browser::of_admin(&server);
    let token = browser.page("/").token();
    assert_eq!(browser.post("/change", &[("token", &token), ("deed", &"x".repeat(131_200))]).status, 413);
    browser.page("/");
}

#[test]
fn forms_of_others_change_nothing() {
    let (_root, _host, server) = served();
    let mut browser = Browser::of_admin(&server);
    // A link of another site leads past the session; one press leads back into it.
    let mut led = Browser::new(&server);
    led.headers = "Sec-Fetch-Site: cross-site\r\n".to_owned();
    assert!(led.page("/login?next=%2Fjobs").has("If you are logged in already, <a href=\"/jobs\">go on</a>"));
    assert!(!Browser::new(&server).page("/login?next=%2Fjobs").has("go on"));
    let token = browser.page("/software").token();
    let other = Browser::of_admin(&server).page("/software").token();
    assert_ne!(token, other, "two sessions share a token");
    for wrong in ["", "0", other.as_str()] {
        let page = browser.post("/logout", &[("token", wrong)]);
        assert_eq!(page.status, 403, "{page:?}");
    }
    for header in
        ["Origin: https://evil.example", "Origin: null", "Origin: http://localhost", "Sec-Fetch-Site: cross-site"]
    {
        browser.headers = format!("{header}\r\n");
        assert_eq!(browser.post("/logout", &[("token", &token)]).status, 403, "{header}");
        let page = browser.post("/login", &[("name", ADMIN.0), ("password", ADMIN.1)]);
        assert_eq!((page.status, page.header("set-cookie")), (403, None), "{header}");
    }
    browser.headers = "Origin: https://localhost\r\nSec-Fetch-Site: same-origin\r\n".to_owned();
    browser.page("/software");
    assert_eq!(browser.get("/logout").status, 405, "a link logs somebody out");
    assert_eq!(browser.post("/logout", &[("token", &token)]).status, 303);
}

#[test]
fn a_session_ends_with_its_users_password() {
    let (_root, host, server) = served();
    let mut browser = Browser::of(&server, "vera", "the viewer's password");
    browser.page("/software");
    let (ended, said) = host.run(&["user", "remove", "vera"]);
    assert!(ended.success(), "{said}");
    assert_eq!(browser.get("/software").status, 303, "a user who is gone goes on");
    host.add_user("vera", "the viewer's password", "viewer");
    assert_eq!(browser.get("/software").status, 303, "the session belongs to an earlier user of that name");
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let (_root, _host, server) = served();
    let mut browser = Browser::new(&server);
    let answers = [
        browser.get("/"),
        browser.get("/login"),
        browser.get("/assets/style.css"),
        browser.get("/assets/nothing"),
        browser.post("/login", &[("name", "x"), ("password", "x")]),
        browser.post("/logout", &[]),
        Browser::of_admin(&server).get("/software"),
        Browser::of_admin(&server).post("/logout", &[]),
    ];
    for answer in answers {
        for (name, value) in HEADERS {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        let kept = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/css"));
        let cached = answer.header("cache-control").is_some_and(|cache| cache != "no-store");
        assert_eq!(cached, kept, "{answer:?}");
        assert!(!answer.has(" style=") && !answer.has("<script>") && !answer.has(" onclick="), "{answer:?}");
    }
}

#[test]
fn the_page_can_be_switched_off() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb").with_settings("[page]\nenabled = false\n");
    let server = host.serve();
    let mut browser = Browser::new(&server);
    for path in ["/", "/login", "/software", "/assets/style.css"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
}
