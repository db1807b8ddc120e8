//! Who gets to see a document: who has the right to read it, and everybody where it is published.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::link;
use crate::archive::commit::{Happening, Number};
use crate::archive::rows::Document;
use crate::archive::view::Reads;
use crate::limits::{OPENED, OPENED_AGAIN, VISITS, VISITS_TIME};
use crate::search::Places;
use crate::settings::administration::Field;
use crate::settings::networks::household;
use crate::settings::users::Role;

/// A document that this request may see.
pub struct Shown {
    pub number: Number,
    /// As it is known where the person may read.
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
            && let view = context.view()?
            && !view.is_blocked(number)?
            && let Some(document) = view.document(number)?
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
    let Some(document) = view.document(number)? else { return Ok(None) };
    let document = Places::of(&view, &reads)?.narrow(&view, number, document)?;
    Ok(Some(Shown { number, document, reads: Some(reads) }))
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
pub struct Opened {
    by_people: Looks,
    by_visitors: Looks,
    /// Lines that visitors have left since then.
    lines: Mutex<Option<(Instant, u32)>>,
}

/// Who looked at which document when, the oldest first.
#[derive(Default)]
struct Looks(Mutex<VecDeque<(String, Number, Instant)>>);

impl Looks {
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

impl Opened {
    /// Whether a look of a visitor is one more line. What is journalled is never made shorter again, so all visitors together
    /// get so many in a while, however many addresses they come from.
    fn is_new_visit(&self, peer: IpAddr, number: Number) -> bool {
        if !self.by_visitors.is_new(household(peer).to_string(), number) {
            return false;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, count) = match &mut *lines {
            Some(lines) if lines.0.elapsed() < VISITS_TIME => lines,
            lines => lines.insert((Instant::now(), 0)),
        };
        *count = count.saturating_add(1);
        *count <= VISITS
    }
}

/// Notes that a document was looked at.
pub fn note_opened(context: &Context<'_>, number: Number) -> Result<()> {
    let opened = &context.web.opened;
    let is_new = match &context.person {
        Some(person) => opened.by_people.is_new(person.session.csrf.clone(), number),
        None => opened.is_new_visit(context.request.peer, number),
    };
    if is_new {
        context.journal(Happening::Opened(number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_leave_so_many_lines_and_no_more() {
        let opened = Opened::default();
        let visit = |peer: &str, number| opened.is_new_visit(peer.parse().unwrap(), number);
        assert!(visit("2001:db8::1", 1) && !visit("2001:db8::2", 1) && visit("2001:db8::2", 2));
        let lines =
            (0..10 * VISITS).filter(|n| visit(&format!("2001:db8:{:x}:{:x}::1", n >> 8, 1 + n % 256), 3)).count();
        assert_eq!(lines, VISITS as usize - 2);
        assert!(opened.by_people.is_new("anna".into(), 1));
    }
}
