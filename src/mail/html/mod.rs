//! HTML of strangers to HTML that runs nothing, loads nothing and stays in its frame.
//!
//! The mail is read as a sequence of tags and texts ([`tokens`]), and what is allowed ([`allow`], [`css`]) is written anew:
//! every `<` in what comes out was written here, for a known element with known attributes; all else is escaped text. Nothing
//! depends on reading the mail as a browser would. No element is written whose content a browser reads by other rules
//! (`style`, `svg`, `math`, `noscript`, `template`, `title`, …), so that reading the result again finds what was written.
//!
//! Time is linear, memory a few times the mail; no tree is built.

mod allow;
mod css;
mod picture;
mod text;
mod tokens;

pub use picture::{Inline, picture_type};
pub use text::html_to_text;

use super::escape::escape;
use super::{entity, link, plain};
use crate::limits::{HTML_DEPTH, HTML_ELEMENTS, HTML_OUT, HTML_SHEETS, MAIL_TEXT};
use picture::Pictures;
use tokens::{Attributes, Token, Tokens};

/// The rules for the frame in which the document is shown, beside its `sandbox` attribute: nothing runs, nothing is loaded.
pub const CONTENT_SECURITY_POLICY: &str = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// The style under the mail's own. Mail is written for a white page, also where the page around it is dark.
const STYLE: &str = "html{background:#fff;color:#000;color-scheme:light}\
    body{margin:8px;font:15px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}\
    img{max-width:100%}pre,.mail-text{white-space:pre-wrap}\
    blockquote{margin-left:.5em;padding-left:.75em;border-left:2px solid #bbb}\
    .mail-picture{display:inline-block;padding:2px 8px;border:1px dashed #888;color:#555;font-size:13px}";

/// A mail as a complete HTML document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafeHtml {
    /// To be served as `text/html; charset=utf-8` with [`CONTENT_SECURITY_POLICY`].
    pub html: String,
    /// Where the mail itself begins in it.
    pub body_at: usize,
    /// Pictures and backgrounds that the mail wanted to load from elsewhere and that are not shown.
    pub remote_images: usize,
    /// Numbers of the parts of the mail that are shown within: they need no row as attachments.
    pub used: Vec<usize>,
    /// Whether the mail is longer than what is shown.
    pub cut: bool,
    /// Whether it is shown as text, because it has too many elements or they are nested too deeply.
    pub as_text: bool,
}

/// Makes harmless HTML of one or more HTML parts that are shown one below the other. `inline` are the pictures that they
/// may show, each whole and at most [`crate::limits::INLINE_IMAGE`] long. Of more than [`MAIL_TEXT`] bytes only the beginning is read.
pub fn safe_html(html: &str, inline: &[Inline]) -> SafeHtml {
    let (html, cut) = beginning(html, MAIL_TEXT);
    let mut writer = Writer::new(inline);
    let whole = writer.read(html);
    let (remote_images, cut) = (writer.remote_images, cut || writer.cut);
    if whole {
        let used = std::mem::take(&mut writer.pictures.used);
        let (html, body_at) = writer.document();
        return SafeHtml { html, body_at, remote_images, used, cut, as_text: false };
    }
    drop(writer);
    let mut writer = Writer::new(&[]);
    writer.out.push_str("<div class=\"mail-text\">");
    writer.out.push_str(&plain::fragments(&html_to_text(html), plain::Wrapping::AsWritten));
    writer.out.push_str("</div>");
    let (html, body_at) = writer.document();
    SafeHtml { html, body_at, remote_images, used: Vec::new(), cut, as_text: true }
}

/// Whether a name is one that [`safe_html`] writes. The document's own `html`, `head`, `meta`, `style` and `body` aside.
pub fn is_allowed_element(name: &str) -> bool {
    allow::element(name) == Some(name)
}

/// Whether a name is that of an attribute that [`safe_html`] writes.
pub fn is_allowed_attribute(name: &str) -> bool {
    allow::PLAIN.contains(&name) || allow::TEXT.contains(&name) || allow::WRITTEN.contains(&name)
}

