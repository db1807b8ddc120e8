//! Several documents as one ZIP file: those that were chosen, or all that a search finds.
//!
//! A file is sent by a thread of its own (`web-long`), while it is made. What is found is asked for page by page, so that no list is
//! held; each document of it stands in the journal before its bytes are sent. It takes its time, and whose it is may be taken
//! away meanwhile: what may be read is asked anew again and again.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use maud::html;

use super::super::Context;
use super::super::error::Result;
use super::super::layout::{self, Section, Width};
use super::super::response::{Body, Response};
use super::state::State;
use super::{show, table};
use crate::archive::Archive;
use crate::archive::commit::{Happening, Number};
use crate::archive::view::{Reads, View};
use crate::clock;
use crate::export::{self, Asked, Limits};
use crate::limits::{EXPORT_BATCH, EXPORT_BYTES, EXPORT_DOCUMENTS, EXPORT_RIGHTS};
use crate::search::index::{self, Index};
use crate::search::{Ask, Cursor, Order, Query, find};
use crate::settings::administration::Administration;
use crate::settings::{tokens, users};

/// Documents whose number and size the page tells.
const COUNTED: usize = 2000;

/// Which documents somebody wants.
enum Wanted {
    These(Vec<Number>),
    Found(Box<Search>),
}

/// A search that goes on as long as more is asked for.
struct Search {
    index: Arc<Index>,
    query: Query,
    reads: Reads,
    at: Option<Cursor>,
    is_over: bool,
}

impl Search {
    fn of(context: &Context<'_>, state: &State) -> Result<Self> {
        let view = context.view()?;
        let query = Query::parse(&state.query, &show::zone(), &context.searchable());
        let query = query.newest(context.ties()).only(table::only(context, state).kind());
        let index = context.web.index.clone();
        Ok(Self { index, query, reads: context.reads(&view)?, at: None, is_over: false })
    }

    /// The next of what it finds, newest first; none at its end, or after so many looks at the catalog, each of which is bounded.
    fn more(&mut self, view: &View, looks: usize) -> index::Result<Vec<(Number, u64)>> {
        for _ in 0..looks {
            if self.is_over {
                break;
            }
            let order = Order::default();
            let ask = Ask { query: &self.query, order, at: self.at, back: false, most: EXPORT_BATCH };
            let found = find(&self.index, view, &self.reads, ask, |number, document| (number, document.size))?;
            self.at = found.further.or(found.after);
            self.is_over = self.at.is_none();
            if !found.rows.is_empty() {
                return Ok(found.rows);
            }
        }
        Ok(Vec::new())
    }
}

/// `/export?q=…`: how much that would be.
pub fn ask(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.manage;
    let state = State::of(&context.request.query);
    let mut search = Search::of(context, &state)?;
    let (mut count, mut bytes) = (0, 0);
    let view = context.view()?;
    while count < COUNTED as u64 {
        let some = search.more(&view, 1)?;
        if some.is_empty() {
            break;
        }
        count += some.len() as u64;
        bytes += some.iter().map(|(_, size)| size).sum::<u64>();
    }
    let is_more = !search.is_over;
    drop(view);
    let lang = context.lang;
    let body = html! {
        p { a href=(state.table()) { "← " (context.t.dms.documents) } }
        h1 { (t.export_all) }
        @if count == 0 && !is_more { p { (context.t.dms.nothing_found) } } @else {
            form.card method="post" action="/export" {
                (layout::token(context))
                input type="hidden" name="q" value=(state.query);
                input type="hidden" name="only" value=(table::only(context, &state).name());
                @if !state.query.is_empty() { p { (context.t.dms.search) ": " strong { (state.query) } } }
                @if count > 0 { p { ((t.export_count)(is_more, &show::number(lang, count), &show::size(lang, bytes))) } }
                @else { p { (t.export_unknown) } }
                p { (t.export_help) }
                p.soft { ((t.export_limit)(&show::number(lang, EXPORT_DOCUMENTS), &show::size(lang, EXPORT_BYTES))) }
                p.row {
                    button.first { (t.export_zip) }
                    a.button href=(state.table()) { (context.t.page.cancel) }
                }
            }
        }
    };
    Ok(layout::page(context, Section::Archive, Width::Usual, t.export_all, &body))
}

/// `POST /export`
pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    found(context, &State::of(&form))
}

/// All that a search finds.
pub fn found(context: &Context<'_>, state: &State) -> Result<Response> {
    zip(context, Wanted::Found(Box::new(Search::of(context, state)?)))
}

