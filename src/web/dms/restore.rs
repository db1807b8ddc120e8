//! Play back: a mail returns to the mailbox that it came from. That may take long, so it is done by a thread of its own; a page shows
//! how far it is.
//!
//! Whoever may read the mailbox and change documents may have its mails back; the runs of others are not there, and neither are
//! those of somebody who had the same name before. A run that was begun a moment ago is not begun once more: a server takes each
//! mail as often as it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Section, Width};
use super::super::response::{Response, is_own_path};
use super::access::{self, Shown};
use super::show;
use crate::archive::Archive;
use crate::archive::commit::{Number, Occurrence};
use crate::archive::keys::random;
use crate::archive::view::View;
use crate::clock;
use crate::fetch::Fetcher;
use crate::fetch::restore::{self, Item, RestoreError};
use crate::limits::{RESTORE_SAME, RESTORED, RESTORES, RESTORES_AT_ONCE, ROLE_STACK, TABLE_CHARS};
use crate::pulse::Pulse;
use crate::search::places::Places;
use crate::settings;
use crate::source::{Arrival, Mailbox, RemoteId};

/// Seconds between two looks.
const LOOK: u32 = 1;

/// What became of a mail.
#[derive(Clone, Debug)]
pub enum State {
    Waits,
    /// In this folder.
    Done(String),
    Failed(Arc<RestoreError>),
    /// It came from no mailbox: an upload, or a file.
    NoMailbox,
}

/// Whose a run is: a name may be given to somebody else later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub name: String,
    /// When the user was made, Unix seconds.
    pub created: i64,
}

/// A run, under way or ended.
#[derive(Clone, Debug)]
pub struct Restore {
    pub id: u64,
    pub owner: Owner,
    /// Unix seconds.
    pub began: i64,
    pub is_running: bool,
    pub mails: Vec<Mail>,
    ended: Option<Instant>,
}

impl Restore {
    /// Whether these mails are on their way by it, or came back by it a moment ago.
    fn is_same(&self, owner: &Owner, wanted: &[Wanted]) -> bool {
        let is_recent = || self.ended.is_some_and(|ended| ended.elapsed() < RESTORE_SAME);
        // What brought nothing back may be tried again at once.
        let is_back = || self.mails.iter().any(|mail| mail.state.is_back());
        self.owner == *owner
            && (self.is_running || is_recent() && is_back())
            && self.mails.len() == wanted.len()
            && self
                .mails
                .iter()
                .zip(wanted)
                .all(|(mail, wanted)| (mail.number, &mail.into) == (wanted.number, &wanted.place()))
    }
}

#[derive(Clone, Debug)]
pub struct Mail {
    pub number: Number,
    pub title: String,
    /// What people call the mailbox; empty where there is none.
    pub mailbox: String,
    /// Definition and mailbox, where there is one.
    into: Option<(String, String)>,
    pub state: State,
}

impl State {
    /// Whether the mail lies in the mailbox.
    pub fn is_back(&self) -> bool {
        match self {
            Self::Done(_) => true,
            Self::Failed(error) => error.is_back(),
            Self::Waits | Self::NoMailbox => false,
        }
    }
}

/// The last runs, in memory only.
pub struct Restores {
    all: Mutex<BTreeMap<u64, Restore>>,
    /// Of all runs: they hold the archive, which is closed by the last to hold it.
    pulse: Pulse,
}

impl Default for Restores {
    fn default() -> Self {
        Self { all: Mutex::default(), pulse: Pulse::new() }
    }
}

/// Ends a run. Whatever ended it: what waits then waits in vain, and is not passed off as done.
struct Running {
    restores: Arc<Restores>,
    id: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(restore) = self.restores.all().get_mut(&self.id) {
            let waiting = restore.mails.iter_mut().filter(|mail| matches!(mail.state, State::Waits));
            waiting.for_each(|mail| mail.state = State::Failed(Arc::new(RestoreError::NotTried)));
            restore.is_running = false;
            restore.ended = Some(Instant::now());
        }
    }
}