/// The beginning of a text, and whether it is longer.
pub(super) fn beginning(text: &str, limit: usize) -> (&str, bool) {
    let end = text.floor_char_boundary(limit);
    (&text[..end], end < text.len())
}

/// What comes before the mail's own style sheets.
fn head() -> String {
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
         <style>{STYLE}</style><style>"
    )
}

/// What stands between the style sheets and the mail.
const BODY: &str = "</style></head><body>";

struct Writer<'a> {
    inline: &'a [Inline],
    /// The document. It is large where it holds pictures, so it is never copied.
    out: String,
    /// Where the style sheets go, once all are known.
    sheets_at: usize,
    sheets: String,
    /// Elements that are open, by the name that is written.
    open: Vec<&'static str>,
    elements: usize,
    pictures: Pictures,
    remote_images: usize,
    cut: bool,
}

impl<'a> Writer<'a> {
    fn new(inline: &'a [Inline]) -> Self {
        let mut out = head();
        let sheets_at = out.len();
        out.push_str(BODY);
        Self {
            inline,
            out,
            sheets_at,
            sheets: String::new(),
            open: Vec::new(),
            elements: 0,
            pictures: Pictures::default(),
            remote_images: 0,
            cut: false,
        }
    }

    /// Writes what is allowed; false if there is too much of it.
    fn read(&mut self, html: &str) -> bool {
        let mut plain = String::new();
        for token in Tokens::new(html) {
            match token {
                Token::Text(text) | Token::Raw("textarea", text) => {
                    plain.clear();
                    entity::decode(text, entity::Place::Content, &mut plain);
                    escape(&plain, &mut self.out);
                }
                Token::Raw("xmp" | "plaintext", text) => escape(text, &mut self.out),
                Token::Raw("style", text) => self.sheet(text),
                Token::Raw(..) => {}
                Token::Start(name, attributes) => {
                    self.start(&name, &attributes);
                    if self.elements > HTML_ELEMENTS || self.open.len() > HTML_DEPTH {
                        return false;
                    }
                }
                Token::End(name) => self.end(&name),
            }
            if self.out.len() > HTML_OUT + self.pictures.embedded() {
                self.cut = true;
                break;
            }
        }
        while let Some(name) = self.open.pop() {
            self.write_end(name);
        }
        true
    }

    /// The whole document, and where the mail begins in it.
    fn document(mut self) -> (String, usize) {
        self.out.insert_str(self.sheets_at, &self.sheets);
        self.out.push_str("</body></html>");
        (self.out, self.sheets_at + self.sheets.len() + BODY.len())
    }

    fn sheet(&mut self, css: &str) {
        let style = css::sheet(css);
        self.remote_images += style.addresses;
        if self.sheets.len() + style.text.len() <= HTML_SHEETS {
            self.sheets.push_str(&style.text);
        }
    }

    fn start(&mut self, name: &str, attributes: &Attributes) {
        // A picture that is laid behind a table, and the like.
        self.remote_images += usize::from(attributes.get("background").is_some_and(is_remote));
        if name == "img" || name == "image" {
            self.image(attributes);
            return;
        }
        let Some(name) = known(name) else { return };
        self.elements += 1;
        let ended = allow::ended_by(name);
        while let Some(top) = self.open.last().filter(|top| ended.contains(top)) {
            let top = *top;
            self.open.pop();
            self.write_end(top);
        }
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in &attributes.0 {
            self.attribute(name, attribute, value);
        }
        self.out.push('>');
        if !allow::VOID.contains(&name) {
            self.open.push(name);
        }
    }

    fn end(&mut self, name: &str) {
        if name == "br" {
            self.out.push_str("<br>");
            self.elements += 1;
            return;
        }
        let Some(name) = known(name) else { return };
        let barrier = self.open.iter().rposition(|open| *open == name || allow::is_barrier(open, name));
        let Some(at) = barrier.filter(|at| self.open[*at] == name) else { return };
        while self.open.len() > at {
            if let Some(open) = self.open.pop() {
                // The wanted one is always ended, also where its end tag could be missing.
                if self.open.len() == at { self.write(&["</", open, ">"]) } else { self.write_end(open) }
            }
        }
    }

