//! `quartermaster delete`.

use clap::Args;

use super::every::every;
use super::hosts::{Hosts, Who};
use super::keys::Keys;
use super::outcome::{End, Failed};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The class of the instance, or a whole resource URI.
    class: String,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    hosts: Hosts,
}

pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let meant = arguments.keys.of(&arguments.class)?;
    // The only instance of a class is easily another one than was meant.
    if !meant.has_keys() {
        return Err(Failed::Usage("name the keys of the instance that is to be removed".to_owned()));
    }
    let answers =
        every(&arguments.hosts, Who::Known, async |session| session.delete(&meant.at(session).await?).await).await?;
    Ok(answers.end())
}