/// A mail that is wanted back, and where it goes, if there is such a place.
pub struct Wanted {
    pub number: Number,
    pub title: String,
    pub item: Option<Item>,
}

impl Wanted {
    fn place(&self) -> Option<(String, String)> {
        self.item.as_ref().map(|item| (item.definition.clone(), item.mailbox.id.clone()))
    }
}

impl Restores {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Restore>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends those that go on, since the process does.
    pub fn end(&self) {
        self.pulse.cancel();
    }

    /// A run of this person.
    pub fn of(&self, owner: &Owner, id: u64) -> Option<Restore> {
        self.all().get(&id).filter(|restore| restore.owner == *owner).cloned()
    }

    /// Begins a run, or finds the same one that was begun already; `None` where too many others go on.
    pub fn begin(
        self: &Arc<Self>,
        archive: &Arc<Archive>,
        fetcher: &Arc<Fetcher>,
        owner: Owner,
        wanted: Vec<Wanted>,
    ) -> std::io::Result<Option<u64>> {
        let mut all = self.all();
        if let Some(same) = all.values().find(|restore| restore.is_same(&owner, &wanted)) {
            return Ok(Some(same.id));
        }
        if all.values().filter(|restore| restore.is_running).count() >= RESTORES_AT_ONCE {
            return Ok(None);
        }
        while all.len() >= RESTORES {
            let ended = all.values().filter(|restore| !restore.is_running);
            let Some(oldest) = ended.min_by_key(|restore| restore.began).map(|restore| restore.id) else { break };
            all.remove(&oldest);
        }
        // By chance: the address of a run before the last start shows no other one.
        let mut id = [0; 8];
        random(&mut id)?;
        let id = u64::from_le_bytes(id);
        let (mut mails, mut items, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for wanted in wanted {
            let state = if wanted.item.is_some() { State::Waits } else { State::NoMailbox };
            let mailbox = wanted.item.as_ref().map(|item| item.mailbox.name.clone()).unwrap_or_default();
            let into = wanted.place();
            if let Some(item) = wanted.item {
                items.push(item);
                places.push(mails.len());
            }
            mails.push(Mail { number: wanted.number, title: wanted.title, mailbox, into, state });
        }
        let who = owner.name.clone();
        all.insert(id, Restore { id, owner, began: clock::now(), is_running: true, mails, ended: None });
        drop(all);
        let running = Running { restores: self.clone(), id };
        let (archive, fetcher) = (archive.clone(), fetcher.clone());
        let work = move || {
            let pulse = &running.restores.pulse;
            restore::run(&archive, &fetcher.tokens, &items, &who, pulse, &mut |at, result| {
                let state = result.map_or_else(State::Failed, State::Done);
                if let Some(restore) = running.restores.all().get_mut(&running.id) {
                    restore.mails[places[at]].state = state;
                }
            });
        };
        std::thread::Builder::new().name("restore".into()).stack_size(2 * ROLE_STACK).spawn(work)?;
        Ok(Some(id))
    }
}

/// Where mails may go back to: the places that the person may read, looked up once for all mails of a request.
pub struct Ways {
    view: View,
    places: Places,
}

impl Ways {
    pub fn of(context: &Context<'_>) -> Result<Self> {
        let view = context.view()?;
        let places = Places::of(&view, &context.reads(&view)?)?;
        Ok(Self { view, places })
    }

    /// The mailboxes in which the mail was seen, each with its latest place there.
    pub fn to(&self, shown: &Shown) -> Result<Vec<Item>> {
        if !shown.document.metadata.is_mail() {
            return Ok(Vec::new());
        }
        let mut ways: Vec<(Item, i64)> = Vec::new();
        for seen in self.view.occurrences(shown.number)? {
            let Some(row) = self.places.get(seen.folder) else { continue };
            let folder = &row.folder;
            // An upload came from no server.
            if folder.definition.is_empty() {
                continue;
            }
            let known = ways
                .iter_mut()
                .find(|(other, _)| other.definition == folder.definition && other.mailbox.id == folder.mailbox);
            if known.as_ref().is_some_and(|known| known.1 >= seen.seen) {
                continue;
            }
            let when = seen.seen;
            let item = Item {
                number: shown.number,
                definition: folder.definition.clone(),
                mailbox: Mailbox { id: folder.mailbox.clone(), name: folder.mailbox_name.clone() },
                folder: folder.name.clone(),
                arrival: arrival(seen),
            };
            match known {
                Some(known) => *known = (item, when),
                None => ways.push((item, when)),
            }
        }
        Ok(ways.into_iter().map(|(item, _)| item).collect())
    }

