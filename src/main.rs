//! The command `quartermaster`.

use std::process::ExitCode;

fn main() -> ExitCode {
    quartermaster::cli::run()
}