    /// The end tag that the mail did not write.
    fn write_end(&mut self, name: &str) {
        if !allow::OPTIONAL_END.contains(&name) {
            self.write(&["</", name, ">"]);
        }
    }

    fn write(&mut self, pieces: &[&str]) {
        self.out.extend(pieces.iter().copied());
    }

    fn attribute(&mut self, element: &str, name: &str, value: &str) {
        match name {
            "href" if element == "a" => {
                if let Some(address) = link::safe(value) {
                    self.quoted("href", &address);
                    self.out.push_str(" rel=\"noopener noreferrer nofollow\" target=\"_blank\"");
                }
            }
            "style" => {
                let style = css::declarations(value);
                self.remote_images += style.addresses;
                if !style.text.is_empty() {
                    self.quoted("style", &style.text);
                }
            }
            "value" if element != "li" => {}
            "colspan" | "rowspan" | "span" => {
                if let Ok(count) = value.trim().parse::<u32>() {
                    self.quoted(name, &count.clamp(1, 100).to_string());
                }
            }
            name if name == "width" || name == "value" || allow::PLAIN.contains(&name) => {
                let good = |char: char| char.is_ascii_alphanumeric() || " #%.,+-_".contains(char);
                let long = value.len() > 200 || (value.len() > 7 && value.bytes().all(|byte| byte.is_ascii_digit()));
                if value.chars().all(good) && !long {
                    self.quoted(name, value);
                }
            }
            name if allow::TEXT.contains(&name) => self.quoted(name, value),
            _ => {}
        }
    }

    fn quoted(&mut self, name: &str, value: &str) {
        self.write(&[" ", name, "=\""]);
        escape(value, &mut self.out);
        self.out.push('"');
    }

    /// An embedded picture, or a box that says what is not shown.
    fn image(&mut self, attributes: &Attributes) {
        self.elements += 1;
        let source = attributes.get("src").unwrap_or_default().trim();
        let start = self.out.len();
        self.out.push_str("<img src=\"");
        let shown = if let Some(content_id) = scheme(source, "cid:") {
            self.pictures.embed(content_id, self.inline, &mut self.out)
        } else if let Some(data) = scheme(source, "data:") {
            self.pictures.embed_data(data, &mut self.out)
        } else {
            false
        };
        if shown {
            self.out.push('"');
            for name in ["alt", "title"] {
                attributes.get(name).into_iter().for_each(|value| self.quoted(name, value));
            }
            for name in ["style", "width", "height", "align", "border", "hspace", "vspace", "class"] {
                attributes.get(name).into_iter().for_each(|value| self.attribute("img", name, value));
            }
            self.out.push('>');
            return;
        }
        self.out.truncate(start);
        self.remote_images += usize::from(is_remote(source));
        // A picture of a few pixels counts readers or keeps columns apart.
        let tiny = ["width", "height"].iter().any(|name| {
            attributes
                .get(name)
                .and_then(|value| value.trim().trim_end_matches("px").parse().ok())
                .is_some_and(|size: u32| size <= 3)
        });
        let text = attributes.get("alt").unwrap_or_default().trim();
        if !tiny && !text.is_empty() {
            self.out.push_str("<span class=\"mail-picture\">");
            escape(beginning(text, 500).0, &mut self.out);
            self.out.push_str("</span>");
        } else if !tiny && !source.is_empty() {
            self.out.push_str("<span class=\"mail-picture\">\u{1f5bc}</span>");
        }
    }
}

/// What follows a scheme.
fn scheme<'a>(address: &'a str, scheme: &str) -> Option<&'a str> {
    let start = address.get(..scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| &address[scheme.len()..])
}

