use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{DateTime, Instance, ObjectPath, Schema, Value};
use super::*;

fn schema() -> Schema {
    Schema::builtin().unwrap()
}

fn cql(text: &str) -> Query {
    parse(text, Language::Cql).unwrap()
}

fn parse_error(text: &str, language: Language) -> (usize, String) {
    let error = parse(text, language).unwrap_err();
    (error.at.position, error.message)
}

fn compile_error(text: &str) -> (usize, String) {
    let error = cql(text).compile(&schema()).unwrap_err();
    (error.at.position, error.message)
}

fn instance(schema: &Schema, class: &str, values: Vec<(&str, Value)>) -> Instance {
    let mut instance = Instance::new(schema.class(class).unwrap().clone());
    for (name, value) in values {
        instance.set(name, value).unwrap();
    }
    instance
}

fn job(schema: &Schema, state: u16, percent: u16) -> Instance {
    let values = vec![
        ("InstanceID", "LMI:LMI_SoftwareInstallationJob:7".into()),
        ("Name", "Install".into()),
        ("JobState", state.into()),
        ("PercentComplete", percent.into()),
        ("OperationalStatus", Value::array([17u16, 2])),
    ];
    instance(schema, "LMI_SoftwareInstallationJob", values)
}

fn modification(schema: &Schema) -> Instance {
    let values = vec![("SourceInstance", job(schema, 7, 100).into()), ("PreviousInstance", job(schema, 4, 50).into())];
    instance(schema, "LMI_SoftwareInstModification", values)
}

#[test]
fn the_queries_of_known_clients_match_what_they_ask_for() {
    let schema = schema();
    let event = modification(&schema);
    let base = "SELECT * FROM LMI_SoftwareInstModification WHERE SourceInstance ISA LMI_SoftwareInstallationJob AND ";
    for (text, language, expected) in [
        ("SELECT * from CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob", Language::Cql, true),
        ("SELECT * from CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob", Language::Cql, false),
        ("select * from cim_instmodification where sourceinstance isa \"CIM_SoftwareIdentity\"", Language::Cql, false),
        (
            &format!(
                "{base} SourceInstance.CIM_ConcreteJob::PercentComplete <> PreviousInstance.CIM_ConcreteJob::PercentComplete"
            ),
            Language::Cql,
            true,
        ),
        (&format!("{base} SourceInstance.CIM_ConcreteJob::JobState = 7"), Language::Cql, true),
        (&format!("{base} SourceInstance.CIM_ConcreteJob::JobState = 10"), Language::Cql, false),
        // The Job Control profile of SMI-S.
        (
            "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob AND ANY \
             SourceInstance.CIM_ConcreteJob::OperationalStatus[*] = 17 AND ANY \
             SourceInstance.CIM_ConcreteJob::OperationalStatus[*] = 2",
            Language::Cql,
            true,
        ),
        (
            "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob AND \
             SourceInstance.CIM_ConcreteJob::OperationalStatus[*] <> PreviousInstance.CIM_ConcreteJob::OperationalStatus[*]",
            Language::Cql,
            false,
        ),
        (
            &format!("{base} CIM_InstIndication::SourceInstance.JobState <> PreviousInstance.JobState"),
            Language::Cql,
            true,
        ),
        (
            "SELECT * FROM __InstanceModificationEvent WITHIN 5 WHERE TargetInstance ISA \"CIM_ConcreteJob\" AND TargetInstance.JobState = 7 AND PreviousInstance.JobState < 7",
            Language::Wql,
            true,
        ),
        (
            "SELECT * FROM __InstanceOperationEvent WITHIN 0.5 WHERE TargetInstance ISA 'CIM_Job' AND TargetInstance.__CLASS = 'lmi_softwareinstallationjob'",
            Language::Wql,
            true,
        ),
        (
            "SELECT * FROM __InstanceDeletionEvent WITHIN 5 WHERE TargetInstance ISA \"CIM_ConcreteJob\"",
            Language::Wql,
            false,
        ),
    ] {
        let compiled = parse(text, language).unwrap().compile(&schema).unwrap();
        assert_eq!(compiled.matches(&event), expected, "{text}");
    }
}

