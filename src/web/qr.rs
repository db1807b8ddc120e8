//! QR codes (ISO/IEC 18004) as pictures in a page.

use std::fmt::Write;
use std::io;

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules that have to be around a code.
const QUIET: i32 = 4;

/// The code of a text, legible also where a quarter of it is not; `label` tells those who see no pictures what it is.
/// The mode is the densest that takes the text: capitals, digits and spaces are alphanumeric.
pub fn svg(text: &str, label: &str) -> io::Result<Markup> {
    let code = QrCode::encode_text(text, QrCodeEcc::Quartile).map_err(io::Error::other)?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    let all = size + 2 * QUIET;
    let view = format!("-{QUIET} -{QUIET} {all} {all}");
    Ok(html! {
        svg.qr viewBox=(view) role="img" aria-label=(label) shape-rendering="crispEdges" {
            rect x=(-QUIET) y=(-QUIET) width=(all) height=(all) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    })
}
