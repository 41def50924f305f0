//! The style, the script and the icon, which come with the program.

use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use openssl::sha::Sha256;

use super::reply;

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/live.js");
const ICON: &str = include_str!("assets/icon.svg");

/// Changes whenever one of them does: their addresses hold it, so browsers may keep them.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut digest = Sha256::new();
        [STYLE, SCRIPT, ICON].iter().for_each(|text| digest.update(text.as_bytes()));
        digest.finish().iter().take(6).map(|octet| format!("{octet:02x}")).collect()
    });
    &VERSION
}

/// Gives one of them to anybody.
pub(super) async fn asset(name: web::Path<String>) -> HttpResponse {
    let (content_type, text) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "live.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return reply::with_headers(HttpResponse::NotFound().finish()),
    };
    let mut response = HttpResponse::Ok();
    response.content_type(content_type).insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    reply::with_headers(response.body(text))
}