#[test]
fn null_is_neither_true_nor_false() {
    let schema = schema();
    let job = job(&schema, 7, 100);
    for (condition, expected) in [
        ("ErrorCode = 4", false),
        ("NOT ErrorCode = 4", false),
        ("ErrorCode <> 4", false),
        ("ErrorCode = NULL", false),
        ("NOT (ErrorCode = 4 AND JobState = 7)", false),
        ("NOT (ErrorCode = 4 AND JobState = 8)", true),
        ("ErrorCode = 4 OR JobState = 7", true),
        ("ErrorCode IS NULL", true),
        ("ErrorCode IS NOT NULL", false),
        ("JobState IS NOT NULL AND NOT ErrorDescription LIKE 'x'", false),
        ("JobState = ErrorCode OR NOT JobState = ErrorCode", false),
    ] {
        let compiled = cql(&format!("SELECT * FROM CIM_Job WHERE {condition}")).compile(&schema).unwrap();
        assert_eq!(compiled.matches(&job), expected, "{condition}");
    }
    let wql = |text| parse(text, Language::Wql).unwrap().compile(&schema).unwrap().matches(&job);
    assert!(wql("SELECT * FROM CIM_Job WHERE ErrorCode = NULL AND NULL <> JobState"));
}

#[test]
fn values_compare_by_what_they_mean() {
    let schema = schema();
    let mut job = job(&schema, 7, 100);
    job.set("TimeSubmitted", DateTime::parse("20261121103000.000000+060").unwrap()).unwrap();
    job.set("ElapsedTime", DateTime::seconds(90)).unwrap();
    job.set("DeleteOnCompletion", true).unwrap();
    job.set("RunDay", -3i8).unwrap();
    for (condition, expected) in [
        ("PercentComplete = 100.0 AND PercentComplete > 99.5 AND 0x64 = PercentComplete", true),
        ("PercentComplete >= 1e2 AND PercentComplete < 100.000001", true),
        ("RunDay < 0 AND RunDay = -3 AND RunDay < PercentComplete", true),
        ("JobState < PercentComplete AND JobState <= '7'", true),
        ("Name = 'Install' AND Name <> 'install' AND Name < 'Z' AND Name >= \"Install\"", true),
        ("Name LIKE 'In.*' AND Name LIKE 'Insta.l' AND NOT Name LIKE 'nstall' AND Name LIKE 'Instal*'", true),
        ("DeleteOnCompletion = TRUE AND DeleteOnCompletion <> 'false'", true),
        ("TimeSubmitted = '2026-11-21T09:30:00Z' AND TimeSubmitted < '20261121093001.000000+000'", true),
        ("ElapsedTime > 'PT1M' AND ElapsedTime <= '00000000000130.000000:000'", true),
        ("OperationalStatus[0] = 17 AND OperationalStatus[1] = 2 AND OperationalStatus[2] IS NULL", true),
        ("OperationalStatus[0] < OperationalStatus[1]", false),
        ("ANY OperationalStatus[*] = 17 AND ANY OperationalStatus[*] = 2 AND NOT ANY OperationalStatus[*] = 6", true),
        (
            "EVERY OperationalStatus[*] > 1 AND NOT EVERY OperationalStatus[*] = 2 AND 2 = ANY OperationalStatus[*]",
            true,
        ),
        ("OperationalStatus[*] = OperationalStatus[*] AND OperationalStatus[*] IS NOT NULL", true),
        ("OperationalStatus[*] <> OperationalStatus[*]", false),
        ("ANY StatusDescriptions[*] = 'x' OR NOT ANY StatusDescriptions[*] = 'x'", false),
        ("CIM_Job.JobState = 7 AND CIM_Job ISA CIM_ConcreteJob AND CIM_ConcreteJob::JobState = 7", true),
        ("CIM_ConcreteJob::JobState = 18446744073709551615", false),
    ] {
        let compiled = cql(&format!("SELECT * FROM CIM_Job WHERE {condition}")).compile(&schema).unwrap();
        assert_eq!(compiled.matches(&job), expected, "{condition}");
    }
    let wql = "SELECT * FROM CIM_Job WHERE Name = 'INSTALL' AND Name LIKE 'in%L' AND Name LIKE '[h-j]_[^a]%' \
               AND NOT Name LIKE '%x%' AND Name LIKE '%%%s%'";
    assert!(parse(wql, Language::Wql).unwrap().compile(&schema).unwrap().matches(&job));
}

