//! Names and passwords in URLs, which nobody is shown.

use std::borrow::Cow;

/// A text without the logins in its URLs.
pub(super) fn without_logins(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        let end = tail.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '[') || c.is_whitespace());
        let (authority, after) = tail.split_at(end.unwrap_or(tail.len()));
        shown.push_str(head);
        shown.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        rest = after;
    }
    if shown.is_empty() {
        return Cow::Borrowed(text);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_not_shown() {
        for (text, shown) in [
            ("https://user:se@cret@h.example:8443/a@b?c", "https://h.example:8443/a@b?c"),
            ("for http://bob:s3@127.0.0.1:9/x [no], ftp://u@h", "for http://127.0.0.1:9/x [no], ftp://h"),
            ("https://h.example/a@b", "https://h.example/a@b"),
            ("h.example/x@y", "h.example/x@y"),
            ("", ""),
        ] {
            assert_eq!(without_logins(text), shown);
        }
    }
}
