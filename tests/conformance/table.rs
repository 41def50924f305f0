//! `docs/conformance.md`: what the suite knows, as tables.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::clauses;
use crate::provoked::{ENTRIES, How};
use crate::rule::{Rule, Verdict};

const HEAD: &str = "\
# Conformance to WS-Management

The rules of DSP0226 1.0.0 (WS-Management), one by one, in a few words each; the standard itself says what they mean. This
page is made by the suite in `tests/conformance`; a test fails when it is not up to date, and
`UPDATE_DOCS=1 cargo test --test conformance table` writes it anew.

- **holds**: the rule is complied with. The name of its test follows, which says what the test sees; it stands behind the
  rule's number, so that `cargo test --test conformance r8_2_3_4` runs the test of R8.2.3-4.
- *not applicable*: the rule asks nothing of this service, and why. There is nothing to test.
- **deviates**: the service does something else, on purpose, and why. The test sees to it that it does just that.

The suite is a client. By default it starts this service on a private root; these variables point it at another one, and
then it leaves out what only this one can be tried with (methods, events, a second user) and how this one deviates:

| Variable | Meaning |
|---|---|
| `CONFORMANCE_URL` | where the service is, such as `https://host:5986/wsman`; its certificate is not checked |
| `CONFORMANCE_USER`, `CONFORMANCE_PASSWORD` | credentials for HTTP Basic authentication |
| `CONFORMANCE_CLASS` | the resource URI of a class with at least three instances; CIM_SoftwareIdentity if not given |

";

const FAULTS: &str = "
## Faults

Every fault of DSP0226 14.6, DSP0227 and SOAP, and every detail that the standard has for it. For each that can be provoked a
test sends the request and looks at code, subcode, Action, detail, the reason (it must name what is wrong) and, where CIM
failed, the `CIM_Error` in the detail. A fault without a detail has a line of its own.

| Fault | Detail | Provoked by |
|---|---|---|
";

#[test]
fn the_table_in_docs_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conformance.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == page, "{} is not current: {}", file.display(), first_difference(&found, &page));
}

/// The whole page.
fn page() -> String {
    let mut page = HEAD.to_owned();
    let clauses = clauses();
    let all: Vec<&Rule> = clauses.iter().flat_map(|(_, files)| files.iter().copied().flatten()).collect();
    let count = |wanted: fn(&Verdict) -> bool| all.iter().filter(|rule| wanted(&rule.verdict)).count();
    writeln!(
        page,
        "{} rules: {} hold, {} are not applicable, {} are deviated from.",
        all.len(),
        count(|v| matches!(v, Verdict::Holds { .. })),
        count(|v| matches!(v, Verdict::NotApplicable { .. })),
        count(|v| matches!(v, Verdict::Deviates { .. }))
    )
    .unwrap();
    for (clause, files) in &clauses {
        write!(page, "\n## {clause}\n\n| Rule | Asks for | Here |\n|---|---|---|\n").unwrap();
        for rule in files.iter().copied().flatten() {
            writeln!(page, "| {} | {} | {} |", rule.id(), rule.says, verdict(&rule.verdict)).unwrap();
        }
    }
    page.push_str(FAULTS);
    for entry in ENTRIES {
        let how = match entry.how {
            How::By(case) => format!("`{case}`"),
            How::Never(why) => format!("*not*: {why}"),
        };
        let detail = entry.detail.map_or("", |detail| detail.name());
        writeln!(page, "| {} | {detail} | {how} |", entry.kind.name()).unwrap();
    }
    page
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Holds { case } => format!("**holds** (`{case}`)"),
        Verdict::NotApplicable { why } => format!("*not applicable*: {why}"),
        Verdict::Deviates { why, case } => format!("**deviates**: {why} (`{case}`)"),
    }
}

fn first_difference(found: &str, expected: &str) -> String {
    let mut pairs = found.lines().zip(expected.lines()).enumerate();
    match pairs.find(|(_, (found, expected))| found != expected) {
        Some((n, (found, expected))) => format!("line {} is {found:?} and should be {expected:?}", n + 1),
        None => "its length differs".to_owned(),
    }
}
