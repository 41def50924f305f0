//! Debian's Chromium without a window, driven through its driver (WebDriver, W3C).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::eventually;
use super::server::{PATIENCE, Server};

/// What keeps it from asking for anything but the page.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
];

/// A browser; it ends when it is dropped.
#[derive(Debug)]
pub struct Chromium {
    driver: Child,
    port: u16,
    session: String,
    base: String,
    _profile: TempDir,
}

/// How pages are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    /// In CSS pixels; what is narrower than 600 is a phone.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Whether dark colours are preferred.
    pub dark: bool,
}

impl Chromium {
    /// One that looks at this server.
    pub fn new(server: &Server) -> Self {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = driver.unwrap_or_else(|error| panic!("chromedriver: {error}; `make test` installs it"));
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            line.split_once("successfully on port ").and_then(|(_, port)| port.trim_end_matches('.').parse().ok())
        });
        let port = port.expect("chromedriver did not start");
        let profile = TempDir::new().unwrap();
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|&argument| argument.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        if rustix::process::geteuid().is_root() {
            arguments.push("--no-sandbox".to_owned());
        }
        let base = format!("https://localhost:{}", server.port);
        let mut browser = Self { driver, port, session: String::new(), base, _profile: profile };
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "acceptInsecureCerts": true,
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": arguments},
        }}});
        let answer = browser.ask("POST", "/session", &wanted);
        browser.session = answer["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// Has every page from now on shown so.
    pub fn look(&self, looks: Looks) {
        let Looks { width, height, dark } = looks;
        let device = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &device);
        let scheme = if dark { "dark" } else { "light" };
        let feature = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &feature);
    }

    /// Switches the scripts of pages off.
    pub fn without_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    }

    /// Goes to a path of the server.
    pub fn go(&self, path: &str) {
        self.call("POST", "/url", &json!({"url": format!("{}{path}", self.base)}));
    }

    /// Forgets what was kept of earlier pages but cookies.
    pub fn forget_files(&self) {
        self.devtools("Network.clearBrowserCache", &json!({}));
    }

    /// Logs in.
    pub fn log_in(&self, (name, password): (&str, &str)) {
        self.go("/login");
        self.write("#name", name);
        self.write("#password", password);
        self.press("main form button");
        self.wait_for("the overview", |browser| browser.path() == "/");
    }

    /// The path of the page that is shown.
    pub fn path(&self) -> String {
        let url = self.call("GET", "/url", &Value::Null);
        url.as_str().unwrap().trim_start_matches(&self.base).to_owned()
    }

    /// Writes into a field.
    pub fn write(&self, selector: &str, text: &str) {
        self.handle(selector, "value", &json!({"text": text}));
    }

    /// Presses a button or follows a link.
    pub fn press(&self, selector: &str) {
        self.handle(selector, "click", &json!({}));
    }

    /// Does something with an element, once it is there. It may belong to a page that is just being left: then there is
    /// another one to come.
    fn handle(&self, selector: &str, deed: &str, body: &Value) {
        let wanted = json!({"using": "css selector", "value": selector});
        eventually(selector, PATIENCE, || {
            let element = self.try_call("POST", "/element", &wanted).ok().and_then(|found| id(&found))?;
            match self.try_call("POST", &format!("/element/{element}/{deed}"), body) {
                Ok(_) => Some(()),
                Err(error) if error["error"] == "stale element reference" => None,
                Err(error) => panic!("{deed} of {selector}: {error}"),
            }
        });
    }

    /// The text that a person sees of an element; nothing if it is not there.
    pub fn text(&self, selector: &str) -> String {
        let found = self.call("POST", "/elements", &json!({"using": "css selector", "value": selector}));
        let Some(element) = found.as_array().and_then(|all| id(all.first()?)) else { return String::new() };
        // The page may have put another one in its place.
        let text = self.try_call("GET", &format!("/element/{element}/text"), &Value::Null);
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until something is so.
    pub fn wait_for(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        eventually(what, PATIENCE, || is_so(self).then_some(()));
    }

    /// Runs a script of the test's own, and gives what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What the console was told since the last call: errors, and violations of the content security policy.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({"type": "browser"}));
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// A picture of what is shown, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.call("GET", "/screenshot", &Value::Null);
        STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.call("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        self.send(method, &format!("/session/{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.send(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE + Duration::from_secs(5))).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let (mut status, mut length) = (String::new(), 0);
        stream.read_line(&mut status).unwrap();
        for line in stream.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()) {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        if status.contains(" 200 ") { Ok(answer["value"].clone()) } else { Err(answer["value"].clone()) }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.send("DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The reference of an element.
fn id(element: &Value) -> Option<String> {
    element.as_object()?.values().next()?.as_str().map(str::to_owned)
}
