//! `quartermaster put`.

use clap::Args;

use super::every::{every, note};
use super::hosts::{Hosts, Who};
use super::keys::Keys;
use super::outcome::{End, Failed};
use super::output::Format;
use super::record;
use super::values::{at, references, values};
use crate::wire::{PlainInstance, PlainValue};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The class of the instance, or a whole resource URI.
    class: String,
    #[command(flatten)]
    keys: Keys,
    /// A property to set; the same name again makes an array, a name alone sets NULL.
    #[arg(long, short = 's', value_name = "NAME=VALUE", required_unless_present = "reference")]
    set: Vec<String>,
    /// A property to set that is a reference: CLASS.KEY="VALUE",KEY="VALUE", or CLASS alone for its only instance.
    #[arg(long, short = 'r', value_name = "NAME=PATH")]
    reference: Vec<String>,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    format: Format,
}

/// The instance is read, changed and written as a whole, which every implementation takes. What the host leaves as it was is told:
/// it passes properties by that nobody may write (DSP0226 7.4).
pub(super) async fn run(arguments: Arguments) -> Result<End, Failed> {
    let meant = arguments.keys.of(&arguments.class)?;
    let (given, referred) = (values(&arguments.set)?, references(&arguments.reference)?);
    let answers = every(&arguments.hosts, Who::Known, async |session| {
        let resource = meant.at(session).await?;
        let before = session.get(&resource).await?;
        let mut wanted = before.clone();
        for (name, value) in at(session, given.clone(), &referred).await? {
            wanted.set(&name, value);
        }
        let written = session.put(&resource, &wanted).await?;
        let left = written.as_ref().map(|written| left(&before, &wanted, written)).unwrap_or_default();
        for name in &left {
            note(session.endpoint().name(), &format!("the host leaves {name} as it was"));
        }
        let is_done = left.is_empty();
        Ok((record::one(written.unwrap_or(wanted)), is_done))
    })
    .await?;
    let end = answers.end_by(|(_, is_done)| if *is_done { End::Well } else { End::Failed });
    record::show(&answers.map(|(record, _)| record), &[], &arguments.format)?;
    Ok(end)
}

/// The properties that were to be changed and are what they were.
fn left<'w>(before: &PlainInstance, wanted: &'w PlainInstance, written: &PlainInstance) -> Vec<&'w str> {
    let names = wanted.properties.iter().map(|(name, _)| name.as_str());
    let is_left = |name: &&str| {
        let [before, wanted, written] = [before, wanted, written].map(|instance| instance.get(name));
        before == written && before != wanted && !is_alike(wanted, written)
    };
    names.filter(is_left).collect()
}

/// Whether two values are the same in another spelling: truths and numbers have several.
fn is_alike(one: Option<&PlainValue>, other: Option<&PlainValue>) -> bool {
    let texts = |value: Option<&PlainValue>| -> Vec<String> {
        value.into_iter().flat_map(PlainValue::texts).map(str::to_ascii_lowercase).collect()
    };
    let (one, other) = (texts(one), texts(other));
    !one.is_empty() && one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_to_change_and_did_not_is_told() {
        let before =
            PlainInstance::default().with("Name", "a").with("State", "4").with("Done", "false").with("On", "true");
        let wanted = before.clone().with("State", "2").with("Done", "TRUE").with("New", "1").with("On", "True");
        let written = before.clone().with("Done", "true");
        assert_eq!(left(&before, &wanted, &written), ["State", "New"]);
        assert_eq!(left(&before, &wanted, &wanted), [""; 0]);
    }
}
