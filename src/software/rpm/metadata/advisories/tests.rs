//! Advisories as makers write them.

use proptest::prelude::*;

use super::*;

const ONE: &str = "<update from=\"x\" status=\"final\" type=\"security\" version=\"2\"><id>T-2024:1</id><title>A fix</title>\n\
    <issued date=\"2024-01-02 03:04:05\"/><updated date=\"2024-02-01\"/><severity>Important</severity>\n\
    <description>What &amp; why.</description><solution>Do it.</solution><references>\n\
    <reference href=\"https://x/1\" id=\"CVE-2024-1\" type=\"cve\" title=\"t\"/>\n\
    <reference href=\"https://x/1\" id=\"CVE-2024-2\" type=\"cve\"/><reference href=\"https://b\" id=\"7\" type=\"bugzilla\"/>\n\
    </references><pkglist><collection short=\"c\"><name>c</name><module name=\"m\"/>\n\
    <package name=\"a\" version=\"1\" release=\"2.el9\" epoch=\"3\" arch=\"noarch\" src=\"a.src.rpm\"><filename>f</filename></package>\n\
    <package name=\"b-c\" version=\"1\" release=\"2\" arch=\"x86_64\"/><package name=\"b\" version=\"1\" release=\"2\" arch=\"src\"/>\n\
    <package name=\"odd\"/></collection></pkglist></update>";

fn told(text: &[u8]) -> (io::Result<()>, Vec<Bundle>) {
    let mut bundles = Vec::new();
    (read(text, &Modules::default(), &mut bundles), bundles)
}

#[test]
fn an_advisory_is_read() {
    let (result, bundles) = told(format!("<updates>{ONE}<update/><other/></updates>").as_bytes());
    result.unwrap();
    let [one, empty] = bundles.as_slice() else { panic!("{bundles:?}") };
    let builds = ["a-3:1-2.el9.noarch", "b-c-0:1-2.x86_64"].map(|text| Part::Build(text.parse().unwrap()));
    assert_eq!((&*one.id, one.name.as_str(), one.parts.as_slice()), ("T-2024:1", "A fix", builds.as_slice()));
    assert_eq!(one.description, "What & why.\n\nDo it.");
    assert_eq!((one.advisory, one.severity), (Some(AdvisoryKind::Security), Some(Severity::Important)));
    assert_eq!(
        (one.cves.as_slice(), one.references.len()),
        (["CVE-2024-1", "CVE-2024-2"].map(String::from).as_slice(), 2)
    );
    assert_eq!(one.released_at.unwrap().to_rfc3339(), "2024-01-02T03:04:05+00:00");
    assert_eq!((one.version.as_deref(), empty.advisory), (Some("2"), Some(AdvisoryKind::Other)));
    let (result, bundles) = told(format!("<updates>{ONE}<update>").as_bytes());
    assert!(result.is_err() && bundles.len() == 1);
}

#[test]
fn an_advisorys_own_page_comes_first() {
    let refer = |kind: &str, href: &str| format!("<reference href=\"{href}\" id=\"i\" type=\"{kind}\"/>");
    let references = [refer("cve", "https://cve"), refer("self", "https://own"), refer("bugzilla", "https://own")];
    let text = format!("<updates><update><references>{}</references></update></updates>", references.concat());
    let (result, bundles) = told(text.as_bytes());
    result.unwrap();
    assert_eq!(bundles[0].references, ["https://own", "https://cve"]);
}

#[test]
fn an_advisory_or_a_package_of_it_asks_for_a_reboot() {
    let package = |inner: &str| {
        let module = "<module name=\"m\" stream=\"2\" context=\"c\"/>";
        let build = "version=\"1\" release=\"1\" arch=\"noarch\"";
        let other = format!("<collection><package name=\"b\" {build}/></collection>");
        let one = format!("<collection>{module}<package name=\"a\" {build}>{inner}</package></collection>");
        format!("<pkglist>{one}{other}</pkglist>")
    };
    let asks = |inner: &str, modules: &Modules| {
        let text = format!("<updates><update type=\"security\">{inner}</update></updates>");
        let mut bundles = Vec::new();
        read(text.as_bytes(), modules, &mut bundles).unwrap();
        assert_eq!(bundles.len(), 1);
        bundles[0].needs_reboot
    };
    let suggested = "<reboot_suggested>True</reboot_suggested>";
    for inner in [suggested, "<reboot_suggested/>", "<reboot_suggested>1</reboot_suggested>", &package(suggested)] {
        assert!(asks(inner, &Modules::default()), "{inner}");
    }
    for inner in ["<reboot_suggested>False</reboot_suggested>", "<relogin_suggested>True</relogin_suggested>", ""] {
        assert!(!asks(inner, &Modules::default()), "{inner}");
    }
    assert!(!asks(&package(suggested), &Modules::with_active(["m", "1", "c"])), "what is left out asks for nothing");
}

#[test]
fn packages_of_streams_that_are_not_active_are_left_out() {
    let build =
        |name: &str| format!("<package name=\"{name}\" version=\"1\" release=\"1\" epoch=\"0\" arch=\"noarch\"/>");
    let module =
        |stream: &str, context: &str| format!("<module name=\"m\" stream=\"{stream}\" context=\"{context}\"/>");
    let of = |inner: &str| format!("<collection>{inner}</collection>");
    let advisory =
        |id: &str, lists: &str| format!("<update type=\"security\"><id>{id}</id><pkglist>{lists}</pkglist></update>");
    let text = [
        advisory("both", &(of(&(module("2", "c") + &build("a"))) + &of(&build("b")))),
        advisory("none", &of(&(module("1", "other") + &build("a")))),
        advisory("all", &of(&(module("1", "c") + &build("a")))),
        advisory("empty", ""),
    ];
    let text = format!("<updates>{}</updates>", text.concat());
    let told = |modules: &Modules| {
        let mut bundles = Vec::new();
        read(text.as_bytes(), modules, &mut bundles).unwrap();
        bundles.iter().map(|bundle| (bundle.id.to_string(), bundle.parts.len())).collect::<Vec<_>>()
    };
    let counted = |counts: &[(&str, usize)]| counts.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect::<Vec<_>>();
    let active = Modules::with_active(["m", "1", "c"]);
    assert_eq!(told(&active), counted(&[("both", 1), ("all", 1), ("empty", 0)]));
    assert_eq!(told(&Modules::default()), counted(&[("both", 2), ("none", 1), ("all", 1), ("empty", 0)]));
}

#[test]
fn dates_are_read_as_makers_write_them() {
    let read = |text| date(text).map(|date| date.to_rfc3339());
    for text in ["2024-01-02 00:00:00", "2024-01-02", "2024-01-02T00:00:00Z", "2024-01-02 00:00:00 UTC", "1704153600"] {
        assert_eq!(read(text).as_deref(), Some("2024-01-02T00:00:00+00:00"), "{text}");
    }
    for text in ["", "yesterday", "2024-13-02", "99999999999999999999"] {
        assert_eq!(read(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = told(&bytes);
    }

    #[test]
    fn any_list_is_read_to_its_end(
        at in 0..ONE.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..3),
        text in "(</?(updates|update|id|references|reference|pkglist|collection)>|<package( (name|epoch|arch)=\"\\PC{0,2}\")*/>|\
                 <issued date=\"[0-9 :-]{0,20}\"/>|[a-c\n]){0,30}",
    ) {
        let _ = told(text.as_bytes());
        let mut damaged = ONE.as_bytes().to_vec();
        damaged.splice(at..(at + bytes.len()).min(ONE.len()), bytes);
        let _ = told(&damaged);
    }
}
