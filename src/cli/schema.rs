//! `quartermaster schema`: the classes that the server knows, without a server.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Failure;
use super::mof_files::mof_files;
use crate::cim::{Class, ClassKind, Schema};
use crate::wire::classes::{SchemaFile, schema_files};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List the classes: name, superclass and kind.
    List,
    /// Show a class as MOF.
    Show {
        /// The class.
        class: String,
        /// Show what it inherits, too.
        #[arg(long)]
        all: bool,
    },
    /// Write every class into a file of its own.
    ///
    /// The XML Schema describes every class under its own vendor's URI; instances asked for under DMTF's or Windows' form of
    /// a vendor class's URI are named otherwise.
    Export {
        #[command(flatten)]
        format: Format,
        /// The folder; files of the same names are replaced.
        #[arg(value_name = "DIR", default_value = "schema")]
        folder: PathBuf,
    },
}

/// What the files are.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Format {
    /// Write MOF; schema.mof includes qualifiers.mof, which declares the qualifiers, and every class behind those that it uses.
    #[arg(long)]
    mof: bool,
    /// Write XML Schema; schema.xsd imports every other file.
    #[arg(long)]
    xsd: bool,
}

/// Does it.
pub(super) fn run(action: Action) -> Result<(), Failure> {
    let schema = Schema::builtin()?;
    match action {
        Action::List => say(&schema.classes().map(|class| line(class)).collect::<String>()),
        Action::Show { class, all } => say(&show(&schema, &class, all)?),
        Action::Export { format, folder } => {
            let files = if format.xsd { schema_files(&schema).collect() } else { mof_files(&schema) };
            write_all(&folder, &files)?;
            say(&format!("wrote {} files to {}\n", files.len(), folder.display()))
        }
    }
}

/// Who looks at the first lines only (`| head`) has got what he wants.
fn say(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn line(class: &Class) -> String {
    let kind = match (class.kind(), class.is_abstract()) {
        (ClassKind::Ordinary, false) => "class",
        (ClassKind::Ordinary, true) => "abstract class",
        (ClassKind::Association, false) => "association",
        (ClassKind::Association, true) => "abstract association",
        (ClassKind::Indication, false) => "indication",
        (ClassKind::Indication, true) => "abstract indication",
    };
    format!("{}\t{}\t{kind}\n", class.name(), class.superclass().map_or("-", |name| name))
}

fn show(schema: &Schema, name: &str, all: bool) -> Result<String, Failure> {
    let class = schema.class(name).ok_or_else(|| unknown(schema, name))?;
    let declaration = if all { schema.whole_declaration(class) } else { schema.declaration(class) };
    Ok(declaration.to_string())
}

fn write_all(folder: &Path, files: &[SchemaFile]) -> Result<(), Failure> {
    let cannot = |path: &Path, error| format!("cannot write {}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    for file in files {
        let path = folder.join(&file.name);
        fs::write(&path, &file.content).map_err(|error| cannot(&path, error))?;
    }
    Ok(())
}

/// How many names a message suggests.
const SUGGESTIONS: usize = 3;
/// Names longer than this are no slips of the pen.
const LONGEST: usize = 80;

fn unknown(schema: &Schema, name: &str) -> String {
    let wanted = name.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> =
        schema.classes().filter_map(|class| Some((distance(&wanted, class.name())?, &**class.name()))).collect();
    near.sort_unstable();
    near.truncate(SUGGESTIONS);
    let names: Vec<&str> = near.into_iter().map(|(_, name)| name).collect();
    if names.is_empty() {
        return format!("there is no class {name:?}; `quartermaster schema list` shows all");
    }
    format!("there is no class {name:?}; did you mean {}?", names.join(", "))
}

/// How far a name is from what somebody wrote in lower case; `None` if it is far. A name that holds all of it is near.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    if wanted.len() > LONGEST {
        return None;
    }
    if wanted.len() > 2 && name.contains(wanted) {
        return Some(0);
    }
    Some(edits(wanted.as_bytes(), name.as_bytes())).filter(|edits| *edits <= wanted.len() / 4)
}

/// How many octets have to be put in, left out or changed to get from one text to the other.
fn edits(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (place, b) in row.iter_mut().skip(1).zip(to) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *place;
            left = changed.min(left + 1).min(*place + 1);
            *place = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("abc", "acb", 2),
            ("job", "job", 0),
        ] {
            assert_eq!(edits(from.as_bytes(), to.as_bytes()), count, "{from} {to}");
        }
    }

    #[test]
    fn an_unknown_name_leads_to_near_ones() {
        let schema = Schema::builtin().unwrap();
        let message = |name| unknown(&schema, name);
        assert_eq!(
            message("CIM_SoftwareIdentety"),
            "there is no class \"CIM_SoftwareIdentety\"; did you mean CIM_SoftwareIdentity, LMI_SoftwareIdentity?"
        );
        assert!(message("concretejob").contains("CIM_ConcreteJob, LMI_ConcreteJob"), "{}", message("concretejob"));
        for far in ["unicorn", "", &"CIM_".repeat(40)] {
            assert!(message(far).ends_with("shows all"), "{}", message(far));
        }
    }
}
