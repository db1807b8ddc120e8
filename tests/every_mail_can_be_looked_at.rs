//! Promise: every real mail can be looked at. Of 6,046 of them each shows what another reader of mail finds in it: the same
//! parts as text, the same as attachments, the same words.

use std::time::{Duration, Instant};

use crate::support::corpus::mails;
use archivista::mail::{Bodies, Collector, Mode, Outline, Outliner, Piece, Plan, Shown, Wanted, charset, safe_html};
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// A mail of a few kilobytes that takes longer has met something that is not linear.
const LONGEST: Duration = Duration::from_secs(5);
/// Mails of the corpus in which the other reader finds something else. It lists pictures between texts as attachments, too, and
/// texts in Base64 whose last boundary is missing; it marks bytes of no named character set where we read windows-1252.
const OTHER_ATTACHMENTS: usize = 60;
const OTHER_TEXTS: usize = 86;

/// Words of all text parts, without what decoders do to white space.
fn our_words(raw: &[u8], outline: &Outline, bodies: &Bodies) -> Vec<String> {
    let parts = bodies.text.iter().chain(&bodies.html).filter_map(|piece| match piece {
        Piece::Plain(number) | Piece::Html(number) => Some(&outline.parts[*number]),
        Piece::Image(_) | Piece::Media(_) => None,
    });
    let wanted: Vec<_> = parts.map(|part| Wanted { part, limit: 1 << 20 }).collect();
    let found = Collector::read(raw, &wanted);
    let texts =
        wanted.iter().zip(found).map(|(wanted, found)| charset::text(&found.bytes, &wanted.part.charset, found.cut));
    texts.flat_map(|text| words(&text)).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| word.is_ascii()).map(str::to_owned).collect()
}

fn their_words(message: &Message<'_>) -> Vec<String> {
    let parts = message.text_bodies().chain(message.html_bodies());
    let texts = parts.filter_map(|part| match &part.body {
        PartType::Text(text) | PartType::Html(text) => Some(text),
        _ => None,
    });
    texts.flat_map(|text| words(text)).collect()
}

fn their_attachments(message: &Message<'_>) -> Vec<String> {
    let media_type = |part: &mail_parser::MessagePart<'_>| match part.content_type() {
        Some(found) => format!("{}/{}", found.ctype(), found.subtype().unwrap_or_default()).to_lowercase(),
        None => "text/plain".into(),
    };
    message.attachments().map(media_type).collect()
}

#[test]
fn as_another_reader_does() {
    let mails = mails();
    assert_eq!(mails.len(), 6046);
    let (mut attachments, mut texts) = (Vec::new(), Vec::new());
    let (mut without, mut as_text, mut html) = (Vec::new(), Vec::new(), 0);
    for mail in &mails {
        let start = Instant::now();
        let outline = Outliner::read(&mail.bytes);
        let bodies = outline.bodies();
        for mode in [Mode::Html, Mode::Text] {
            let plan = Plan::new(&outline, 0, mode);
            let collected = Collector::read(&mail.bytes, plan.wanted());
            let view = plan.show(collected);
            if view.shown.is_empty() {
                without.push(&mail.name);
            }
            for shown in &view.shown {
                let Shown::Html { document, .. } = shown else { continue };
                html += 1;
                if document.as_text {
                    as_text.push(&mail.name);
                }
            }
        }
        assert!(start.elapsed() < LONGEST, "{}: {:?}", mail.name, start.elapsed());
        let theirs = MessageParser::default().parse(&mail.bytes).unwrap();
        let ours: Vec<_> = bodies.attachments.iter().map(|number| outline.parts[*number].media_type.clone()).collect();
        if ours.len() != theirs.attachment_count() {
            attachments.push(format!("{}: {ours:?}, {:?}", mail.name, their_attachments(&theirs)));
        }
        let (mine, other) = (our_words(&mail.bytes, &outline, &bodies), their_words(&theirs));
        if mine != other {
            let at = mine.iter().zip(&other).take_while(|(mine, other)| mine == other).count();
            texts.push(format!("{}: {:?}, {:?}", mail.name, mine.get(at), other.get(at)));
        }
    }
    eprintln!("other attachments ({}): {attachments:#?}", attachments.len());
    eprintln!("other texts ({}): {texts:#?}", texts.len());
    eprintln!("nothing shown ({}): {without:#?}", without.len());
    eprintln!("HTML {html}, as text ({}): {as_text:#?}", as_text.len());
    assert!(without.is_empty() && as_text.is_empty());
    assert!(html > 500, "{html}");
    assert!(attachments.len() <= OTHER_ATTACHMENTS, "{}", attachments.len());
    assert!(texts.len() <= OTHER_TEXTS, "{}", texts.len());
}

/// Elements whose text nobody sees.
const UNSEEN: [&str; 8] = ["script", "style", "title", "noframes", "noembed", "iframe", "template", "option"];
/// Mails in which a browser shows other text: one has forgotten the end of a list of choices, one the end of a tag.
const OTHER_HTML: usize = 2;

/// What a browser shows as text, without white space.
fn seen(html: &str) -> String {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let dom = parse_document(RcDom::default(), options).one(html);
    let mut text = String::new();
    let mut open: Vec<Handle> = vec![dom.document.clone()];
    while let Some(node) = open.pop() {
        match &node.data {
            NodeData::Text { contents } => text.extend(contents.borrow().chars().filter(|char| char.is_alphanumeric())),
            NodeData::Element { name, attrs, .. } => {
                let picture = attrs.borrow().iter().any(|attribute| &*attribute.value == "mail-picture");
                if picture || UNSEEN.contains(&&*name.local) {
                    continue;
                }
            }
            _ => {}
        }
        open.extend(node.children.borrow().iter().rev().cloned());
    }
    text
}

#[test]
fn html_shows_the_text_that_a_browser_shows() {
    let (mut count, mut other) = (0, Vec::new());
    for mail in mails() {
        let outline = Outliner::read(&mail.bytes);
        for piece in outline.bodies().html {
            let Piece::Html(number) = piece else { continue };
            let part = &outline.parts[number];
            let found = Collector::read(&mail.bytes, &[Wanted { part, limit: 1 << 20 }]).remove(0);
            let html = charset::html_text(&found.bytes, &part.charset, found.cut);
            let (browser, ours) = (seen(&html), seen(&safe_html(&html, &[]).html));
            count += 1;
            if browser != ours {
                let at = browser.chars().zip(ours.chars()).take_while(|(browser, ours)| browser == ours).count();
                let some = |text: &str| text.chars().skip(at.saturating_sub(10)).take(40).collect::<String>();
                other.push(format!("{}: {:?}, {:?}", mail.name, some(&browser), some(&ours)));
            }
        }
    }
    eprintln!("other text ({} of {count}): {other:#?}", other.len());
    assert!(count > 500, "{count}");
    assert!(other.len() <= OTHER_HTML, "{}", other.len());
}
