//! Promise: no mail runs a script, loads a byte from elsewhere or breaks the page around it. What is written of each trick is
//! read again by the parser that browsers agree with, and holds nothing that is not on the list.

use crate::support::hostile::{self, CANARY, HTML, MARK, VISIBLE};
use archivista::limits::{HTML_DEPTH, MAIL_NAME_CHARS, NESTING, PARTS};
use archivista::mail::html::{html_to_text, is_allowed_attribute, is_allowed_element};
use archivista::mail::special::{Special, calendar, cms, report, tnef};
use archivista::mail::{Collector, Mode, Outline, Outliner, Plan, Shown, View, Wanted, file_name, safe_html};
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn show(raw: &[u8], mode: Mode) -> (Outline, View) {
    let outline = Outliner::read(raw);
    let plan = Plan::new(&outline, 0, mode);
    let collected = Collector::read(raw, plan.wanted());
    let view = plan.show(collected);
    (outline, view)
}

/// Goes over a tree without recursion: it may be deep.
fn each(dom: &RcDom, mut check: impl FnMut(&Handle)) {
    let mut open = vec![dom.document.clone()];
    while let Some(node) = open.pop() {
        check(&node);
        open.extend(node.children.borrow().iter().cloned());
    }
}

fn parse(html: &str) -> RcDom {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    parse_document(RcDom::default(), options).one(html)
}

/// Text of a document, and nothing in it that is not allowed.
fn harmless_document(html: &str, name: &str) -> String {
    let mut text = String::new();
    each(&parse(html), |node| match &node.data {
        NodeData::Text { contents } => text.push_str(&contents.borrow()),
        NodeData::Comment { contents } => panic!("{name}: comment {contents}"),
        NodeData::ProcessingInstruction { target, .. } => panic!("{name}: {target}"),
        NodeData::Element { name: element, attrs, .. } => {
            let local = &*element.local;
            assert_eq!(&*element.ns, "http://www.w3.org/1999/xhtml", "{name}: {local}");
            let frame = ["html", "head", "body", "style", "meta"].contains(&local);
            assert!(frame || is_allowed_element(local), "{name}: <{local}> in {html}");
            for attribute in attrs.borrow().iter() {
                let (key, value) = (&*attribute.name.local, &*attribute.value);
                if frame {
                    assert!(local == "meta" && ["charset", "name", "content"].contains(&key), "{name}: {local} {key}");
                    continue;
                }
                assert!(is_allowed_attribute(key), "{name}: {key}={value}");
                harmless_attribute(name, key, value);
            }
        }
        NodeData::Document | NodeData::Doctype { .. } => {}
    });
    text
}

fn harmless_attribute(name: &str, key: &str, value: &str) {
    let lower = value.to_lowercase();
    match key {
        "href" => {
            let known = ["http://", "https://", "mailto:", "tel:"];
            assert!(known.iter().any(|scheme| value.starts_with(scheme)), "{name}: {value}");
        }
        "src" => {
            let known = ["png", "jpeg", "gif", "webp"].map(|kind| format!("data:image/{kind};base64,"));
            assert!(known.iter().any(|start| value.starts_with(start)), "{name}: {value}");
        }
        "style" => {
            for word in ["url", "expression", "import", "binding", "behavior", "position", "\\", "<", "@", "image-set"]
            {
                assert!(!lower.contains(word), "{name}: style {value}");
            }
        }
        _ => {}
    }
}

/// Nothing of a style sheet loads anything.
fn harmless_sheets(html: &str, name: &str) {
    for sheet in html.split("<style>").skip(1) {
        let sheet = sheet.split("</style>").next().unwrap().to_lowercase();
        for word in [
            "url",
            "import",
            "expression",
            "binding",
            "behavior",
            "fixed",
            "absolute",
            "\\",
            "<",
            "font-face",
            "image-set",
        ] {
            assert!(!sheet.contains(word), "{name}: {sheet}");
        }
    }
}

/// Fragments are text, links and marked passages.
fn harmless_fragments(html: &str, name: &str) {
    each(&parse(&format!("<!doctype html><div>{html}</div>")), |node| {
        let NodeData::Element { name: element, attrs, .. } = &node.data else { return };
        assert!(["html", "head", "body", "div", "a", "span"].contains(&&*element.local), "{name}: {html}");
        for attribute in attrs.borrow().iter() {
            let (key, value) = (&*attribute.name.local, &*attribute.value);
            assert!(["href", "rel", "target", "class"].contains(&key), "{name}: {key}={value}");
            if key == "href" {
                assert!(value.starts_with("http://") || value.starts_with("https://"), "{name}: {value}");
            }
        }
    });
}

