//! Bundles of several metadata packages.

use super::*;

/// A bundle whose index names this index of a vendor several times, and these packages.
fn indexed(vendors: usize, rows: &[(&str, &str)], mut packages: Files) -> Files {
    let vendors = "<vendor><indexfile>v.xml</indexfile></vendor>".repeat(vendors);
    let row = |(version, url): &(&str, &str)| {
        format!("<metadata><productId>embeddedEsx</productId><version>{version}</version><url>{url}</url></metadata>")
    };
    let rows: String = rows.iter().map(row).collect();
    packages.push(("index.xml".to_owned(), format!("<vendorList>{vendors}</vendorList>").into_bytes()));
    packages.push(("v.xml".to_owned(), format!("<metaList>{rows}</metaList>").into_bytes()));
    packages
}

/// A metadata package of so many VIBs with a comment so long.
fn package_of(prefix: &str, vibs: usize, comment: usize) -> Vec<u8> {
    let vib = |number: usize| {
        let vib = Vib::new(&format!("{prefix}{number}"), "1.0-1");
        let xml = vib.metadata_descriptor(&vib.relative_path(), 1, &sha256(b"x"));
        let xml = xml.replace("</vib>", &format!("<!--{}--></vib>", "a".repeat(comment)));
        (format!("vibs/{number}.xml"), xml.into_bytes())
    };
    zipped(&(0..vibs).map(vib).collect())
}

#[test]
fn the_metadata_of_all_packages_is_bounded_together() {
    let packages = |count: usize| {
        let package = |number: usize| (format!("{number}.zip"), package_of(&format!("p{number}x"), 35, 1_900_000));
        let packages: Files = (0..count).map(package).collect();
        let urls: Vec<String> = packages.iter().map(|(name, _)| name.clone()).collect();
        let rows: Vec<(&str, &str)> = urls.iter().map(|url| ("5.5.0", url.as_str())).collect();
        indexed(1, &rows, packages)
    };
    let error = failure(&packages(3));
    assert_eq!(error.class, ImageErrorClass::MetadataFormatError);
    let why = "Its metadata is longer than the 134217728 octets that are allowed for all together. ";
    assert!(error.text.contains(why), "{error}");
}

#[test]
fn an_index_that_is_named_again_and_again_is_read_once() {
    let rows = vec![("5.5.0", "m.zip"); 1_000];
    let package = || vec![("m.zip".to_owned(), package_of("p", 1, 1))];
    let dir = tempfile::tempdir().unwrap();
    let bundle = Bundle::open(&written(&dir, "b.zip", &zipped(&indexed(20_000, &rows, package())))).unwrap();
    assert_eq!(bundle.metadata().vibs.len(), 1);
    let error = failure(&indexed(1, &vec![("5.5.0", "m.zip"); 1_001], package()));
    let why = "It has more than the 1000 rows in the indexes of its vendors that are allowed. ";
    assert!(error.text.contains(why), "{error}");
    let versions: Vec<String> = (0..33).map(|version| format!("5.{version}")).collect();
    let rows: Vec<_> = versions.iter().map(|version| (version.as_str(), "m.zip")).collect();
    let error = failure(&indexed(1, &rows, package()));
    assert!(
        error.text.contains("It has more than the 32 products of a metadata package that are allowed. "),
        "{error}"
    );
    let urls: Vec<String> = (0..65).map(|number| format!("{number}.zip")).collect();
    let packages = urls.iter().map(|url| (url.clone(), package_of("p", 1, 1))).collect();
    let rows: Vec<_> = urls.iter().map(|url| ("5.5.0", url.as_str())).collect();
    let error = failure(&indexed(1, &rows, packages));
    assert!(error.text.contains("It has more than the 64 metadata packages that are allowed. "), "{error}");
}

#[test]
fn what_names_no_product_is_for_those_of_its_packages() {
    let dir = tempfile::tempdir().unwrap();
    let with = |platforms: Vec<Platform>| {
        let mut bundle = building::Bundle::of(vec![Vib::new("one", "1.0-1")]);
        bundle.bulletins[0].platforms = platforms;
        bundle.metadata_files()
    };
    let rows = [("5.0.0", "a.zip"), ("5.1.0", "b.zip"), ("5.0.0", "b.zip"), ("5.1.0", "a.zip"), ("6.0.0", "b.zip")];
    let package = |platforms| zipped(&with(platforms));
    let packages = vec![("a.zip".to_owned(), package(vec![])), ("b.zip".to_owned(), package(vec![]))];
    let bundle = Bundle::open(&written(&dir, "b.zip", &zipped(&indexed(1, &rows, packages)))).unwrap();
    let versions =
        |products: &[SoftwarePlatform]| products.iter().map(|product| product.version.to_string()).collect::<Vec<_>>();
    let metadata = bundle.metadata();
    assert_eq!(versions(&metadata.bulletins[0].platforms), ["5.0.0", "5.1.0", "6.0.0"]);
    assert_eq!(versions(&metadata.vibs.values().next().unwrap().products), ["5.0.0", "5.1.0", "6.0.0"]);
    let own = vec![("a.zip".to_owned(), package(vec![Platform::esxi("5.5.0")]))];
    let bundle = Bundle::open(&written(&dir, "b.zip", &zipped(&indexed(1, &rows[..1], own)))).unwrap();
    assert_eq!(versions(&bundle.metadata().bulletins[0].platforms), ["5.5.0"]);
}
