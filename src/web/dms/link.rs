//! Access links: two lines, title and address, in the form that the maker has given them since 2023.

use super::super::Context;
use super::super::request::encode;
use super::show;
use crate::archive::commit::{Metadata, Number};
use crate::limits::MAILTO;
use crate::settings::administration::{Administration, Field, is_dns_name};
use crate::settings::field_value;

/// Characters of a title in a new mail.
const TITLE_CHARS: usize = 120;

/// `TITLE\nADDRESS`, exactly as it is copied.
pub fn text(context: &Context<'_>, number: Number, metadata: &Metadata) -> String {
    format!("{}\n{}", title(context, number, metadata), address(context, number))
}

/// The same for a visitor, who sees of a document what its View shows and no field beside.
pub fn public_text(context: &Context<'_>, number: Number, metadata: &Metadata) -> String {
    let field = context.administration.link_title.as_ref();
    let shown = field.filter(|field| !matches!(field, Field::Note | Field::Other(_)));
    let title = shown.map(|field| value(field, metadata));
    format!("{}\n{}", or_number(title, number, metadata), address(context, number))
}

pub fn address(context: &Context<'_>, number: Number) -> String {
    format!("{}/perl/avclient/index.pl?target=new&go={number}", base(context))
}

/// What all links begin with: *DNS name for API call*, else the address by which the page was asked for.
pub fn base(context: &Context<'_>) -> String {
    let name = context.administration.dns_name.trim().trim_end_matches('/');
    if name.is_empty() || !is_dns_name(name) { context.request.origin() } else { name.to_string() }
}

/// The first line of a link: the *Title field for API link*, else `8441: Title`. Whoever may not see the field gets the latter.
pub fn title(context: &Context<'_>, number: Number, metadata: &Metadata) -> String {
    let field = context.administration.link_title.as_ref().map(|field| match field {
        Field::Other(name) if !context.sees(name) => String::new(),
        Field::Other(name) => field_value::shown(context.fields.kind(name), &value(field, metadata), context.lang),
        field => value(field, metadata),
    });
    or_number(field, number, metadata)
}

fn or_number(title: Option<String>, number: Number, metadata: &Metadata) -> String {
    match title.map(|title| one_line(&title)) {
        Some(title) if !title.is_empty() => title,
        _ => format!("{number}: {}", one_line(&metadata.title)).trim_end().to_string(),
    }
}

/// Title and address for [`mailto`]: of a title only the beginning.
pub fn short(context: &Context<'_>, number: Number, metadata: &Metadata) -> [String; 2] {
    [show::cut(&title(context, number, metadata), TITLE_CHARS), address(context, number)]
}

/// An address that opens a new mail with these links (RFC 6068), and how many of them it holds: programs take only so much.
/// `None` where there is no room for any.
pub fn mailto(subject: &str, links: &[[String; 2]]) -> Option<(String, usize)> {
    let mut address = format!("mailto:?subject={}&body=", encode(&show::cut(subject, TITLE_CHARS)));
    let mut count = 0;
    for [title, link] in links {
        let pair = encode(&format!("{title}\r\n{link}\r\n\r\n"));
        if address.len() + pair.len() > MAILTO {
            break;
        }
        address += &pair;
        count += 1;
    }
    (count > 0).then_some((address, count))
}

/// What a field of a document holds.
pub fn value(field: &Field, metadata: &Metadata) -> String {
    match field {
        Field::Title => metadata.title.clone(),
        Field::Date => metadata.date.map(show::day).unwrap_or_default(),
        Field::From => metadata.from.clone(),
        Field::To => metadata.to.clone(),
        Field::Cc => metadata.cc.clone(),
        Field::MediaName => metadata.media_name.clone(),
        Field::Note => metadata.note.clone(),
        Field::Other(name) => metadata.fields.get(name).cloned().unwrap_or_default(),
    }
}

/// Line breaks become spaces, and so does every other character that would end or hide a line.
fn one_line(text: &str) -> String {
    let text = text.replace("\r\n", " ");
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect();
    plain.trim().to_string()
}

/// Whether the *field for publishing* of a document is not empty.
pub fn is_published(administration: &Administration, metadata: &Metadata) -> bool {
    administration.publishing.as_ref().is_some_and(|field| !value(field, metadata).trim().is_empty())
}

/// Whether a document opens without a login.
pub fn is_public(administration: &Administration, metadata: &Metadata) -> bool {
    administration.is_public
        && is_published(administration, metadata)
        && (!metadata.is_mail() || (administration.public_mails && administration.publishes_mails()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_new_mail_holds_as_many_links_as_programs_take() {
        let link = |title: &str| [title.to_owned(), "https://a.ch/go?x=1&y=2".to_owned()];
        let (address, count) = mailto("Offerte & \"mehr\"?", &[link("Offerte für Küsnacht #1")]).unwrap();
        assert_eq!(
            (address.as_str(), count),
            (
                "mailto:?subject=Offerte%20%26%20%22mehr%22%3F&body=Offerte%20f%C3%BCr%20K%C3%BCsnacht%20%231%0D%0A\
                 https%3A%2F%2Fa.ch%2Fgo%3Fx%3D1%26y%3D2%0D%0A%0D%0A",
                1
            )
        );
        let (address, count) = mailto("x", &vec![link("ü"); 500]).unwrap();
        assert!(address.len() <= MAILTO && count > 10 && count < 500, "{count}");
        assert_eq!(mailto("x", &[link(&"🎉".repeat(1000))]), None);
    }

    #[test]
    fn titles_are_one_line() {
        assert_eq!(one_line(" a\r\nb\nc\rd\u{2028}e\tf\u{202e} "), "a b c d e f");
    }
}
