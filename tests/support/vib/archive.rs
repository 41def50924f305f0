//! `ar` archives in the two spellings that VIBs have.

/// Who wrote an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// VMware's tool: bare names, mode 0.
    #[default]
    Vmware,
    /// GNU `ar rD`: names end in `/`, mode 644, names above 15 octets stand in a table.
    Gnu,
}

/// An archive of these members.
pub fn ar(members: &[(&str, &[u8])], spelling: Spelling) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    let mut table = String::new();
    let mut names = Vec::new();
    for (name, _) in members {
        names.push(match spelling {
            Spelling::Vmware => (*name).to_owned(),
            Spelling::Gnu if name.len() < 16 => format!("{name}/"),
            Spelling::Gnu => {
                let at = table.len();
                table += &format!("{name}/\n");
                format!("/{at}")
            }
        });
    }
    if !table.is_empty() {
        archive.extend(format!("{:<48}{:<10}`\n", "//", table.len()).bytes());
        append(&mut archive, table.as_bytes());
    }
    let mode = if spelling == Spelling::Gnu { "644" } else { "0" };
    for (name, (_, content)) in names.iter().zip(members) {
        archive.extend(header(name, mode, content.len()));
        append(&mut archive, content);
    }
    archive
}

/// The header of a member.
pub fn header(name: &str, mode: &str, size: usize) -> Vec<u8> {
    format!("{name:<16}{:<12}{:<6}{:<6}{mode:<8}{size:<10}`\n", 0, 0, 0).into_bytes()
}

fn append(archive: &mut Vec<u8>, content: &[u8]) {
    archive.extend_from_slice(content);
    if content.len() % 2 == 1 {
        archive.push(b'\n');
    }
}
