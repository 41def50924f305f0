//! The streams that are active, of all that are described: in time and room in proportion to what is described, whoever
//! described it.

use std::collections::{HashMap, HashSet, VecDeque};

use super::State;
use crate::software::rpm::metadata::modulemd::{Need, Stream};

/// The module that every system has that tells its platform: the release of its distribution.
const PLATFORM: &str = "platform";

/// The numbers of the active ones among the streams: those that are wanted, without those whose needs are not met. A module
/// of which no stream is wanted has the first one that another needs, where modules are asked in the order of their names and
/// then those that they need.
pub(super) fn active(streams: &[Stream], wanted: HashMap<String, State>, platform: Option<&str>) -> HashSet<usize> {
    let candidates = candidates(streams, wanted);
    let mut holding = Holding { active: candidates.iter().copied().collect(), ..Holding::default() };
    for stream in candidates.iter().filter_map(|number| streams.get(*number)) {
        holding.contexts.entry(&stream.module).or_insert((&stream.stream, 0)).1 += 1;
    }
    for number in candidates {
        if let Some(stream) = streams.get(number) {
            holding.add(number, stream, platform);
        }
    }
    holding.finish(streams)
}

/// The streams of one module.
#[derive(Default)]
struct Described<'a> {
    /// Their names, in the order in which they are described.
    names: Vec<&'a str>,
    /// The numbers of those of one name, one for each context.
    numbers: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Described<'a> {
    fn add(&mut self, name: &'a str, number: usize) {
        let numbers = self.numbers.entry(name).or_default();
        if numbers.is_empty() {
            self.names.push(name);
        }
        numbers.push(number);
    }

    /// The first stream that will do; looked for no longer than the need is long.
    fn first_for(&self, need: &Need) -> Option<&'a str> {
        if need.taken.is_empty() {
            return self.names.iter().copied().find(|name| need.takes(name));
        }
        let named = need.taken.iter().filter(|name| need.takes(name));
        let described = named.filter_map(|name| self.numbers.get_key_value(&**name));
        described.min_by_key(|(_, numbers)| numbers.first()).map(|(name, _)| *name)
    }
}

/// The numbers of the streams that are wanted, and of those that they need of modules of which none is wanted: of each module
/// one stream, in all its contexts.
fn candidates(streams: &[Stream], mut wanted: HashMap<String, State>) -> Vec<usize> {
    let mut modules: HashMap<&str, Described<'_>> = HashMap::new();
    for (number, stream) in streams.iter().enumerate() {
        modules.entry(&stream.module).or_default().add(&stream.stream, number);
    }
    let mut candidates = Vec::new();
    let mut looked_for: VecDeque<String> = wanted.keys().cloned().collect();
    looked_for.make_contiguous().sort_unstable();
    while let Some(module) = looked_for.pop_front() {
        let Some(State::Enabled(stream)) = wanted.get(&module) else { continue };
        let numbers = modules.get(&*module).and_then(|described| described.numbers.get(&**stream));
        let numbers = numbers.map(Vec::as_slice).unwrap_or_default();
        candidates.extend(numbers);
        for need in
            numbers.iter().filter_map(|number| streams.get(*number)).flat_map(|stream| stream.needs.iter().flatten())
        {
            let is_decided = wanted.contains_key(&need.module);
            let described = modules.get(&*need.module).filter(|_| !is_decided);
            if let Some(found) = described.and_then(|described| described.first_for(need)) {
                wanted.insert(need.module.clone(), State::Enabled(found.to_owned()));
                looked_for.push_back(need.module.clone());
            }
        }
    }
    candidates
}

/// One of the lists of needs of a stream.
struct Way {
    /// The number of the stream.
    of: usize,
    /// Whether all of the needs are met.
    is_open: bool,
}

/// Which candidates stay, as those fall whose needs are not met, and then those that need them.
#[derive(Default)]
struct Holding<'a> {
    /// Those that have not fallen.
    active: HashSet<usize>,
    /// By its module the stream that is a candidate, and how many contexts of it have not fallen.
    contexts: HashMap<&'a str, (&'a str, usize)>,
    /// The ways of all candidates that were open in the beginning.
    ways: Vec<Way>,
    /// By a module the ways that need it.
    needing: HashMap<&'a str, Vec<usize>>,
    /// How many ways of a candidate are open.
    open: HashMap<usize, usize>,
    /// Those that fall and of which nobody was told yet.
    falling: Vec<usize>,
}

