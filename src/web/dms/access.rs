//! Who gets to see a document: who has the right to read it, and everybody where it is published.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::link;
use crate::archive::commit::{Happening, Number};
use crate::archive::rows::Document;
use crate::archive::view::Reads;
use crate::limits::{OPENED, OPENED_AGAIN};
use crate::settings::administration::Field;
use crate::settings::users::Role;

/// A document that this request may see.
pub struct Shown {
    pub number: Number,
    pub document: Document,
    /// By which right; `None`: it is published, and nothing but its View is seen.
    pub reads: Option<Reads>,
}

/// The document of a person with the right to read it. No right looks exactly like no such number.
pub fn readable(context: &Context<'_>) -> Result<Shown> {
    let number = context.number(0)?;
    with_right(context, number)?.ok_or(WebError::NotFound)
}

/// [`readable`], or a published document; `None`: whoever asks has to log in first.
pub fn visible(context: &Context<'_>, number: Option<Number>) -> Result<Option<Shown>> {
    if let Some(number) = number {
        if let Some(shown) = with_right(context, number)? {
            return Ok(Some(shown));
        }
        // The catalog is asked only where an answer may be seen.
        if context.administration.is_public
            && let Some(document) = context.view()?.document(number)?
            && link::is_public(&context.administration, &document.metadata)
        {
            return Ok(Some(Shown { number, document, reads: None }));
        }
    }
    if context.person.is_some() { Err(WebError::NotFound) } else { Ok(None) }
}

/// [`readable`], of any number; `None` where it is not there for the person.
pub fn with_right(context: &Context<'_>, number: Number) -> Result<Option<Shown>> {
    if context.person.is_none() {
        return Ok(None);
    }
    let view = context.view()?;
    let reads = context.reads(&view)?;
    if !view.may_read(&reads, number)? {
        return Ok(None);
    }
    Ok(view.document(number)?.map(|document| Shown { number, document, reads: Some(reads) }))
}

/// Whether the person may change fields of documents that it may read: an auditor changes nothing.
pub fn may_change(context: &Context<'_>) -> bool {
    context.person.as_ref().is_some_and(|person| person.user.role != Role::Auditor)
}

/// Whether the person may write into the field for publishing, as far as it is a further one.
pub fn may_publish(context: &Context<'_>) -> bool {
    let may = match &context.administration.publishing {
        Some(Field::Other(name)) => context.changes(name),
        _ => true,
    };
    may && may_change(context)
}

/// Whether more than the everyday actions is offered; whoever examines the archive needs the others every day.
pub fn shows_extended(context: &Context<'_>) -> bool {
    let is_auditor = context.person.as_ref().is_some_and(|person| person.user.role == Role::Auditor);
    is_auditor || !context.administration.hides_extended
}

/// What was opened of late, so that one look is one line of the journal.
#[derive(Default)]
pub struct Opened(Mutex<VecDeque<(String, Number, Instant)>>);

impl Opened {
    /// Whether this is news; remembers it.
    fn is_new(&self, who: String, number: Number) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while all.front().is_some_and(|(_, _, time)| time.elapsed() > OPENED_AGAIN) || all.len() >= OPENED {
            all.pop_front();
        }
        if all.iter().any(|(other, document, _)| *other == who && *document == number) {
            return false;
        }
        all.push_back((who, number, Instant::now()));
        true
    }
}

/// Notes that a document was looked at.
pub fn note_opened(context: &Context<'_>, number: Number) -> Result<()> {
    let session = context.person.as_ref().map(|person| person.session.csrf.clone());
    if context.web.opened.is_new(session.unwrap_or_else(|| context.who()), number) {
        context.journal(Happening::Opened(number))?;
    }
    Ok(())
}
