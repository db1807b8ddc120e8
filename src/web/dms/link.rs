//! Access links: two lines, title and address, in the form that the maker has given them since 2023.

use super::super::Context;
use super::show;
use crate::archive::commit::{Metadata, Number};
use crate::settings::administration::{Administration, Field};

/// `TITLE\nADDRESS`, exactly as it is copied.
pub fn text(context: &Context<'_>, number: Number, metadata: &Metadata) -> String {
    format!("{}\n{}", title(&context.administration, number, metadata), address(context, number))
}

pub fn address(context: &Context<'_>, number: Number) -> String {
    format!("{}/perl/avclient/index.pl?target=new&go={number}", base(context))
}

/// What all links begin with: *DNS name for API call*, else the address by which the page was asked for.
fn base(context: &Context<'_>) -> String {
    let name = context.administration.dns_name.trim().trim_end_matches('/');
    if is_base(name) { name.to_string() } else { context.request.origin() }
}

/// Whether an address begins with `http://` or `https://`, names a host or IP address, with port if need be, and nothing
/// else.
pub fn is_base(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| rest.len() <= 300) else { return false };
    let (host, port) = match rest.strip_prefix('[') {
        Some(six) => {
            let Some((address, after)) = six.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("v6", after)
        }
        None => rest.find(':').map_or((rest, ""), |colon| rest.split_at(colon)),
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let port_fits = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|n| n > 0),
        None => port.is_empty(),
    };
    // What is all digits and dots has to be an address.
    let is_number = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    let host_fits = if is_number { host.parse::<std::net::Ipv4Addr>().is_ok() } else { host.split('.').all(label) };
    host_fits && port_fits
}

/// The first line of a link: the *Title field for API link*, else `8441: Title`.
pub fn title(administration: &Administration, number: Number, metadata: &Metadata) -> String {
    let field = administration.link_title.as_ref().map(|field| one_line(&value(field, metadata)));
    match field {
        Some(title) if !title.is_empty() => title,
        _ => format!("{number}: {}", one_line(&metadata.title)).trim_end().to_string(),
    }
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
        && (!metadata.is_mail() || administration.public_mails)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_scheme_and_a_host_is_a_base() {
        for (text, fits) in [
            ("http://192.168.0.233", true),
            ("https://archivistaimnetz.ch", true),
            ("https://box.example.ch:8443", true),
            ("https://[2001:db8::1]:8443", true),
            ("https://bücher.example", true),
            ("http://box", true),
            ("archivistaimnetz.ch", false),
            ("ftp://box", false),
            ("https://", false),
            ("https://box/", false),
            ("https://box/path", false),
            ("https://user@box", false),
            ("https://box:0", false),
            ("https://box:65536", false),
            ("https://box:", false),
            ("https://192.168.0.999", false),
            ("https://bo x", false),
            ("https://box\nx", false),
            ("https://-box", false),
        ] {
            assert_eq!(is_base(text), fits, "{text}");
        }
    }

    #[test]
    fn titles_are_one_line() {
        assert_eq!(one_line(" a\r\nb\nc\rd\u{2028}e\tf\u{202e} "), "a b c d e f");
    }
}
