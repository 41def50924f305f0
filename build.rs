//! Puts every MOF file below `schemas/` into the binary, so that adding a managed class takes one file.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names no package folder")?);
    let output = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no output folder")?);
    let mut files = Vec::new();
    collect(&root.join("schemas"), &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root)?.display().to_string();
        let inside = format!("/{name}");
        // Relative to the package: a target folder may outlive the place of the checkout.
        list.push_str(&format!("    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {inside:?}))),\n"));
    }
    list.push_str("]\n");
    fs::write(output.join("schemas.rs"), list)?;
    // Cargo looks through the folder, so new and removed files count too.
    writeln!(io::stdout(), "cargo:rerun-if-changed=schemas")?;
    writeln!(io::stdout(), "cargo:rerun-if-changed=build.rs")?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mof")) {
            files.push(path);
        }
    }
    Ok(())
}