#[test]
fn references_are_asked_for_their_class() {
    let schema = schema();
    let key = ("InstanceID".into(), "x".into());
    let path = ObjectPath::new("root/cimv2", "LMI_SoftwareIdentity", vec![key]);
    let link = instance(&schema, "LMI_InstalledSoftwareIdentity", vec![("InstalledSoftware", path.into())]);
    let ask = |condition: &str| {
        let text = format!("SELECT * FROM CIM_InstalledSoftwareIdentity WHERE {condition}");
        cql(&text).compile(&schema).unwrap().matches(&link)
    };
    assert!(ask("InstalledSoftware ISA CIM_SoftwareIdentity AND InstalledSoftware = InstalledSoftware"));
    assert!(
        !ask("InstalledSoftware ISA CIM_Job") && !ask("System ISA CIM_System") && !ask("NOT System ISA CIM_System")
    );
}

#[test]
fn names_that_the_schema_lacks_are_told_with_their_place() {
    for (text, position, message) in [
        ("SELECT * FROM CIM_Jop", 14, "there is no class CIM_Jop"),
        ("SELECT * FROM CIM_Job WHERE JobStat = 4", 28, "class CIM_Job has no property JobStat"),
        ("SELECT Nam FROM CIM_Job", 7, "class CIM_Job has no property Nam"),
        ("SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_X", 56, "there is no class CIM_X"),
        (
            "SELECT * FROM CIM_InstCreation WHERE SourceInstance.CIM_ConcreteJob::Percent = 1",
            37,
            "class CIM_ConcreteJob has no property Percent",
        ),
        ("SELECT * FROM CIM_InstCreation WHERE SourceInstance.CIM_X::Percent = 1", 37, "there is no class CIM_X"),
        ("SELECT * FROM CIM_Job WHERE CIM_Error::Message = ''", 28, "CIM_Error is no subclass of CIM_Job"),
        ("SELECT * FROM CIM_Job WHERE Name[0] = 'x'", 28, "Name is no array"),
        (
            "SELECT * FROM CIM_Job WHERE OperationalStatus = 2",
            28,
            "OperationalStatus is an array; name one of its elements, as in OperationalStatus[0], or ask ANY OperationalStatus[*]",
        ),
        ("SELECT * FROM CIM_Job WHERE ANY Name[*] = 'x'", 32, "Name is no array; leave [*] out"),
        (
            "SELECT * FROM CIM_Job WHERE ANY OperationalStatus[*] IS NULL",
            32,
            "IS NULL asks an array as a whole; leave ANY and EVERY out",
        ),
        (
            "SELECT * FROM CIM_Job WHERE 2 = OperationalStatus[*]",
            32,
            "a whole array is compared by = or <> with another one; put ANY or EVERY before it to ask its elements",
        ),
        ("SELECT * FROM CIM_Job WHERE Name.X = 1", 28, "Name is no embedded instance; it has no properties"),
        ("SELECT * FROM CIM_Job WHERE Name ISA CIM_Job", 28, "Name is neither an embedded instance nor a reference"),
        ("SELECT * FROM CIM_Job WHERE JobState = 'seven'", 39, "this is compared with a number"),
        ("SELECT * FROM CIM_Job WHERE Name = 7", 35, "this is compared with a string; put it in quotes"),
        ("SELECT * FROM CIM_Job WHERE JobState LIKE '1'", 28, "LIKE asks strings only"),
        ("SELECT * FROM CIM_Job WHERE Name LIKE '*'", 38, "in a pattern * follows what it repeats; .* is any text"),
        (
            "SELECT * FROM CIM_MethodResult WHERE PreCallIndication.MethodNam = 'x'",
            37,
            "class CIM_InstMethodCall has no property MethodNam",
        ),
    ] {
        assert_eq!(compile_error(text), (position, message.to_owned()), "{text}");
    }
    // What only a subclass has, or what an object of no fixed class may have, is no mistake.
    let schema = schema();
    for text in [
        "SELECT InstanceID, OperationalStatus FROM CIM_Job WHERE JobState = 7 AND MethodName = 'x'",
        "SELECT SourceInstance.Anything FROM CIM_InstCreation WHERE SourceInstance.Anything[3].Else = 1",
    ] {
        assert!(cql(text).compile(&schema).is_ok(), "{text}");
    }
}