fn is_remote(address: &str) -> bool {
    let address = address.trim();
    !address.is_empty() && scheme(address, "cid:").is_none() && scheme(address, "data:").is_none()
}

/// The name under which an element is written, for as long as the program runs.
fn known(name: &str) -> Option<&'static str> {
    let written = allow::element(name)?;
    allow::VOID.iter().chain(&allow::ELEMENTS).find(|known| **known == written).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(html: &str) -> String {
        let safe = safe_html(html, &[]);
        let start = safe.html.find("<body>").unwrap() + 6;
        safe.html[start..safe.html.len() - "</body></html>".len()].to_string()
    }

    #[test]
    fn usual_mail_stays_as_it_is() {
        for (html, expected) in [
            ("<p>a<p>b", "<p>a<p>b"),
            ("<p>a</p>&nbsp;&auml;<br/>", "<p>a</p>\u{a0}ä<br>"),
            ("<ul><li>a<li>b</ul>", "<ul><li>a<li>b</ul>"),
            ("<b><i>x</b>y", "<b><i>x</i></b>y"),
            ("</div>a</p>", "a"),
            ("<div><table><tr><td>a</div>b</table>", "<div><table><tr><td>ab</table></div>"),
            (
                "<a href='https://a.ch/?x=1&amp;y=2' onclick=x>l</a>",
                "<a href=\"https://a.ch/?x=1&amp;y=2\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">l</a>",
            ),
            (
                "<body bgcolor=red onload=x><font color='#fff' size=2>x",
                "<div bgcolor=\"red\"><font color=\"#fff\" size=\"2\">x</font></div>",
            ),
            ("<td colspan=99999999999 rowspan=1000>x", "<td rowspan=\"100\">x"),
            ("<o:p>x</o:p><custom>y", "xy"),
        ] {
            assert_eq!(body(html), expected, "{html}");
        }
    }

    #[test]
    fn pictures() {
        let png = b"\x89PNG\r\n\x1a\nx".to_vec();
        let inline = [
            Inline { number: 4, content_id: "a@b".into(), bytes: png.clone() },
            Inline { number: 5, content_id: "svg".into(), bytes: b"<svg onload=x>".to_vec() },
            Inline { number: 6, content_id: "big".into(), bytes: [png, vec![0; crate::limits::INLINE_IMAGE]].concat() },
        ];
        let safe = safe_html(
            "<img src='CID:a%40b' alt=x onerror=y><img src=cid:svg alt=s><img src=cid:big alt=g><img src=http://x.ch/1.png alt='A & B'>\
             <img src=//x.ch/2 width=1><table background='http://x.ch/3'><td style='background:url(https://x.ch/4)'>\
             <img src='data:image/svg+xml;base64,PHN2Zz4=' alt=d><img src='data:image/png;base64,iVBORw0KGgo='>",
            &inline,
        );
        assert_eq!((safe.remote_images, safe.used.as_slice(), safe.cut), (4, &[4][..], false));
        assert_eq!(safe.html.matches("<img src=\"data:image/png;base64,").count(), 2);
        assert_eq!(safe.html.matches("<img").count(), 2);
        assert!(safe.html.contains("<span class=\"mail-picture\">A &amp; B</span>"));
        assert!(!safe.html.contains("x.ch") && !safe.html.contains("onerror"));
    }

    #[test]
    fn too_much_is_shown_as_text() {
        for html in ["<div>".repeat(10_000) + "Hallo", "<b>x</b>".repeat(100_000) + "Hallo"] {
            let safe = safe_html(&html, &[]);
            assert!(
                safe.as_text && safe.html.contains("mail-text") && safe.html.ends_with("Hallo</div></body></html>")
            );
        }
        let long = safe_html(&"ä ".repeat(MAIL_TEXT), &[]);
        assert!(long.cut && !long.as_text && long.html.len() < MAIL_TEXT + 2000);
        assert!(safe_html(&"<td>".repeat(40_000), &[]).html.len() < HTML_OUT);
    }
}
