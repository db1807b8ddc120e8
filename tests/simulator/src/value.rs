//! `$value`: a message as MIME. Graph docs: 'Get MIME content of a message'. It is streamed, without a length.

use std::io;

use crate::answer::Answer;
use crate::failure::{self, Failure};
use crate::faults::Kind;
use crate::graph::At;
use crate::render;
use crate::tenant::Tenant;

pub fn answer(tenant: &mut Tenant, at: &mut At<'_>, message: usize) -> Result<Answer, Failure> {
    at.call = "value";
    let gone = |_| Failure::new(500, "InternalServerError", "The file of this message is gone.");
    at.fault = poison(tenant, at.mailbox, message).map_err(gone)?;
    if at.fault.is_some() {
        return Err(failure::poisoned());
    }
    let source = &tenant.mailboxes[at.mailbox].messages[message].source;
    let answer = Answer::stream("text/plain", render::open(source, tenant.config.render).map_err(gone)?);
    let length = source.length().map_err(gone)?;
    let (faults, thing) = (&mut tenant.faults, format!("{} {message}", at.mailbox));
    let fault = [Kind::Cut, Kind::LyingLength, Kind::Slow].into_iter().find(|kind| faults.fall(*kind, &thing));
    at.fault = fault;
    Ok(match fault {
        Some(Kind::Cut) => answer.cut(length / 2),
        // A length that is too small could not be told from a short message by anyone, so it is not among the faults.
        Some(Kind::LyingLength) => answer.with("Content-Length", (length * 2 + 1024).to_string()).cut(length),
        Some(_) => answer.slowly(),
        None => answer,
    })
}

/// What makes `$value` fail for good.
pub fn poison(tenant: &Tenant, mailbox: usize, message: usize) -> io::Result<Option<Kind>> {
    let (faults, thing) = (&tenant.faults, format!("{mailbox} {message}"));
    if faults.on(Kind::Poisoned, &thing) || faults.poisoned.contains(&(mailbox, message)) {
        return Ok(Some(Kind::Poisoned));
    }
    let head = || tenant.mailboxes[mailbox].messages[message].source.head();
    Ok((faults.on(Kind::PoisonedSmime, &thing) && smime(&head()?)).then_some(Kind::PoisonedSmime))
}

/// Message classes that are known to have no MIME for Graph: IPM.Note.SMIME and reports on them.
fn smime(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let head = head.split("\r\n\r\n").next().and_then(|head| head.split("\n\n").next()).unwrap_or_default();
    head.contains("application/pkcs7-mime")
        || head.contains("application/x-pkcs7-mime")
        || head.contains("multipart/signed")
}
