use proptest::prelude::*;

use super::*;

const ONE: &str = "<package type=\"rpm\">\n  <name>alpha</name><arch>noarch</arch>\n  \
    <version epoch=\"1\" ver=\"2~rc1\" rel=\"3.el9\"/>\n  <checksum type=\"sha256\" pkgid=\"YES\">00</checksum>\n  \
    <summary>One &amp; only</summary>\n  <description>Long\n\ntext <![CDATA[<b>]]></description>\n  \
    <packager>Some Body</packager><url/><time file=\"1\" build=\"2\"/>\n  \
    <size package=\"6000\" installed=\"70\" archive=\"500\"/>\n  <location href=\"alpha.rpm\"/>\n  <format>\n    \
    <rpm:license>MIT</rpm:license><rpm:vendor>Maker</rpm:vendor>\n    \
    <rpm:provides><rpm:entry name=\"alpha\"/></rpm:provides><file>/usr/name</file>\n  </format>\n</package>";

fn list(content: &str) -> String {
    format!("<metadata xmlns=\"c\" xmlns:rpm=\"r\" packages=\"1\">{content}</metadata>")
}

fn told(text: &str) -> io::Result<Vec<Told>> {
    told_of(text, Extent::Packages)
}

fn told_of(text: &str, extent: Extent) -> io::Result<Vec<Told>> {
    let mut all = Vec::new();
    let mut take = |told: &Told| {
        all.push(told.clone());
        Use::GoOn
    };
    read(Elements::new(text.as_bytes(), LARGEST), extent, &mut take).map(|()| all)
}

#[test]
fn a_package_is_told_of() {
    let alpha = Told {
        name: "alpha".to_owned(),
        architecture: "noarch".to_owned(),
        epoch: 1,
        version: "2~rc1".to_owned(),
        release: "3.el9".to_owned(),
        summary: "One & only".to_owned(),
        description: "Long\n\ntext <b>".to_owned(),
        vendor: "Maker".to_owned(),
        packager: "Some Body".to_owned(),
        installed_size: Some(70),
        download_size: Some(6000),
        relations: Vec::new(),
    };
    assert_eq!(told(&list(ONE)).unwrap(), std::slice::from_ref(&alpha));
    let bare = "<package><name>b</name><arch>x</arch><version ver=\"1\" rel=\"1\"/></package>";
    let bare_told = Told {
        name: "b".to_owned(),
        architecture: "x".to_owned(),
        version: "1".to_owned(),
        release: "1".to_owned(),
        ..Told::default()
    };
    assert_eq!(told(&list(&format!("{ONE}<other/>{bare}"))).unwrap(), [alpha, bare_told]);
}

#[test]
fn relations_are_read_where_they_are_wanted() {
    let text = ONE.replace(
        "<rpm:provides>",
        "<rpm:requires><rpm:entry name=\"a\" flags=\"GE\" epoch=\"1\" ver=\"2\" rel=\"3\"/><rpm:entry name=\"b\" pre=\"1\"/>\
         <rpm:entry name=\"(c if d)\"/><rpm:entry name=\"e\" flags=\"XX\" ver=\"1\"/></rpm:requires>\
         <rpm:conflicts><rpm:entry name=\"x\"/></rpm:conflicts>\
         <rpm:suggests><rpm:entry name=\"s\" flags=\"LT\" epoch=\"0\" ver=\"2\"/></rpm:suggests><rpm:provides>",
    );
    let told_to = |extent, text: &str| {
        let told = told_of(&list(text), extent).unwrap();
        told.into_iter().map(|told| told.relations).collect::<Vec<_>>()
    };
    let relations = |text: &str| told_to(Extent::Relations, text);
    let of_one = [
        (Relation::Requires, "a >= 1:2-3"),
        (Relation::PreRequires, "b"),
        (Relation::Requires, "(c if d)"),
        (Relation::Suggests, "s < 2"),
        (Relation::Provides, "alpha"),
        (Relation::Provides, "/usr/name"),
    ]
    .map(|(relation, text)| (relation, text.to_owned()))
    .to_vec();
    assert_eq!(relations(&text.repeat(2)), [of_one.clone(), of_one]);
    assert_eq!(told_to(Extent::Provides, &text), [[(Relation::Provides, "alpha".to_owned())]]);
    assert!(told(&list(&text)).unwrap()[0].relations.is_empty());
}

#[test]
fn a_package_without_proper_name_is_left_out() {
    let long = "x".repeat(LONGEST_NAME + 1);
    for (from, to) in [
        ("<name>alpha", "<name>"),
        ("<name>alpha", "<name>a:b"),
        ("noarch", "a.b"),
        ("ver=\"2~rc1\"", "ver=\"\""),
        ("rel=\"3.el9\"", ""),
        ("epoch=\"1\"", "epoch=\"-1\""),
        ("alpha", long.as_str()),
    ] {
        let text = list(&format!("{}{ONE}", ONE.replacen(from, to, 1)));
        assert_eq!(told(&text).unwrap().len(), 1, "{from} {to}");
    }
}

#[test]
fn long_texts_are_cut() {
    let long = ONE.replace("One &amp; only", &"\u{e4}".repeat(LONGEST_LINE)).replace("Long", &"x".repeat(70_000));
    let told = told(&list(&long)).unwrap();
    assert_eq!((told[0].summary.len(), told[0].description.len()), (LONGEST_LINE, LONGEST_DESCRIPTION));
}

#[test]
fn a_list_that_ends_in_the_middle_is_an_error() {
    let text = list(ONE);
    assert_eq!(told(&text[..text.len() - 5]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    let mut first = true;
    let mut take = |_: &Told| {
        assert!(std::mem::take(&mut first), "it was not stopped");
        Use::Stop
    };
    read(Elements::new(list(&ONE.repeat(2)).as_bytes(), LARGEST), Extent::Packages, &mut take).unwrap();
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(Elements::new(bytes.as_slice(), LARGEST), Extent::Relations, &mut |_| Use::GoOn);
    }

    #[test]
    fn any_list_is_read_to_its_end(
        text in "(</?(package|name|arch|format|rpm:vendor|a)>|<version ver=\"1\" rel=\"\\PC{0,2}\"/>|<size package=\"9?x?\"/>|b|&){0,30}",
        at in 0..ONE.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let _ = told(&list(&text));
        let mut damaged = ONE.as_bytes().to_vec();
        damaged.splice(at..(at + bytes.len()).min(ONE.len()), bytes);
        let _ = read(Elements::new(damaged.as_slice(), LARGEST), Extent::Relations, &mut |_| Use::GoOn);
    }
}