#[test]
fn the_selection_is_spelt_as_the_schema_does() {
    let compiled = cql("select cim_job.instanceid, jobstate from cim_job").compile(&schema()).unwrap();
    assert_eq!(&**compiled.from_class().name(), "CIM_Job");
    let Select::Properties(paths) = compiled.select() else { panic!() };
    assert_eq!(paths.iter().map(Path::to_string).collect::<Vec<_>>(), ["InstanceID", "JobState"]);
}

#[test]
fn what_is_no_query_is_refused_with_its_place() {
    for (text, position, message) in [
        ("", 0, "expected SELECT, found the end of the query"),
        ("DELETE * FROM X", 0, "expected SELECT, found \"DELETE\""),
        ("SELECT * X", 9, "expected FROM, found \"X\""),
        ("SELECT * FROM X WHERE", 21, "expected a property, found the end of the query"),
        ("SELECT * FROM X WHERE A", 23, "expected a comparison, LIKE, ISA or IS, found the end of the query"),
        ("SELECT * FROM X WHERE A = 'b", 26, "this string does not end with '"),
        ("SELECT * FROM X WHERE A = 12ab", 26, "this is not a number, or none that CIM has a type for"),
        ("SELECT * FROM X WHERE A = 1e999", 26, "this is not a number, or none that CIM has a type for"),
        ("SELECT * FROM X WHERE A = 99999999999999999999", 26, "this is not a number, or none that CIM has a type for"),
        ("SELECT * FROM X WHERE A = 1 ORDER BY A", 28, "expected the end of the query, found \"ORDER\""),
        ("SELECT * FROM X WHERE A[-1] = 1", 24, "elements are counted from 0"),
        ("SELECT * FROM X WHERE ANY A = 1", 26, "ANY and EVERY ask the elements of an array: write A[*]"),
        ("SELECT A[*] FROM X", 7, "[*] stands in comparisons only; name the array, or one of its elements"),
        ("SELECT * FROM X WHERE (A = 1", 28, "expected \")\", found the end of the query"),
        ("SELECT * FROM X WHERE 'a' ISA Y", 30, "ISA asks a property for its class, not a value"),
        ("SELECT * FROM X WHERE A = 'C:\\Windows'", 29, "write a backslash twice if a backslash is meant"),
        ("SELECT * FROM X; DROP TABLE Y", 15, "';' means nothing in a query"),
        ("SELECT * FROM X WITHIN 5", 16, "expected the end of the query, found \"WITHIN\""),
    ] {
        assert_eq!(parse_error(text, Language::Cql), (position, message.to_owned()), "{text}");
    }
    let (position, message) = parse_error("SELECT * FROM __TimerEvent WHERE TimerId = 'x'", Language::Wql);
    assert!(position == 14 && message.contains("__InstanceCreationEvent"), "{message}");
    let error = parse("SELECT *\nFROM é§", Language::Cql).unwrap_err();
    assert_eq!((error.at.position, error.at.line, error.at.column), (16, 2, 7));
    assert!(error.to_string().ends_with("(line 2, column 7)"));
}