fn harmless(name: &str, view: &View) -> String {
    let mut text = String::new();
    for shown in &view.shown {
        match shown {
            Shown::Text { html, .. } => {
                harmless_fragments(html, name);
                text.push_str(html);
            }
            Shown::Html { document, .. } => {
                harmless_sheets(&document.html, name);
                text.push_str(&harmless_document(&document.html, name));
            }
            Shown::Image(_) | Shown::Media(_) => {}
        }
    }
    text
}

#[test]
fn every_trick_shows_its_text_and_nothing_else() {
    let mails = hostile::all();
    assert!(mails.len() > 90, "{}", mails.len());
    for mail in &mails {
        for mode in [Mode::Html, Mode::Text] {
            let (outline, view) = show(&mail.raw, mode);
            let text = harmless(mail.name, &view);
            assert_eq!(text.contains(VISIBLE), mail.shows, "{}: {}", mail.name, &text[..text.floor_char_boundary(500)]);
            assert!(outline.parts.len() <= PARTS, "{}", mail.name);
        }
    }
}

/// The tricks of scripts leave neither their script nor the canary in any attribute or sheet.
#[test]
fn no_trick_leaves_an_address_or_a_handler() {
    for (name, _) in HTML {
        let mail = hostile::all().into_iter().find(|mail| mail.name == *name).unwrap();
        let (_, view) = show(&mail.raw, Mode::Html);
        let Some(Shown::Html { document, .. }) = view.shown.first() else { panic!("{name}: {view:?}") };
        each(&parse(&document.html), |node| {
            let NodeData::Element { attrs, .. } = &node.data else { return };
            for attribute in
                attrs.borrow().iter().filter(|attribute| !["title", "alt"].contains(&&*attribute.name.local))
            {
                assert!(
                    !attribute.value.contains(CANARY) && !attribute.value.contains(MARK),
                    "{name}: {}",
                    attribute.value
                );
            }
        });
    }
}

#[test]
fn remote_pictures_are_counted() {
    let mail = hostile::all().into_iter().find(|mail| mail.name == "pictures").unwrap();
    assert!(show(&mail.raw, Mode::Html).1.remote_images >= 3);
}

#[test]
fn names_are_one_harmless_file() {
    for mail in hostile::all() {
        let outline = Outliner::read(&mail.raw);
        for part in &outline.parts {
            let name = file_name::of(part);
            assert!(!name.is_empty() && name.chars().count() <= MAIL_NAME_CHARS, "{}: {name}", mail.name);
            let bad = |char: char| char.is_control() || "/\\:*?\"<>|\u{202e}\u{2066}".contains(char);
            assert!(!name.contains(bad) && !name.starts_with('.'), "{}: {name}", mail.name);
            let field = archivista::web::response::disposition("attachment", &name);
            assert!(field.is_ascii() && !field.contains(['\r', '\n']), "{}: {field}", mail.name);
            assert_eq!(field.matches('"').count(), 2, "{}: {field}", mail.name);
            for text in [&part.media_type, &part.charset, &part.name, &part.content_id] {
                assert!(!text.contains(char::is_control), "{}: {text}", mail.name);
            }
        }
        for field in outline.fields() {
            assert!(!field.value.contains(char::is_control) && !field.name.contains(char::is_control), "{}", mail.name);
        }
    }
}

#[test]
fn too_deep_mail_is_shown_as_text() {
    for name in ["10,000 nested elements", "100,000 nested tables", "formats that never end"] {
        let mail = hostile::all().into_iter().find(|mail| mail.name == name).unwrap();
        let (_, view) = show(&mail.raw, Mode::Html);
        let Some(Shown::Html { document, .. }) = view.shown.first() else { panic!("{view:?}") };
        assert!(document.as_text && document.html.contains(VISIBLE), "{name}");
    }
    const { assert!(HTML_DEPTH < 512 && NESTING < 100) };
}

