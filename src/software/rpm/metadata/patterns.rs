//! Which packages the configuration excludes or includes, by patterns as dnf understands them (`dnf.conf(5)`,
//! `excludepkgs` and `includepkgs`).

use super::primary::Told;
use crate::software::rpm::configuration::{Configured, Main};
use crate::software::rpm::glob::Glob;

/// Which packages of which repository are offered.
#[derive(Debug)]
pub(super) struct Selection {
    main: Lists,
    /// By the number of the repository.
    repositories: Vec<Lists>,
}

/// The patterns of one section.
#[derive(Debug, Default)]
struct Lists {
    excludes: Vec<Pattern>,
    includes: Vec<Pattern>,
}

impl Selection {
    /// The selection by the main options and by those of each repository.
    pub(super) fn new(main: &Main, repositories: &[&Configured]) -> Self {
        let is_disabled =
            |name: &str| main.disabled_excludes.iter().any(|disabled| disabled == "all" || disabled == name);
        let lists = |name: &str, excludes: &[String], includes: &[String]| {
            if is_disabled(name) { Lists::default() } else { Lists::of(excludes, includes) }
        };
        Self {
            main: lists("main", &main.excludes, &main.includes),
            repositories: repositories.iter().map(|of| lists(&of.id, &of.excludes, &of.includes)).collect(),
        }
    }

    /// Whether there are no patterns.
    pub(super) fn is_everything(&self) -> bool {
        let is_empty = |lists: &Lists| lists.excludes.is_empty() && lists.includes.is_empty();
        is_empty(&self.main) && self.repositories.iter().all(is_empty)
    }

    /// Hears of a package that some repository has. What a pattern means is certain only when all were heard of; dnf
    /// also listens to what is installed.
    pub(super) fn learn(&mut self, told: &Told) {
        let lists = std::iter::once(&mut self.main).chain(&mut self.repositories);
        lists.flat_map(|lists| lists.excludes.iter_mut().chain(&mut lists.includes)).for_each(|p| p.learn(told));
    }

    /// Whether a package of the repository with this number is offered.
    pub(super) fn takes(&self, repository: usize, told: &Told) -> bool {
        let lists = [Some(&self.main), self.repositories.get(repository)];
        let any = |of: fn(&Lists) -> &[Pattern]| lists.into_iter().flatten().flat_map(of);
        let mut includes = any(|lists| &lists.includes).peekable();
        let is_included = includes.peek().is_none() || includes.any(|pattern| pattern.matches(told));
        is_included && !any(|lists| &lists.excludes).any(|pattern| pattern.matches(told))
    }
}

impl Lists {
    fn of(excludes: &[String], includes: &[String]) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        Self { excludes: patterns(excludes), includes: patterns(includes) }
    }
}

/// A pattern. It may be read in several forms; the first one that matches any package of any repository is what it means
/// (libdnf's `Query::filterSubject`).
#[derive(Debug)]
struct Pattern {
    forms: Vec<Form>,
    /// The place of the form that it means; `None` if none has matched yet.
    meant: Option<usize>,
}

#[derive(Debug)]
enum Form {
    /// Some name parts.
    Parts(Parts),
    /// `name-[epoch:]version-release.arch` as one text, the epoch written where the pattern has a colon.
    Whole(Glob, bool),
}

#[derive(Debug)]
struct Parts {
    name: Glob,
    epoch: Option<u32>,
    version: Option<Glob>,
    release: Option<Glob>,
    architecture: Option<Glob>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let named = |text: &str, architecture: Option<&str>| Parts::new(text, None, None, architecture);
        let with_version = |text: &str, architecture: Option<&str>| {
            let (version, release) = text.rsplit_once('-')?;
            let (name, version) = version.rsplit_once('-')?;
            Parts::new(name, Some(version), Some(release), architecture)
        };
        let dotted = text.rsplit_once('.');
        let parts = [
            dotted.and_then(|(text, architecture)| with_version(text, Some(architecture))),
            dotted.and_then(|(text, architecture)| named(text, Some(architecture))),
            named(text, None),
            with_version(text, None),
            text.rsplit_once('-').and_then(|(name, version)| Parts::new(name, Some(version), None, None)),
        ];
        let whole = Form::Whole(Glob::new(text), text.contains(':'));
        let forms = parts.into_iter().flatten().map(Form::Parts).chain([whole]).collect();
        Self { forms, meant: None }
    }

    fn learn(&mut self, told: &Told) {
        let better = self.forms.iter().take(self.meant.unwrap_or(self.forms.len()));
        if let Some(place) = better.enumerate().find(|(_, form)| form.matches(told)).map(|(place, _)| place) {
            self.meant = Some(place);
        }
    }

    fn matches(&self, told: &Told) -> bool {
        self.meant.and_then(|place| self.forms.get(place)).is_some_and(|form| form.matches(told))
    }
}