impl<'a> Holding<'a> {
    /// Takes the ways of a candidate, when all candidates are known.
    fn add(&mut self, number: usize, stream: &'a Stream, platform: Option<&str>) {
        let mut open = 0;
        for needs in &stream.needs {
            if !needs.iter().all(|need| self.meets(need, platform)) {
                continue;
            }
            for need in needs.iter().filter(|need| need.module != PLATFORM) {
                self.needing.entry(&need.module).or_default().push(self.ways.len());
            }
            self.ways.push(Way { of: number, is_open: true });
            open += 1;
        }
        if open == 0 && !stream.needs.is_empty() {
            self.falling.push(number);
        }
        self.open.insert(number, open);
    }

    fn meets(&self, need: &Need, platform: Option<&str>) -> bool {
        if need.module == PLATFORM {
            return platform.is_some_and(|platform| need.takes(platform));
        }
        self.contexts.get(&*need.module).is_some_and(|(stream, _)| need.takes(stream))
    }

    /// Those that stay.
    fn finish(mut self, streams: &'a [Stream]) -> HashSet<usize> {
        while let Some(number) = self.falling.pop() {
            self.active.remove(&number);
            let Some(module) = streams.get(number).map(|stream| &*stream.module) else { continue };
            let Some((_, contexts)) = self.contexts.get_mut(module) else { continue };
            *contexts -= 1;
            if *contexts == 0 {
                self.close(module);
            }
        }
        self.active
    }

