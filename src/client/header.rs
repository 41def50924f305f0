//! The grammar of `WWW-Authenticate` and `Authorization` (RFC 9110 11.3 to 11.6).

/// The challenges or credentials of a header: schemes with their parameters. What is neither is passed over.
pub fn challenges(header: &str) -> Vec<(&str, Vec<(&str, String)>)> {
    let mut found: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return found;
        }
        let (name, behind) = token(rest);
        if name.is_empty() {
            // No challenge goes on like this; the next one may stand behind the next comma.
            rest = behind.split_once(',').map_or("", |(_, behind)| behind);
            continue;
        }
        match behind.trim_start_matches([' ', '\t']).strip_prefix('=') {
            None => {
                found.push((name, Vec::new()));
                rest = behind;
            }
            Some(behind) => {
                let (value, behind) = value(behind.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((name, value));
                }
                rest = behind;
            }
        }
    }
}

/// A token at the beginning of the text, and what follows it.
fn token(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// A token or a quoted string at the beginning of the text, without its quotes, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let (value, rest) = token(text);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => value.extend(characters.next()),
            c => value.push(c),
        }
    }
    (value, characters.as_str())
}