    /// A document of the person's as it is wanted back: into this mailbox, else the one that it came from first.
    pub fn wanted(&self, shown: &Shown, into: Option<(&str, &str)>) -> Result<Wanted> {
        let mut ways = self.to(shown)?.into_iter();
        let item = match into {
            None => ways.next(),
            Some((definition, mailbox)) => {
                let found = ways.find(|item| item.definition == definition && item.mailbox.id == mailbox);
                Some(found.ok_or(WebError::NotFound)?)
            }
        };
        let title = show::cut(&shown.document.metadata.title, TABLE_CHARS);
        Ok(Wanted { number: shown.number, title, item })
    }
}

fn arrival(seen: Occurrence) -> Arrival {
    Arrival { id: RemoteId(seen.remote), received: seen.received, flags: seen.flags, reconstructed: false }
}

/// Whose the runs are that this request may see and begin.
pub fn owner(context: &Context<'_>) -> Result<Owner> {
    let user = &context.person()?.user;
    Ok(Owner { name: user.name.clone(), created: user.created })
}

/// Begins a run and leads to its page; where too many others go on, back to `table`.
pub fn begin(context: &Context<'_>, wanted: Vec<Wanted>, table: &str) -> Result<Response> {
    let web = context.web;
    let Some(id) = web.restores.begin(&web.archive, &web.fetcher, owner(context)?, wanted)? else {
        context.notice(context.t.manage.restore_busy);
        return Ok(Response::redirect(table));
    };
    Ok(Response::redirect(&format!("/restores/{id}")))
}

/// The mail of a person who may have it back.
fn restorable(context: &Context<'_>) -> Result<(Shown, Ways)> {
    let shown = access::readable(context)?;
    if !access::may_change(context) {
        return Err(WebError::Forbidden);
    }
    Ok((shown, Ways::of(context)?))
}

/// `/documents/{number}/restore`: into which mailbox, and which folder.
pub fn ask(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.manage;
    let (shown, ways) = restorable(context)?;
    let ways = ways.to(&shown)?;
    let path = format!("/documents/{}", shown.number);
    let folder = |item: &Item| match settings::definition(&context.web.archive, &item.definition) {
        Ok(definition) => definition.play_back_to(&item.folder).to_owned(),
        Err(_) => item.folder.clone(),
    };
    let body = html! {
        p { a href=(path) { "← " (super::document::title(context, &shown)) } }
        h1 { (t.restore) }
        @if ways.is_empty() { p.note.warn { (t.restore_none) } } @else {
            form.card method="post" action={ (path) "/restore" } {
                (layout::token(context))
                p { (t.restore_intro) }
                @for (place, item) in ways.iter().enumerate() {
                    div.field {
                        label.check {
                            input type="radio" name="into" value=(into(item)) checked[place == 0];
                            span { (item.mailbox.name) " " span.soft { "(" (item.definition) ") – " (t.folder) ": " (folder(item)) } }
                        }
                    }
                }
                p.row {
                    button.first { (t.restore) }
                    a.button href=(path) { (context.t.page.cancel) }
                }
            }
        }
    };
    Ok(layout::page(context, Section::Archive, Width::Usual, t.restore, &body))
}

/// A mailbox as the form sends it: a definition's name has no line end.
fn into(item: &Item) -> String {
    format!("{}\n{}", item.definition, item.mailbox.id)
}

/// `POST /documents/{number}/restore`
pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let (shown, ways) = restorable(context)?;
    // Browsers send a line end as two characters.
    let given = form.get("into").unwrap_or_default().replace("\r\n", "\n");
    let wanted = ways.wanted(&shown, given.split_once('\n'))?;
    begin(context, vec![wanted], &format!("/documents/{}", shown.number))
}