/// What HTML is made of, in any order.
fn html() -> impl Strategy<Value = String> {
    let fragments = vec![
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "--!>",
        "<![CDATA[",
        "]]>",
        "<?",
        "\"",
        "'",
        "`",
        "=",
        " ",
        "\n",
        "\0",
        "&",
        "&lt;",
        "&#x3c;",
        "&quot;",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        "<svg>",
        "</svg>",
        "<math>",
        "<mtext>",
        "<mglyph>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<p>",
        "</p>",
        "<div ",
        "<a href=",
        "<img src=",
        "<img src=x onerror=alert(1)>",
        "style=\"",
        "url(",
        "javascript:",
        "onclick=",
        "<title>",
        "</title>",
        "<textarea>",
        "</textarea>",
        "<noscript>",
        "</noscript>",
        "<template>",
        "<select>",
        "<form>",
        "<plaintext>",
        "<xmp>",
        "</xmp>",
        "<body ",
        "<b>",
        "</b>",
        "<li>",
        "a",
        "@import",
        "{",
        "}",
        ";",
        ":",
        "color",
        "red",
        "é",
    ];
    vec(select(fragments), 0..60).prop_map(|pieces| pieces.concat())
}

/// What messages are made of, in any order.
fn mime() -> impl Strategy<Value = Vec<u8>> {
    let fragments: Vec<&[u8]> = vec![
        b"\r\n",
        b"\n",
        b"\r\n\r\n",
        b"\r",
        b"\0",
        b"--x\r\n",
        b"--x--\r\n",
        b"--y\r\n",
        b"--",
        b"Subject: =?utf-8?q?=C3?=\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: multipart/alternative; boundary=y\r\n",
        b"Content-Type: multipart/related; boundary=y\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/html\r\n",
        b"Content-Type: text/plain; format=flowed; delsp=yes; charset=iso-2022-jp\r\n",
        b"Content-Type: text/calendar\r\n",
        b"Content-Type: application/pkcs7-mime\r\n",
        b"Content-Type: application/ms-tnef\r\n",
        b"Content-ID: <a>\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        b"begin 644 x\r\n",
        b"Content-Disposition: attachment; filename*=utf-8''%\r\n",
        b"=C3=",
        b"QUJD=",
        b"<img src=cid:a>",
        b"GIF89a",
        b"> > x \r\n",
        b"\xff\xfe",
        b"\xc3",
    ];
    vec(select(fragments), 0..60).prop_map(|pieces| pieces.concat())
}

fn look_at_everything(raw: &[u8]) {
    let outline = Outliner::read(raw);
    for part in &outline.parts {
        assert!(part.body.start <= part.body.end && part.body.end <= raw.len() as u64, "{part:?}");
        assert!(part.parent.is_none_or(|parent| parent < part.number));
        file_name::of(part);
        for mode in [Mode::Html, Mode::Text] {
            let plan = Plan::new(&outline, part.number, mode);
            let collected = Collector::read(raw, plan.wanted());
            harmless("proptest", &plan.show(collected));
        }
        let _ = (Special::of(part), part.decoded_size());
        let bytes = Collector::read(raw, &[Wanted { part, limit: 1000 }]).remove(0).bytes;
        let _ = (cms::open(&bytes), tnef::read(&bytes), report::read(&bytes));
        calendar::events(&String::from_utf8_lossy(&bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_html_becomes_harmless(html in html()) {
        let safe = safe_html(&html, &[]);
        harmless_document(&safe.html, &html);
        harmless_sheets(&safe.html, &html);
        html_to_text(&html);
    }

    #[test]
    fn any_bytes_can_be_looked_at(raw in vec(any::<u8>(), 0..2000)) {
        look_at_everything(&raw);
        safe_html(&String::from_utf8_lossy(&raw), &[]);
        html_to_text(&String::from_utf8_lossy(&raw));
        let _ = (cms::open(&raw), tnef::read(&raw), report::read(&raw));
        tnef::read(&[&[0x78, 0x9f, 0x3e, 0x22, 0, 0][..], &raw].concat());
    }

    #[test]
    fn any_message_can_be_looked_at(raw in mime()) {
        look_at_everything(&raw);
    }

    #[test]
    fn pieces_do_not_matter(raw in mime(), size in 1usize..50) {
        let mut outliner = Outliner::new();
        raw.chunks(size).for_each(|chunk| outliner.push(chunk));
        prop_assert_eq!(outliner.finish(), Outliner::read(&raw));
    }
}
