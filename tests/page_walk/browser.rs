//! What a browser does, without showing anything: it keeps cookies, follows redirects and fills in forms.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use url::form_urlencoded::Serializer;

use crate::raw_client::{Client, Response};
use crate::support::server::{ADMIN, Server};

/// A browser with one server's cookies.
pub(crate) struct Browser {
    address: SocketAddr,
    certificate: PathBuf,
    cookie: Option<String>,
    /// The certificate that it shows, and its key.
    identity: Option<[PathBuf; 2]>,
    /// Headers that go with every request, each a line that ends with CRLF.
    pub(crate) headers: String,
}

/// A page, or whatever else was answered.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
    response: Response,
}

impl Browser {
    /// One that is nobody yet.
    pub(crate) fn new(server: &Server) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port));
        Self { address, certificate: server.certificate(), cookie: None, identity: None, headers: String::new() }
    }

    /// The same with a certificate that it shows.
    pub(crate) fn with_certificate(self, certificate: &Path, key: &Path) -> Self {
        Self { identity: Some([certificate.to_owned(), key.to_owned()]), ..self }
    }

    /// One that is logged in.
    pub(crate) fn of(server: &Server, name: &str, password: &str) -> Self {
        let mut browser = Self::new(server);
        let page = browser.post("/login", &[("name", name), ("password", password)]);
        assert_eq!((page.status, page.header("location")), (303, Some("/")), "{page:?}");
        browser
    }

    /// The administrator's.
    pub(crate) fn of_admin(server: &Server) -> Self {
        Self::of(server, ADMIN.0, ADMIN.1)
    }

    /// Asks for a page.
    pub(crate) fn get(&mut self, path: &str) -> Page {
        let headers = self.all_headers();
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"))
    }

    /// Asks for a page that must be there.
    pub(crate) fn page(&mut self, path: &str) -> Page {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{path}: {page:?}");
        page
    }

    /// Sends a form.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = self.all_headers();
        self.ask(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             {headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Sends a form that brings a file.
    pub(crate) fn send_file(&mut self, path: &str, fields: &[(&str, &str)], file: &[u8]) -> Page {
        const BOUNDARY: &str = "----WebKitFormBoundaryOfTheTest";
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.deb\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(&[head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat());
        let headers = self.all_headers();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
             {headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.ask([head.into_bytes(), body].concat())
    }

    /// Sends a form of a page with its hidden fields, and further ones.
    pub(crate) fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.hidden(action);
        let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = hidden.chain(fields.iter().copied()).collect();
        self.post(action, &all)
    }

    fn ask(&mut self, request: impl AsRef<[u8]>) -> Page {
        let mut client = match &self.identity {
            None => Client::connect(self.address, &self.certificate),
            Some([certificate, key]) => Client::showing(self.address, &self.certificate, certificate, key),
        };
        client.send(request);
        let response = client.response();
        if let Some(set) = response.header("set-cookie") {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = Some(pair).filter(|_| !set.contains("Max-Age=0"));
        }
        Page { status: response.status, body: String::from_utf8(response.body.clone()).unwrap(), response }
    }

    fn all_headers(&self) -> String {
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: theme=x; {cookie}\r\n"));
        format!("{}{}", cookie.unwrap_or_default(), self.headers)
    }

    /// The cookie that it has.
    pub(crate) fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap_or_default()
    }

    /// Takes another cookie.
    pub(crate) fn take_cookie(&mut self, cookie: &str) {
        self.cookie = Some(cookie.to_owned());
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.response.head, self.body)
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.header(name)
    }

    /// Whether the text stands on the page, written as HTML writes it.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// The form that is sent to this address.
    pub(crate) fn form(&self, action: &str) -> Option<&str> {
        let start = self.body.find(&format!("action=\"{action}\""))?;
        self.body[start..].split("</form>").next()
    }

    /// The hidden fields of the form that is sent to this address.
    pub(crate) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let form = self.form(action).unwrap_or_else(|| panic!("no form for {action} on {}", self.body));
        let inputs = form.split("<input ").skip(1).map(|input| input.split('>').next().unwrap());
        let hidden = inputs.filter(|input| input.contains("type=\"hidden\""));
        hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
    }

    /// What proves that a form is one of this session.
    pub(crate) fn token(&self) -> String {
        self.hidden("/logout").into_iter().find(|(name, _)| name == "token").unwrap().1
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
    value.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}
