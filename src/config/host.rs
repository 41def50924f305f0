//! The host's own name.

/// The full name if the host knows it, else the short one.
pub(super) fn name() -> String {
    let short = read("/proc/sys/kernel/hostname").trim().to_owned();
    if short.is_empty() {
        return "localhost".to_owned();
    }
    full_name(&short, &read("/etc/hosts")).unwrap_or(short)
}

/// Looks for `short` in the text of `/etc/hosts`: the canonical name there is the full one.
fn full_name(short: &str, hosts: &str) -> Option<String> {
    if short.contains('.') {
        return None;
    }
    hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split_whitespace().skip(1))
        .find(|name| name.strip_prefix(short).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.')))
        .map(str::to_owned)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_name_comes_from_the_hosts_file() {
        let hosts =
            "127.0.0.1 localhost\n# 10.0.0.9 box.wrong\n127.0.1.1 boxer.example.org box.example.org box # box.late\n";
        assert_eq!(full_name("box", hosts).as_deref(), Some("box.example.org"));
        assert_eq!(full_name("boxe", hosts), None);
        assert_eq!(full_name("box.example.net", hosts), None);
    }

    #[test]
    fn there_is_always_a_name() {
        assert!(!name().is_empty());
    }
}
