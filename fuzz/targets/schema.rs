//! Schemas from MOF: what can be linked is printed and linked again to the same classes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quartermaster::cim::Schema;

fuzz_target!(|text: &str| {
    let Ok(schema) = Schema::from_mof([("fuzz.mof", text)].into_iter()) else { return };
    let printed: String = schema.classes().map(|class| schema.declaration(class).to_string()).collect();
    let again = Schema::from_mof([("printed.mof", &printed)].into_iter()).map_err(|error| error.to_string());
    let again = again.unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert_eq!(schema.classes().count(), again.classes().count());
    for (one, other) in schema.classes().zip(again.classes()) {
        assert_eq!((one.kind(), one.is_abstract()), (other.kind(), other.is_abstract()), "{printed}");
        assert_eq!(one.ancestors(), other.ancestors(), "{printed}");
        assert_eq!(one.properties(), other.properties(), "{printed}");
        assert_eq!(one.methods(), other.methods(), "{printed}");
    }
});
