//! Where a URI of a file leads.

use std::path::PathBuf;

use super::Url;

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this host.
    Local(PathBuf),
    /// At an HTTP server.
    Remote(Url),
}

impl Place {
    /// Where the URI leads; `None` for what is malformed, of another scheme, or a file of another host.
    pub fn of(text: &str) -> Option<Self> {
        let uri = ::url::Url::parse(text).ok()?;
        match uri.scheme() {
            "file" => local_file(&uri).map(Self::Local),
            "http" | "https" => Url::parse(text).ok().map(Self::Remote),
            _ => None,
        }
    }

    /// Where a relative path leads from here, which is a file; `None` for what leads out of its folder.
    pub fn beside(&self, relative: &str) -> Option<Self> {
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        if !relative.split('/').all(is_plain)
            || relative.contains(['\\', '?', '#'])
            || relative.contains(char::is_control)
        {
            return None;
        }
        match self {
            Self::Local(file) => Some(Self::Local(file.parent()?.join(relative))),
            Self::Remote(url) => {
                // Spaces at the ends would be cut off, and `..` be left of them.
                let escaped = relative.replace('%', "%25").replace(':', "%3A").replace(' ', "%20");
                url.join(&escaped).ok().map(Self::Remote)
            }
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(file) => write!(f, "{}", file.display()),
            Self::Remote(url) => url.fmt(f),
        }
    }
}

fn local_file(uri: &::url::Url) -> Option<PathBuf> {
    if uri.query().is_some() || uri.fragment().is_some() {
        return None;
    }
    // The path is cut out of URIs like file://host/x too, so the host is judged first.
    let is_here = uri.host_str().is_none_or(|host| host.eq_ignore_ascii_case("localhost"));
    is_here.then(|| uri.to_file_path().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_lead_to_files_of_this_host_and_to_http_servers() {
        assert_eq!(Place::of("file:///srv/a%20b.deb"), Some(Place::Local("/srv/a b.deb".into())));
        assert_eq!(Place::of("file://localhost/srv/x.rpm"), Some(Place::Local("/srv/x.rpm".into())));
        for remote in ["http://h/x.deb", "HTTPS://h:8443/x.deb?a=b", "https://[::1]/x"] {
            assert!(matches!(Place::of(remote), Some(Place::Remote(_))), "{remote}");
        }
        let files = ["", "x.deb", "/srv/x.deb", "file://elsewhere/x.deb", "file:///x.deb?a", "file:///x#y"];
        for other in files.into_iter().chain(["ftp://h/x.deb", "http://", "http://a:b@h/x.deb"]) {
            assert_eq!(Place::of(other), None, "{other:?}");
        }
    }

    #[test]
    fn relative_paths_stay_in_the_folder() {
        let beside = |base: &str, path: &str| Place::of(base).unwrap().beside(path).map(|place| place.to_string());
        assert_eq!(
            beside("http://h/esx/vmw/metadata.zip?a=b", "vib20/a/b_1.0-1.vib").unwrap(),
            "http://h/esx/vmw/vib20/a/b_1.0-1.vib"
        );
        assert_eq!(beside("http://h/metadata.zip", "a%b:c.vib").unwrap(), "http://h/a%25b%3Ac.vib");
        for (spaced, escaped) in [(" ../a", "%20../a"), ("b/.. ", "b/..%20"), ("a b", "a%20b")] {
            assert_eq!(beside("http://h/esx/metadata.zip", spaced).unwrap(), format!("http://h/esx/{escaped}"));
        }
        assert_eq!(beside("file:///depot/metadata.zip", "vib20/a.vib").unwrap(), "/depot/vib20/a.vib");
        for out in ["../a", "/a", "a/../../b", "", "a//b", "a\\b", "a?b", "a#b", "a\nb"] {
            assert_eq!(beside("http://h/esx/metadata.zip", out), None, "{out:?}");
            assert_eq!(beside("file:///esx/metadata.zip", out), None, "{out:?}");
        }
    }
}
