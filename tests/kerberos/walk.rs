//! The walk of docs/authentication.md from the KDC to curl, as it is written.

use std::fs;

use super::marked::{blocks, run_shell};
use super::realm::{PASSWORD, Realm};
use super::single_sign_on::{namesakes, serve};
use super::support::server::Host;

#[test]
fn the_walk_from_the_kdc_to_curl_works_as_it_is_written() {
    let realm = Realm::without_services();
    let keytab = realm.scratch().join("http.keytab");
    let settings = format!("[auth]\nhash_mebibytes = 1\nkerberos_keytab = {keytab:?}\n{}", namesakes());
    let host = Host::bare(&["--engine", "none"]).with_settings(&settings);
    host.add_user("ann", "a password", "viewer");
    realm.add("ann");
    // What a reader replaces too: the host's name, who runs the service, and the password that a person types.
    let script = |block: &str, port: u16| {
        let text = block
            .replace("web1.example.com:5986", &format!("localhost:{port}"))
            .replace("web1.example.com", "localhost")
            .replace("--owner=root --group=quartermaster ", "")
            .replace("/etc/quartermaster/http.keytab", keytab.to_str().unwrap())
            .replace("kinit ann", &format!("echo '{PASSWORD}' | kinit ann"));
        run_shell(&(realm.exports() + &text), realm.scratch())
    };
    let [on_the_kdc, on_the_host, anywhere] = &blocks("docs/authentication.md", "sh")[..] else {
        panic!("other blocks")
    };
    script(on_the_kdc, 0);
    script(on_the_host, 0);
    let server = serve(&host);
    fs::copy(server.certificate(), realm.scratch().join("web1.pem")).unwrap();
    let said = script(anywhere, server.port);
    assert!(said.contains("ProductVendor") && said.contains("HTTP/localhost@"), "{said}");
}
