//! Style, script and pictures: compiled in, under names that change with their content.

use std::sync::OnceLock;

use super::Context;
use super::error::{Result, WebError};
use super::response::{Body, Response};
use super::routes::{Access, Route, get};
use crate::hash::Sha256;

pub const ROUTES: &[Route] = &[
    get("/assets/{name}", Access::Anybody, asset),
    get("/favicon.ico", Access::Anybody, icon),
    get("/robots.txt", Access::Anybody, robots),
];

const STYLE: &str = concat!(include_str!("style.css"), include_str!("admin.css"), include_str!("dms.css"));
const SCRIPT: &str = concat!(include_str!("script.js"), include_str!("dms.js"));
/// For all pages but those of WebDMS; the first page is small without it.
const MORE_STYLE: &str = concat!(
    include_str!("people.css"),
    include_str!("assistant.css"),
    include_str!("charts.css"),
    include_str!("sheet.css")
);
/// For WebAdmin.
const MORE_SCRIPT: &str = include_str!("assistant.js");
const ICON: &str = include_str!("icon.svg");

struct Asset {
    /// With a part of its hash.
    name: String,
    media_type: &'static str,
    bytes: &'static str,
}

fn assets() -> &'static [Asset; 5] {
    static ASSETS: OnceLock<[Asset; 5]> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let asset = |stem: &str, ending: &str, media_type, bytes: &'static str| {
            let hash = Sha256::of(bytes.as_bytes()).to_string();
            Asset { name: format!("{stem}-{}.{ending}", &hash[..12]), media_type, bytes }
        };
        [
            asset("style", "css", "text/css; charset=utf-8", STYLE),
            asset("script", "js", "text/javascript; charset=utf-8", SCRIPT),
            asset("icon", "svg", "image/svg+xml", ICON),
            asset("more", "css", "text/css; charset=utf-8", MORE_STYLE),
            asset("more", "js", "text/javascript; charset=utf-8", MORE_SCRIPT),
        ]
    })
}

/// Path of the style sheet, the script and the icon of all pages; of the further style sheet and script.
pub fn paths() -> [String; 5] {
    assets().each_ref().map(|asset| format!("/assets/{}", asset.name))
}

/// The asset of this name, where there is one.
pub fn find(name: &str) -> Option<Response> {
    let asset = assets().iter().find(|asset| asset.name == name)?;
    let response = Response::new(200, asset.media_type, Body::Static(asset.bytes.as_bytes()));
    Some(response.header("Cache-Control", "public, max-age=31536000, immutable"))
}

fn asset(context: &Context<'_>) -> Result<Response> {
    find(&context.parameters[0]).ok_or(WebError::NotFound)
}

/// Asks search engines to stay away (RFC 9309).
#[allow(clippy::unnecessary_wraps)] // the shape of every page
fn robots(_: &Context<'_>) -> Result<Response> {
    Ok(Response::text(200, "User-agent: *\nDisallow: /\n"))
}

/// For a PDF or picture in a tab of its own, which names no icon: browsers then ask for this one.
#[allow(clippy::unnecessary_wraps)] // the shape of every page
fn icon(_: &Context<'_>) -> Result<Response> {
    let icon = Response::new(200, "image/svg+xml", Body::Static(ICON.as_bytes()));
    Ok(icon.header("Cache-Control", "public, max-age=86400"))
}
