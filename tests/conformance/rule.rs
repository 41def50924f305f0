//! A rule of DSP0226, what becomes of it here, and the test of it.

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its number as a name: `r8_2_3_4` for R8.2.3-4.
    pub(crate) name: &'static str,
    /// What it asks for, in a few words.
    pub(crate) says: &'static str,
    /// What becomes of it.
    pub(crate) verdict: Verdict,
}

/// What becomes of a rule. A case is the name of the function that tests it.
#[derive(Debug)]
pub(crate) enum Verdict {
    Holds { case: &'static str },
    NotApplicable { why: &'static str },
    Deviates { why: &'static str, case: &'static str },
}

impl Rule {
    /// Its number as the standard writes it.
    pub(crate) fn id(&self) -> String {
        let (section, number) = self.name.rsplit_once('_').unwrap();
        let section = section.strip_prefix('r').unwrap().replace('_', ".").to_uppercase();
        format!("R{section}-{number}")
    }
}

/// The rules of a clause with their tests.
///
/// `holds(case)` is tested with any service, `holds_here(case)` with ours alone, because it needs something that the
/// standard does not say how to get: another user, a method, an event. `deviates(why, case)` tests how we deviate.
macro_rules! rules {
    (@row $name:ident $says:literal holds($case:ident)) => {
        rules!(@rule $name $says crate::rule::Verdict::Holds { case: stringify!($case) })
    };
    (@row $name:ident $says:literal holds_here($case:ident)) => {
        rules!(@rule $name $says crate::rule::Verdict::Holds { case: stringify!($case) })
    };
    (@row $name:ident $says:literal not_applicable($why:literal)) => {
        rules!(@rule $name $says crate::rule::Verdict::NotApplicable { why: $why })
    };
    (@row $name:ident $says:literal deviates($why:literal, $case:ident)) => {
        rules!(@rule $name $says crate::rule::Verdict::Deviates { why: $why, case: stringify!($case) })
    };
    (@rule $name:ident $says:literal $verdict:expr) => {
        crate::rule::Rule { name: stringify!($name), says: $says, verdict: $verdict }
    };
    (@test $name:ident holds($case:ident)) => {
        mod $name {
            #[test]
            fn $case() {
                super::$case(&mut crate::peer::Peer::new());
            }
        }
    };
    (@test $name:ident holds_here($case:ident)) => {
        rules!(@here $name $case);
    };
    (@test $name:ident not_applicable($why:literal)) => {};
    (@test $name:ident deviates($why:literal, $case:ident)) => {
        rules!(@here $name $case);
    };
    (@here $name:ident $case:ident) => {
        mod $name {
            #[test]
            fn $case() {
                crate::service::here(super::$case);
            }
        }
    };
    ($($name:ident $says:literal: $verdict:ident($($of:tt)*);)*) => {
        pub(crate) const RULES: &[crate::rule::Rule] = &[$(rules!(@row $name $says $verdict($($of)*))),*];
        $(rules!(@test $name $verdict($($of)*));)*
    };
}
pub(crate) use rules;
