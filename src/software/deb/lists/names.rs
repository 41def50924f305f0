//! How apt names the lists that it fetched: by where they come from.

use super::super::sources::Uri;

/// What the names of all lists of one archive and suite begin with.
pub(super) fn base(uri: &Uri, suite: &str) -> String {
    let mut name = address(uri);
    if !name.ends_with('/') {
        name.push('/');
    }
    match suite {
        "/" => {}
        _ if suite.ends_with('/') => name.push_str(&encoded(suite)),
        _ => {
            name.push_str("dists/");
            name.push_str(&encoded(suite));
            name.push('/');
        }
    }
    escaped(&name)
}

/// What follows in the name of a list with this key in the archive.
pub(super) fn escaped(key: &str) -> String {
    quoted(key, "\\|{}[]<>\"^~_=!@#$%^&*").replace('/', "_")
}

/// Host, port and path, without scheme and login. Square brackets around a host are left out, and a port of zero.
fn address(uri: &Uri) -> String {
    let host = uri.host();
    let bare: String = host.chars().filter(|c| !"[]".contains(*c)).collect();
    let bracket = host.rfind(']').map_or(0, |at| at + 1);
    let colon = host.get(bracket..).and_then(|rest| rest.rfind(':')).map(|at| bracket + at);
    let address = match colon.and_then(|colon| host.get(colon + 1..)) {
        Some(port) => {
            let name = bare.get(..bare.len() - port.len() - 1).unwrap_or_default();
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            match port.get(..digits).and_then(|digits| digits.parse::<u16>().ok()) {
                None | Some(0) => name.to_owned(),
                Some(port) => format!("{name}:{port}"),
            }
        }
        None => bare,
    };
    if uri.path().is_empty() { format!("{address}/") } else { address + uri.path() }
}

/// As apt writes a suite into a URI.
fn encoded(suite: &str) -> String {
    quoted(suite, "+~ ")
}

/// With percent signs and codes in the place of these characters and of all that are not printable in ASCII.
fn quoted(text: &str, bad: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' && !bad.as_bytes().contains(&byte) {
            result.push(char::from(byte));
        } else {
            result.push_str(&format!("%{byte:02x}"));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    const PLACES: &[(&str, &str)] = &[
        ("http://deb.debian.org/debian", "bookworm-updates"),
        ("http://deb.debian.org/debian/", "stable/updates"),
        ("http://deb.debian.org", "bookworm"),
        ("https://user:p%40ss@example.org:8080/a_b/c~d+e=f@g", "x_y~z+1"),
        ("http://example.org:0080/x", "a"),
        ("http://[fe80::1]:8080/x", "a"),
        ("http://[fe80::1]/x", "a"),
        ("file:/srv/re_po", "./"),
        ("file:///srv/repo", "sub+dir/"),
        ("copy:/srv/repo", "/"),
        ("http://example.org/a%20b/ä", "a"),
        ("mirror+http://example.org/list.txt", "a"),
    ];

    #[test]
    fn names_are_those_of_apt() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().display();
        for folder in ["var/lib/dpkg", "var/lib/apt/lists/partial", "etc/apt/sources.list.d"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("var/lib/dpkg/status"), "").unwrap();
        let configuration = dir.path().join("apt.conf");
        fs::write(&configuration, format!("Dir \"{root}/\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\n"))
            .unwrap();
        for (uri, suite) in PLACES {
            let (components, key) =
                if suite.ends_with('/') { ("", "Packages") } else { ("Components: c_d", "c_d/binary-amd64/Packages") };
            let text = format!("Types: deb\nURIs: {uri}\nSuites: {suite}\nArchitectures: amd64\n{components}\n");
            fs::write(dir.path().join("etc/apt/sources.list.d/test.sources"), text).unwrap();
            let output = Command::new("apt-get")
                .args(["indextargets", "--no-release-info", "--format", "$(FILENAME)", "Identifier: Packages"])
                .env("APT_CONFIG", &configuration)
                .output()
                .unwrap();
            let theirs = String::from_utf8(output.stdout).unwrap();
            let ours = base(&Uri::new((*uri).to_owned()).unwrap(), suite) + &escaped(key);
            let names: Vec<&str> = theirs.lines().filter_map(|line| line.rsplit('/').next()).collect();
            assert!(names.contains(&ours.as_str()), "{uri} {suite}: {ours} is none of {names:?}");
        }
    }

    #[test]
    fn names_of_discs() {
        let uri = Uri::new("cdrom:[Debian GNU/Linux 12.0.0 _Bookworm_ - Official 20230610-10:21]/".to_owned()).unwrap();
        assert_eq!(
            base(&uri, "bookworm"),
            "Debian%20GNU_Linux%2012.0.0%20%5fBookworm%5f%20-%20Official%2020230610-10:21_dists_bookworm_"
        );
    }
}
