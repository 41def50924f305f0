//! Writes the manual pages and the shells' completions of `quartermaster` into the folder that is named, for packages.

use std::error::Error;
use std::fs;
use std::path::Path;

use clap_complete::{Shell, generate_to};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name the folder that the pages are to be written to")?;
    write_pages(Path::new(&folder))
}

fn write_pages(folder: &Path) -> Result<(), Box<dyn Error>> {
    let manual = folder.join("man1");
    fs::create_dir_all(&manual)?;
    clap_mangen::generate_to(quartermaster::cli::command(), &manual)?;
    for (shell, name) in [(Shell::Bash, "bash"), (Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        generate_to(shell, &mut quartermaster::cli::command(), "quartermaster", &folder)?;
    }
    Ok(())
}