impl Form {
    fn matches(&self, told: &Told) -> bool {
        match self {
            Self::Parts(parts) => parts.matches(told),
            Self::Whole(glob, with_epoch) => {
                let Told { name, epoch, version, release, architecture, .. } = told;
                let epoch = if *with_epoch { format!("{epoch}:") } else { String::new() };
                glob.matches(&format!("{name}-{epoch}{version}-{release}.{architecture}"))
            }
        }
    }
}

impl Parts {
    /// The parts, unless one is none (libdnf's `NEVRA_FORM_REGEX`).
    fn new(name: &str, version: Option<&str>, release: Option<&str>, architecture: Option<&str>) -> Option<Self> {
        let (epoch, version) = match version.and_then(|version| version.split_once(':')) {
            Some((epoch, version)) => (Some(epoch.parse().ok()?), Some(version)),
            None => (None, version),
        };
        let is_part = |part: &str| !part.is_empty() && !part.contains([':', '(', '/', '=', '<', '>', ' ']);
        let is_last = |part: &str| is_part(part) && !part.contains('-');
        let proper = is_part(name) && [version, release, architecture].into_iter().flatten().all(is_last);
        proper.then(|| Self {
            name: Glob::new(name),
            epoch,
            version: version.map(Glob::new),
            release: release.map(Glob::new),
            architecture: architecture.map(Glob::new),
        })
    }

    fn matches(&self, told: &Told) -> bool {
        let fits = |glob: &Option<Glob>, part: &str| glob.as_ref().is_none_or(|glob| glob.matches(part));
        self.name.matches(&told.name)
            && self.epoch.is_none_or(|epoch| epoch == told.epoch)
            && fits(&self.version, &told.version)
            && fits(&self.release, &told.release)
            && fits(&self.architecture, &told.architecture)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(name: &str, epoch: u32, version: &str, architecture: &str) -> Told {
        Told {
            name: name.to_owned(),
            epoch,
            version: version.to_owned(),
            release: "1.el9".to_owned(),
            architecture: architecture.to_owned(),
            ..Told::default()
        }
    }

    fn sample() -> [Told; 4] {
        [
            told("kernel", 0, "5.1", "x86_64"),
            told("kernel-devel", 0, "5.1", "x86_64"),
            told("lib5-a", 2, "1", "i686"),
            told("lib5-a", 2, "1", "noarch"),
        ]
    }

    fn matched(pattern: &str) -> Vec<usize> {
        let mut pattern = Pattern::new(pattern);
        sample().iter().for_each(|told| pattern.learn(told));
        (0..4).filter(|&number| pattern.matches(&sample()[number])).collect()
    }

    #[test]
    fn a_pattern_means_the_first_form_that_matches() {
        for (pattern, numbers) in [
            ("kernel", vec![0]),
            ("kernel*", vec![0, 1]),
            ("*-devel", vec![1]),
            ("*.i686", vec![2]),
            ("lib5-a.noarch", vec![3]),
            ("lib?-a-2:1-1.el9.*", vec![2, 3]),
            ("lib5-a-1:1", vec![]),
            ("kernel-5.1", vec![0]),
            ("kernel-5.1-1.el9", vec![0]),
            // It is the name that has a 5, so versions do not matter.
            ("*5*", vec![2, 3]),
            ("*5.1*", vec![0, 1]),
            ("*2:1*", vec![2, 3]),
            ("[k-l]?r*", vec![0, 1]),
            ("", vec![]),
        ] {
            assert_eq!(matched(pattern), numbers, "{pattern}");
        }
    }

    #[test]
    fn lists_of_main_and_of_the_repository_count() {
        let lists = |excludes: &[&str], includes: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            Lists::of(&owned(excludes), &owned(includes))
        };
        let taken = |main: Lists, own: Lists| {
            let mut selection = Selection { main, repositories: vec![Lists::default(), own] };
            sample().iter().for_each(|told| selection.learn(told));
            (0..4).filter(|&number| selection.takes(1, &sample()[number])).collect::<Vec<_>>()
        };
        assert_eq!(taken(lists(&[], &[]), lists(&[], &[])), [0, 1, 2, 3]);
        assert_eq!(taken(lists(&["kernel"], &[]), lists(&["*.i686"], &[])), [1, 3]);
        assert_eq!(taken(lists(&[], &["kernel"]), lists(&[], &["*.i686"])), [0, 2]);
        assert_eq!(taken(lists(&["kernel"], &[]), lists(&[], &["kernel*"])), [1]);
    }

    proptest! {
        #[test]
        fn any_pattern_is_read(pattern in "[-a.:*\\[\\]\u{e4}0]{0,12}") {
            matched(&pattern);
        }

        #[test]
        fn a_name_matches_itself(name in "[a-z][a-z0-9+._-]{0,8}") {
            let told = told(&name, 0, "1", "noarch");
            for text in [name.clone(), format!("{name}-1-1.el9.noarch"), format!("{name}-0:1-1.el9.noarch")] {
                let mut pattern = Pattern::new(&text);
                pattern.learn(&told);
                prop_assert!(pattern.matches(&told), "{}", text);
            }
        }
    }
}