    /// Closes the ways that need a module of which no stream is active any more.
    fn close(&mut self, module: &str) {
        for way in self.needing.remove(module).unwrap_or_default() {
            let Some(way) = self.ways.get_mut(way).filter(|way| way.is_open) else { continue };
            way.is_open = false;
            let Some(open) = self.open.get_mut(&way.of) else { continue };
            *open -= 1;
            if *open == 0 {
                self.falling.push(way.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn need(module: &str, streams: &[&str]) -> Need {
        Need::new(module.to_owned(), streams.iter().map(|stream| (*stream).to_owned()))
    }

    fn stream(module: &str, stream: &str, context: &str, needs: &[(&str, &[&str])]) -> Stream {
        Stream {
            module: module.to_owned(),
            stream: stream.to_owned(),
            context: context.to_owned(),
            needs: vec![needs.iter().map(|(module, streams)| need(module, streams)).collect()],
            builds: Vec::new(),
        }
    }

    fn enabled(modules: &[(&str, &str)]) -> HashMap<String, State> {
        modules.iter().map(|(module, of)| ((*module).to_owned(), State::Enabled((*of).to_owned()))).collect()
    }

    /// The contexts of the active streams.
    fn contexts<'s>(streams: &'s [Stream], wanted: HashMap<String, State>, platform: Option<&str>) -> Vec<&'s str> {
        let found = active(streams, wanted, platform);
        let mut found: Vec<&str> = found.into_iter().map(|number| &*streams[number].context).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn contexts_are_active_whose_needs_are_met() {
        let streams = [
            stream("lang", "5.24", "a", &[]),
            stream("lang", "5.26", "b", &[("platform", &["el8"])]),
            stream("tool", "1", "c", &[("lang", &["5.24"])]),
            stream("tool", "1", "d", &[("lang", &["5.26"])]),
            stream("lost", "1", "e", &[("nowhere", &[])]),
        ];
        for (wanted, platform, expected) in [
            (&[("lang", "5.26"), ("tool", "1"), ("lost", "1")][..], Some("el8"), &["b", "d"][..]),
            (&[("lang", "5.26"), ("tool", "1")], None, &[]),
            (&[("lang", "5.26"), ("tool", "1")], Some("el9"), &[]),
            (&[("tool", "1")], None, &["a", "c"]),
            (&[("tool", "2")], None, &[]),
        ] {
            assert_eq!(contexts(&streams, enabled(wanted), platform), expected, "{wanted:?} {platform:?}");
        }
        let disabled = HashMap::from([("lang".to_owned(), State::Disabled)]);
        let wanted = enabled(&[("tool", "1")]).into_iter().chain(disabled).collect();
        assert!(active(&streams, wanted, None).is_empty());
    }

    #[test]
    fn of_modules_that_need_different_streams_the_first_by_name_decides() {
        let modules: Vec<String> = (0..8).map(|number| format!("tool{number}")).collect();
        let needs: Vec<String> = (0..8).map(|number| number.to_string()).collect();
        let mut streams: Vec<Stream> = needs.iter().rev().map(|need| stream("lang", need, need, &[])).collect();
        for (module, need) in modules.iter().zip(&needs).rev() {
            streams.push(stream(module, "1", module, &[("lang", &[need])]));
        }
        let wanted: Vec<(&str, &str)> = modules.iter().map(|module| (&**module, "1")).collect();
        assert_eq!(contexts(&streams, enabled(&wanted), None), ["0", "tool0"]);
    }

    #[test]
    fn the_first_stream_that_will_do_is_taken() {
        let streams = [
            stream("lang", "1", "a", &[]),
            stream("lang", "2", "b", &[]),
            stream("lang", "3", "c", &[]),
            stream("any", "1", "d", &[("lang", &[])]),
            stream("not", "1", "e", &[("lang", &["-1"])]),
            stream("these", "1", "f", &[("lang", &["3", "2", "0"])]),
        ];
        for (module, expected) in [("any", ["a", "d"]), ("not", ["b", "e"]), ("these", ["b", "f"])] {
            assert_eq!(contexts(&streams, enabled(&[(module, "1")]), None), expected);
        }
    }

    #[test]
    fn a_chain_falls_to_its_beginning() {
        let names: Vec<String> = (0..20_001).map(|number| number.to_string()).collect();
        let links = names.iter().zip(names.iter().skip(1));
        let chain: Vec<Stream> = links.map(|(name, next)| stream(name, "1", name, &[(next, &["1"])])).collect();
        assert!(active(&chain, enabled(&[("0", "1")]), None).is_empty());
        let last = stream("20000", "1", "last", &[]);
        let whole: Vec<Stream> = chain.into_iter().chain([last]).collect();
        assert_eq!(active(&whole, enabled(&[("0", "1")]), None).len(), 20_001);
    }

    /// The same by the definition: what is unmet goes until nothing is.
    fn by_definition(streams: &[Stream], wanted: HashMap<String, State>, platform: Option<&str>) -> HashSet<usize> {
        let mut active: HashSet<usize> = candidates(streams, wanted).into_iter().collect();
        loop {
            let is_met = |need: &Need| match &*need.module {
                PLATFORM => platform.is_some_and(|platform| need.takes(platform)),
                module => active.iter().any(|n| streams[*n].module == module && need.takes(&streams[*n].stream)),
            };
            let is_held = |n: &usize| {
                let needs = &streams[*n].needs;
                needs.is_empty() || needs.iter().any(|all| all.iter().all(is_met))
            };
            let held: HashSet<usize> = active.iter().copied().filter(is_held).collect();
            if held.len() == active.len() {
                return active;
            }
            active = held;
        }
    }

    proptest! {
        #[test]
        fn active_are_those_whose_needs_active_ones_meet(
            described in proptest::collection::vec(("[a-f]", "[12]", proptest::collection::vec(
                proptest::collection::vec(("([a-f]|platform)", "-?[12]"), 0..3), 0..3)), 0..24),
            wanted in proptest::collection::hash_map("[a-f]", "[12]", 0..6),
            platform in proptest::option::of("[12]"),
        ) {
            let streams: Vec<Stream> = described.iter().map(|(module, name, ways)| {
                let way = |way: &Vec<(String, String)>| way.iter().map(|(m, of)| need(m, &[of])).collect();
                Stream { needs: ways.iter().map(way).collect(), ..stream(module, name, "", &[]) }
            }).collect();
            let wanted: HashMap<String, State> =
                wanted.into_iter().map(|(module, of)| (module, State::Enabled(of))).collect();
            let expected = by_definition(&streams, wanted.clone(), platform.as_deref());
            prop_assert_eq!(active(&streams, wanted, platform.as_deref()), expected);
        }
    }
}
