//! The bytes of documents, as the pages send them.

use super::super::Response;
use super::super::dms::access;
use super::super::dms::content as bytes;
use super::call::{Answer, Asked, Call, Result, Right};
use super::problem::{Problem, Reason};
use super::schema::{Member, Schema, may};

pub const CALLS: &[Call] = &[
    Call::get(
        "/documents/{number}/content",
        "downloadDocument",
        "A document byte for byte as it was archived: message/rfc822 for a mail. Single ranges can be asked for",
        Answer::Bytes("*/*", true),
        content,
    )
    .with(Right::Read),
    Call::get(
        "/documents/{number}/html",
        "showMail",
        "A mail as HTML that runs nothing and loads nothing",
        Answer::Bytes("text/html", false),
        html,
    )
    .with(Right::Read)
    .asking(IN),
    Call::get(
        "/documents/{number}/attachments/{part}",
        "downloadAttachment",
        "An attachment, decoded",
        Answer::Bytes("*/*", false),
        attachment,
    )
    .with(Right::Read)
    .asking(ATTACHMENT),
];

const IN: &[Member] = &[WITHIN];
const WITHIN: Member = may("in", Schema::Integer(0, 1_000_000), "within of an attachment: what lies inside that part");
const ATTACHMENT: &[Member] =
    &[WITHIN, may("file", Schema::Integer(0, 1_000_000), "Which file inside a winmail.dat, from 0")];

fn content(asked: &Asked<'_>) -> Result<Response> {
    Ok(bytes::download(&asked.context)?)
}

/// What only mails have.
fn mail(asked: &Asked<'_>) -> Result<()> {
    let is_mail = access::readable(&asked.context)?.document.metadata.is_mail();
    if is_mail { Ok(()) } else { Err(Problem::new(Reason::NotFound).saying("This document is no mail.")) }
}

fn html(asked: &Asked<'_>) -> Result<Response> {
    mail(asked)?;
    Ok(bytes::frame(&asked.context)?)
}

fn attachment(asked: &Asked<'_>) -> Result<Response> {
    mail(asked)?;
    Ok(bytes::part(&asked.context)?)
}