/// Of several chosen documents.
pub fn of_chosen(context: &Context<'_>, numbers: &[Number], table: &str) -> Result<Response> {
    if !access::may_change(context) {
        return Err(WebError::Forbidden);
    }
    let table = if is_own_path(table) { table } else { "/" };
    begin(context, all(context, numbers)?, table)
}

/// Each of these that the person may read.
fn all(context: &Context<'_>, numbers: &[Number]) -> Result<Vec<Wanted>> {
    let (ways, mut all) = (Ways::of(context)?, Vec::new());
    for number in numbers.iter().take(RESTORED) {
        if let Some(shown) = access::with_right(context, *number)? {
            all.push(ways.wanted(&shown, None)?);
        }
    }
    Ok(all)
}

/// `/restores/{id}`: how far it is.
pub fn progress(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.manage;
    let restore = found(context)?;
    let count = |fits: fn(&State) -> bool| restore.mails.iter().filter(|mail| fits(&mail.state)).count() as u64;
    let done = count(State::is_back);
    let failed = count(|state| !state.is_back() && !matches!(state, State::Waits));
    let has_trouble = restore.mails.iter().any(|mail| matches!(mail.state, State::Failed(_)));
    let all = restore.mails.len() as u64;
    let body = html! {
        p { a href="/" { "← " (context.t.dms.documents) } }
        h1 { (t.restore) }
        @if restore.is_running {
            div.note role="status" { p { ((t.restoring)(done + failed, all)) } }
            progress max=(all) value=(done + failed) aria-label=(t.restore) {}
        }
        @else if failed > 0 { div.note.bad role="status" { p { ((t.restored_some)(done, failed)) } } }
        @else { div class=(if has_trouble { "note bad" } else { "note good" }) role="status" { p { ((t.restored)(done)) } } }
        section.card {
            p.soft { (show::ago(context.lang, restore.began)) }
            ul.plain.restores { @for mail in &restore.mails { (one(context, mail)) } }
        }
        @if !restore.is_running && done > 0 { p.soft { (t.restored_help) } }
    };
    let response = layout::page(context, Section::Archive, Width::Usual, t.restore, &body);
    Ok(if restore.is_running { response.header("Refresh", LOOK.to_string()) } else { response })
}

/// The run that the path names, if it is the person's own.
pub fn found(context: &Context<'_>) -> Result<Restore> {
    let id = context.parameters.first().and_then(|id| id.parse().ok()).ok_or(WebError::NotFound)?;
    context.web.restores.of(&owner(context)?, id).ok_or(WebError::NotFound)
}

fn one(context: &Context<'_>, mail: &Mail) -> Markup {
    let t = &context.t.manage;
    let (mark, class) = match mail.state {
        State::Waits => ("…", "state"),
        State::Done(_) => ("✓", "state passed"),
        State::Failed(_) | State::NoMailbox => ("✗", "state failed"),
    };
    let title = if mail.title.is_empty() { context.t.dms.no_title } else { &mail.title };
    html! {
        li class=(class) {
            p {
                span.mark aria-hidden="true" { (mark) } " "
                a href=(format!("/documents/{}", mail.number)) { (mail.number) ": " (title) }
            }
            p.soft { (said(context, mail)) @if matches!(mail.state, State::Waits) { (t.restore_waits) } }
        }
    }
}

/// What became of a mail, in a sentence.
pub fn said(context: &Context<'_>, mail: &Mail) -> String {
    let t = &context.t.manage;
    match &mail.state {
        State::Waits => String::new(),
        State::Done(folder) => (t.restored_to)(&mail.mailbox, folder),
        State::Failed(error) => error.sentence(context.lang),
        State::NoMailbox => t.restore_none.into(),
    }
}