#[test]
fn length_depth_and_patterns_are_bounded() {
    let nested = |n: usize| format!("SELECT * FROM X WHERE {}A = 1{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(MAX_DEPTH), Language::Cql).is_ok());
    assert!(parse_error(&nested(MAX_DEPTH + 1), Language::Cql).1.contains("at most 32"));
    assert!(parse_error(&nested(8_000), Language::Cql).1.contains("at most 32"));
    let negated = format!("SELECT * FROM X WHERE {}A = 1", "NOT ".repeat(4_000));
    assert!(parse_error(&negated, Language::Cql).1.contains("at most 32"));
    let path = format!("SELECT * FROM X WHERE {}A = 1", "A.".repeat(4_000));
    assert!(parse_error(&path, Language::Cql).1.contains("at most 32"));
    let long = format!("SELECT * FROM X WHERE A = '{}'", "a".repeat(MAX_LENGTH));
    assert!(parse_error(&long, Language::Cql).1.contains("at most 16384"));
    // A long chain is no depth.
    let chain = format!("SELECT * FROM CIM_Job WHERE {}JobState = 7", "JobState = 1 OR ".repeat(900));
    assert!(cql(&chain).compile(&schema()).unwrap().matches(&job(&schema(), 7, 100)));
    let set = format!("SELECT * FROM CIM_Job WHERE Name LIKE '%[{}]%'", "ab".repeat(200));
    assert!(parse(&set, Language::Wql).unwrap().compile(&schema()).unwrap_err().message.contains("at most"));
    let pattern = format!("SELECT * FROM CIM_Job WHERE Name LIKE '{}'", ".*".repeat(300));
    assert!(compile_error(&pattern).1.contains("at most 256"));
    // Each is short enough, but an instance would be compared with all of them.
    let patterns = format!(
        "SELECT * FROM CIM_Job WHERE {}JobState = 7",
        format!("Name LIKE '{}' OR ", "a.*".repeat(60)).repeat(50)
    );
    assert!(compile_error(&patterns).1.contains("together"));
    // A pattern that costs exponential time where it is tried by going back.
    let pattern = format!("SELECT * FROM CIM_Job WHERE Name LIKE '{}b'", "a*".repeat(200));
    let mut hostile = job(&schema(), 7, 100);
    hostile.set("Name", "a".repeat(1_000)).unwrap();
    assert!(!cql(&pattern).compile(&schema()).unwrap().matches(&hostile));
}

#[test]
fn printing_adds_no_depth() {
    let deep = |inner: &str| format!("SELECT * FROM X WHERE {}A {inner}", "NOT ".repeat(MAX_DEPTH));
    for inner in ["IS NOT NULL", "NOT LIKE 'x'", "NOT ISA X", "<> NULL"] {
        let query = parse(&deep(inner), Language::Wql).unwrap();
        assert_eq!(parse(&query.to_string(), Language::Wql), Ok(query));
    }
    let nested =
        |n: usize| format!("SELECT * FROM X WHERE {}A = 1{}", "NOT (".repeat(n), " AND B = 1 OR C = 1)".repeat(n));
    let query = cql(&nested(MAX_DEPTH / 2));
    assert_eq!(parse(&query.to_string(), Language::Cql), Ok(query));
}

fn name() -> impl Strategy<Value = Arc<str>> {
    "[A-Za-z_é][A-Za-z0-9_]{0,8}".prop_filter("a keyword is no name", |name| parser::is_name(name)).prop_map(Arc::from)
}

fn path() -> impl Strategy<Value = Path> {
    let index = prop::option::of(0usize..1000);
    let step = (prop::option::of(name()), name(), index).prop_map(|(class, name, index)| Step { class, name, index });
    vec(step, 1..4).prop_map(|steps| Path { steps, at: Place::default() })
}

fn text() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![any::<String>(), "['\"\\\\%.a]{0,6}"].prop_map(Arc::from)
}

