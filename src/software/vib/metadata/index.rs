//! `index.xml` and `vendor-index.xml`: the way from a depot to its metadata.

use std::collections::HashSet;

use super::super::descriptor::SoftwarePlatform;
use super::super::descriptor_xml::safe_path;
use super::super::error::ImageError;
use super::document::{invalid, parse};
use crate::xml::{Element, ElementExt};

/// What `index.xml` says of a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct VendorIndex {
    /// The folder that the vendor's files lie in; empty for the depot's own.
    pub(in super::super) base: String,
    /// The vendor's own index.
    pub(in super::super) path: String,
}

/// What a vendor's index says of a metadata package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct MetadataRow {
    /// The product that it is for.
    pub(in super::super) platform: SoftwarePlatform,
    /// The package, by its place or its address.
    pub(in super::super) url: String,
}

/// The vendors of an `index.xml`.
pub(in super::super) fn vendor_indexes(octets: &[u8]) -> Result<Vec<VendorIndex>, ImageError> {
    const FILE: &str = "index.xml";
    let root = parse(FILE, octets)?;
    if !root.is("", "vendorList") {
        return Err(invalid(FILE, "Its element is not vendorList"));
    }
    let index = |vendor: &Element| {
        let text = |tag| vendor.child("", tag).map(ElementExt::text).unwrap_or_default();
        let base = text("relativePath").trim_end_matches('/').to_owned();
        let path = inside(&base, text("indexfile")).map_err(|why| invalid(FILE, &why))?;
        Ok(VendorIndex { base, path })
    };
    let found = root.children_named("", "vendor").map(index).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() { Err(invalid(FILE, "It names no vendor")) } else { Ok(found) }
}

/// The metadata packages of a vendor's index, with their places below `base`.
pub(in super::super) fn metadata_rows(file: &str, octets: &[u8], base: &str) -> Result<Vec<MetadataRow>, ImageError> {
    let mut found = rows(&parse(file, octets)?)?;
    for row in &mut found {
        row.url = inside(base, &row.url).map_err(|why| invalid(file, &why))?;
    }
    if found.is_empty() { Err(invalid(file, "It names no metadata")) } else { Ok(found) }
}

/// The rows of a vendor's index as they stand there.
pub(super) fn rows(root: &Element) -> Result<Vec<MetadataRow>, ImageError> {
    if !root.is("", "metaList") {
        return Err(invalid("vendor-index.xml", "Its element is not metaList"));
    }
    let row = |element: &Element| {
        let text = |tag| element.child("", tag).map(ElementExt::text).unwrap_or_default();
        let platform = SoftwarePlatform {
            product_line: text("productId").into(),
            version: text("version").into(),
            locale: text("locale").into(),
        };
        MetadataRow { platform, url: text("url").to_owned() }
    };
    Ok(root.children_named("", "metadata").map(row).collect())
}

/// The products of rows, each once; none, which is any, if a row does not tell its product.
pub(in super::super) fn products(rows: Vec<MetadataRow>) -> Vec<SoftwarePlatform> {
    let tells = |row: &MetadataRow| !row.platform.product_line.is_empty() && !row.platform.version.is_empty();
    if !rows.iter().all(tells) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    rows.into_iter().map(|row| row.platform).filter(|platform| seen.insert(platform.clone())).collect()
}

/// A place below another, which may be empty; what is wrong if it is none inside of the depot.
pub(in super::super) fn inside(base: &str, place: &str) -> Result<String, String> {
    let base = base.trim_end_matches('/');
    let path = if base.is_empty() { place.to_owned() } else { format!("{base}/{place}") };
    if place.is_empty() {
        return Err("It does not tell where a file lies".to_owned());
    }
    if place.contains("://") || !safe_path(&path) || path.contains('\\') {
        return Err(format!("It names the file {path:?}, which does not lie inside of the depot"));
    }
    Ok(path)
}
