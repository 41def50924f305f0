//! MOF: what is read is printed and read back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quartermaster::cim::mof::{ClassDeclaration, Position, parse};

fuzz_target!(|text: &str| {
    let Ok(classes) = parse("fuzz.mof", text) else { return };
    let printed: String = classes.iter().map(ClassDeclaration::to_string).collect();
    let again = parse("fuzz.mof", &printed).map(|classes| classes.into_iter().map(placeless).collect::<Vec<_>>());
    assert_eq!(again, Ok(classes.into_iter().map(placeless).collect()), "{printed}");
});

/// The same declaration without the places it was read from.
fn placeless(mut class: ClassDeclaration) -> ClassDeclaration {
    let nowhere = || Position { file: "".into(), line: 0, column: 0 };
    class.at = nowhere();
    class.properties.iter_mut().for_each(|p| p.at = nowhere());
    for method in &mut class.methods {
        method.at = nowhere();
        method.parameters.iter_mut().for_each(|p| p.at = nowhere());
    }
    class
}