fn literal(language: Language) -> impl Strategy<Value = Operand> {
    // WQL reads a comparison with NULL as IS NULL.
    let null = if language == Language::Cql { Literal::Null } else { Literal::Boolean(true) };
    let literal = prop_oneof![
        Just(null),
        any::<bool>().prop_map(Literal::Boolean),
        (i128::from(i64::MIN)..=i128::from(u64::MAX)).prop_map(Literal::Integer),
        (-5i128..5).prop_map(Literal::Integer),
        (prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL).prop_map(Literal::Real),
        text().prop_map(Literal::Text),
    ];
    literal.prop_map(|literal| Operand::Literal(literal, Place::default()))
}

fn operand(language: Language) -> impl Strategy<Value = Operand> {
    let elements = prop_oneof![Just(Elements::Any), Just(Elements::Every), Just(Elements::Whole)];
    let elements = (elements, path()).prop_map(|(elements, mut path)| {
        path.steps.iter_mut().last().unwrap().index = None;
        Operand::Elements(elements, path)
    });
    prop_oneof![path().prop_map(Operand::Path), elements, literal(language)]
}

fn condition(language: Language) -> impl Strategy<Value = Condition> {
    let comparison = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let at = Place::default();
    let leaf =
        prop_oneof![
            (operand(language), comparison, operand(language))
                .prop_map(|(left, comparison, right)| Condition::Compare { left, comparison, right }),
            (operand(language), text()).prop_map(move |(operand, pattern)| Condition::Like { operand, pattern, at }),
            (path(), prop_oneof![name(), text()]).prop_map(move |(path, class)| Condition::Isa { path, class, at }),
            operand(language).prop_map(Condition::IsNull),
        ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Condition::And),
            vec(inner.clone(), 2..4).prop_map(Condition::Or),
            inner.prop_map(|one| Condition::Not(Box::new(one))),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    let select = prop_oneof![Just(Select::All), vec(path(), 1..4).prop_map(Select::Properties)];
    (prop_oneof![Just(Language::Cql), Just(Language::Wql)], select, name()).prop_flat_map(|(language, select, from)| {
        prop::option::of(condition(language)).prop_map(move |condition| Query {
            language,
            select: select.clone(),
            from: from.clone(),
            from_at: Place::default(),
            condition,
        })
    })
}

proptest! {
    #[test]
    fn a_printed_query_reads_back_as_the_same_query(query in query()) {
        let text = query.to_string();
        prop_assume!(text.len() <= MAX_LENGTH);
        let read = parse(&text, query.language);
        prop_assert_eq!(read.map_err(|error| format!("{error}: {text}")), Ok(query), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[()\\[\\],.:*=<>!'\"\\\\a-zA-Z0-9 é+-]{0,60}", wql: bool) {
        let language = if wql { Language::Wql } else { Language::Cql };
        for text in [text.clone(), format!("SELECT * FROM CIM_Job WHERE {text}"), format!("SELECT * FROM CIM_Job WHERE Name LIKE '{text}'")] {
            match parse(&text, language) {
                Ok(query) => prop_assert_eq!(parse(&query.to_string(), language), Ok(query)),
                Err(error) => prop_assert!(error.at.position <= text.len()),
            }
        }
    }

    #[test]
    fn a_pattern_agrees_with_its_definition(pattern in "[ab.%_]{0,6}", text in "[ab]{0,6}") {
        fn by_definition(pattern: &[char], text: &[char]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, rest) => rest.is_none(),
                (Some((&'%', more)), None) => by_definition(more, text),
                (Some((&'%', more)), Some((_, rest))) => by_definition(more, text) || by_definition(pattern, rest),
                (Some((&sign, more)), Some((&c, rest))) => (sign == '_' || sign == c) && by_definition(more, rest),
                (Some(_), None) => false,
            }
        }
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = by_definition(&chars(&pattern), &chars(&text));
        prop_assert_eq!(like::Pattern::new(&pattern, Language::Wql).unwrap().matches(&text), expected);
    }
}
