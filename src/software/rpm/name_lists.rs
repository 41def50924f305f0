//! Lists of package names that packages put into folders of the host's configuration.

use std::fs;
use std::path::Path;

/// A larger file is no such list.
const LARGEST_FILE: u64 = 64 * 1024;

/// The names in the files ending in `.conf` of a folder, one a line; none if there is no such folder.
pub(super) fn read(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let files = entries.flatten().map(|entry| entry.path()).filter(|path| {
        path.extension().is_some_and(|x| x == "conf")
            && fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() <= LARGEST_FILE)
    });
    let texts: Vec<String> = files.filter_map(|path| fs::read_to_string(path).ok()).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lines_of_conf_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.conf"), "# why\nsystemd\n\n glibc \n").unwrap();
        fs::write(folder.path().join("a.conf.old"), "other\n").unwrap();
        fs::write(folder.path().join("large.conf"), "x\n".repeat(40_000)).unwrap();
        assert_eq!(read(folder.path()), ["systemd", "glibc"]);
        assert!(read(&folder.path().join("no")).is_empty());
    }
}