/// Documents that the person may read, each of which was looked at.
pub fn chosen(context: &Context<'_>, numbers: Vec<Number>) -> Result<Response> {
    zip(context, Wanted::These(numbers))
}

/// For whom an export is made, as long as it is.
struct Receiver {
    archive: Arc<Archive>,
    name: String,
    created: i64,
    /// In place of a session.
    token: Option<String>,
    /// What it may read, and since when that is known.
    known: RefCell<Option<(Instant, Reads)>>,
}

impl Receiver {
    fn of(context: &Context<'_>) -> Result<Self> {
        let person = context.person()?;
        Ok(Self {
            archive: context.web.archive.clone(),
            name: person.user.name.clone(),
            created: person.user.created,
            token: person.token.as_ref().map(|token| token.id.clone()),
            known: RefCell::default(),
        })
    }

    /// What it may read now; an error where it may do nothing any more.
    fn look(&self) -> io::Result<Reads> {
        let gone = || io::Error::other("whoever asked for this export may read no longer");
        let user = users::user(&self.archive, &self.name).map_err(io::Error::other)?;
        let user = user.filter(|user| !user.inactive && user.created == self.created).ok_or_else(gone)?;
        if let Some(id) = &self.token {
            let token = tokens::token(&self.archive, id).map_err(io::Error::other)?;
            let token = token.filter(|token| !token.has_ended(clock::now())).ok_or_else(gone)?;
            if !token.is_backed(&self.archive).map_err(io::Error::other)? {
                return Err(gone());
            }
        }
        let view = self.archive.view().map_err(io::Error::other)?;
        let reads = user.reads(&self.archive, &view).map_err(io::Error::other)?;
        *self.known.borrow_mut() = Some((Instant::now(), reads.clone()));
        Ok(reads)
    }

    fn may_read(&self, number: Number) -> io::Result<bool> {
        let known = self.known.borrow().clone().filter(|(since, _)| since.elapsed() < EXPORT_RIGHTS);
        let reads = match known {
            Some((_, reads)) => reads,
            None => self.look()?,
        };
        self.archive.view().and_then(|view| view.may_read(&reads, number)).map_err(io::Error::other)
    }
}

fn zip(context: &Context<'_>, mut wanted: Wanted) -> Result<Response> {
    let receiver = Receiver::of(context)?;
    let archive = receiver.archive.clone();
    let (who, zone, words) = (context.who(), show::zone(), &context.t.manage.index);
    let send = move |out: &mut dyn Write| {
        let limits = Limits { documents: EXPORT_DOCUMENTS, bytes: EXPORT_BYTES };
        let mut left = EXPORT_DOCUMENTS;
        let mut more = || -> io::Result<Vec<Number>> {
            let reads = receiver.look()?;
            let some: Vec<Number> = match &mut wanted {
                Wanted::These(numbers) => {
                    let mut still = Vec::new();
                    for number in std::mem::take(numbers) {
                        still.extend(receiver.may_read(number)?.then_some(number));
                    }
                    still
                }
                Wanted::Found(search) => {
                    search.reads = reads;
                    let view = archive.view().map_err(io::Error::other)?;
                    let found = search.more(&view, usize::MAX).map_err(io::Error::other)?;
                    found.into_iter().map(|(number, _)| number).collect()
                }
            };
            let given: Vec<Number> = some.iter().copied().take(usize::try_from(left).unwrap_or(usize::MAX)).collect();
            left -= given.len() as u64;
            if !given.is_empty() {
                archive.journal_soon(&who, Happening::ExportedSome(given)).map_err(io::Error::other)?;
            }
            Ok(some)
        };
        let asked = Asked { zone: zone.clone(), words, limits, may: &|number| receiver.may_read(number) };
        export::write(&archive, &asked, &mut more, out).map(drop)
    };
    let name = format!("{}.zip", name(&context.administration));
    let body = Body::Stream { len: None, reads: 0, send: Box::new(send) };
    Ok(Response::new(200, "application/zip", body).attachment(&name))
}

/// `Muster AG 2026-11-21`
fn name(administration: &Administration) -> String {
    let name = crate::mail::file_name::safe(&administration.archive_name);
    let day = jiff::Timestamp::from_second(clock::now()).unwrap_or_default().to_zoned(show::zone()).date();
    if name.is_empty() { format!("archivista {day}") } else { format!("{name} {day}") }
}
