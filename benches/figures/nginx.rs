//! nginx with the same pages as static files, the same certificate and the same client.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::load::{Connection, elapsed_ms};
use super::support::eventually;
use super::support::server::{Host, PATIENCE, Server};

/// A running nginx; ended when dropped.
pub(crate) struct Nginx {
    child: Child,
    connection: RefCell<Connection>,
    requests: Vec<Vec<u8>>,
}

impl Nginx {
    /// Serves `pages`; `None` if there is no nginx.
    pub(crate) fn start(host: &Host, server: &Server, pages: &[Vec<u8>]) -> Option<Self> {
        let program = program()?;
        let dir = host.scratch().join("nginx");
        for folder in ["pages", "logs", "tmp"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        for (i, page) in pages.iter().enumerate() {
            fs::write(dir.join(format!("pages/{i}")), page).unwrap();
        }
        // The port is free now; nobody else asks for one while the figures are taken.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::write(dir.join("nginx.conf"), configuration(&dir, server, port)).unwrap();
        let mut child = Command::new(program)
            .arg("-p")
            .arg(&dir)
            .arg("-c")
            .arg(dir.join("nginx.conf"))
            .args(["-e", "logs/error.log"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("nginx to listen", PATIENCE, || {
            assert!(child.try_wait().unwrap().is_none(), "{}", fs::read_to_string(dir.join("logs/error.log")).unwrap());
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        let requests =
            (0..pages.len()).map(|i| format!("GET /{i} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()).collect();
        Some(Self { child, connection: RefCell::new(Connection::open(port)), requests })
    }

    /// The time to read all pages once, in milliseconds.
    pub(crate) fn time(&self) -> f64 {
        let mut connection = self.connection.borrow_mut();
        let start = Instant::now();
        for request in &self.requests {
            connection.exchange(request);
        }
        elapsed_ms(start)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to, the master ends its workers; killed, it would leave them.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// nginx as it is installed, or as `make bench` unpacked it.
fn program() -> Option<PathBuf> {
    let unpacked = env::current_exe().ok()?.ancestors().nth(3)?.join("nginx/usr/sbin/nginx");
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = env::split_paths(&path).map(|dir| dir.join("nginx")).collect();
    places.extend(["/usr/sbin/nginx".into(), unpacked]);
    places.into_iter().find(|place| place.is_file())
}

fn configuration(dir: &Path, server: &Server, port: u16) -> String {
    let dir = dir.display();
    let as_root = if fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0) {
        "user root;\n"
    } else {
        ""
    };
    format!(
        "{as_root}daemon off;\nworker_processes 2;\npid {dir}/nginx.pid;\nerror_log {dir}/logs/error.log;\n\
         events {{ worker_connections 256; }}\nhttp {{\n  access_log off;\n  default_type application/soap+xml;\n\
         sendfile on;\n  tcp_nodelay on;\n  keepalive_requests 1000000;\n  open_file_cache max=100;\n\
         client_body_temp_path {dir}/tmp/a;\n  proxy_temp_path {dir}/tmp/b;\n  fastcgi_temp_path {dir}/tmp/c;\n\
         uwsgi_temp_path {dir}/tmp/d;\n  scgi_temp_path {dir}/tmp/e;\n\
         server {{\n    listen 127.0.0.1:{port} ssl;\n    ssl_protocols TLSv1.2 TLSv1.3;\n\
         ssl_certificate {};\n    ssl_certificate_key {};\n    root {dir}/pages;\n  }}\n}}\n",
        server.certificate().display(),
        server.certificate_key().display(),
    )
}
