//! Delta queries. Graph docs: 'message: delta' and 'Get incremental changes to messages in a folder'.
//!
//! A round is fixed when it begins and read page by page through nextLinks; its deltaLink tells the next round where this
//! one began. The order within a round is nobody's business and comes from the seed. Links are opaque: what they mean is
//! written in their token, so the same link gives the same page again.
//!
//! With immutable ids a message that went away from a folder and came back is told as removed and never again as there
//! (microsoft-graph-docs-contrib issue 72, open); only a listing shows it.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::chance::{hash, shuffle};
use crate::failure::{self, Failure};
use crate::faults::Kind;
use crate::graph::{At, View, context};
use crate::mailbox::{Folder, Happening, Mailbox};
use crate::properties;
use crate::question::{Question, encode};
use crate::select;
use crate::tenant::Tenant;

/// How many rounds of a folder are remembered; nextLinks of older ones end with 410.
const ROUNDS: usize = 8;

/// What one round tells, from its first page to its last.
#[derive(Debug)]
pub struct Round {
    number: u64,
    /// The next round begins here.
    until: u64,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    message: usize,
    moves: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    There,
    /// Told with its id and what changed alone.
    Changed,
    Removed(&'static str),
}

/// What a link says.
#[derive(Clone, Debug, PartialEq)]
struct State {
    folder: usize,
    epoch: u64,
    /// In a nextLink the round's number, in a deltaLink the clock.
    number: u64,
    /// `Some` in a nextLink: how far it was read, and whether an empty page was given already.
    next: Option<(usize, bool)>,
    select: String,
}

impl State {
    fn write(&self) -> String {
        let (kind, offset, emptied) = self.next.map_or(('d', 0, false), |(offset, emptied)| ('s', offset, emptied));
        let Self { folder, epoch, number, select, .. } = self;
        let plain = format!("{kind};{folder};{epoch};{number};{offset};{};{select}", u8::from(emptied));
        BASE64.encode(format!("{:016x};{plain}", hash(&[plain.as_bytes()])))
    }

    fn read(text: &str) -> Option<Self> {
        let plain = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
        let (sum, plain) = plain.split_once(';')?;
        if sum != format!("{:016x}", hash(&[plain.as_bytes()])) {
            return None;
        }
        let mut parts = plain.splitn(7, ';');
        let kind = parts.next()?;
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (folder, epoch, at, offset, emptied) = (number()?, number()?, number()?, number()?, number()?);
        Some(Self {
            folder: usize::try_from(folder).ok()?,
            epoch,
            number: at,
            next: if kind == "s" { Some((usize::try_from(offset).ok()?, emptied == 1)) } else { None },
            select: parts.next()?.to_owned(),
        })
    }
}

/// `GET …/mailFolders/{f}/messages/delta`
pub fn answer(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, folder: usize) -> Result<Answer, Failure> {
    let select = question.option("$select").unwrap_or_default().to_owned();
    select::check(&select)?;
    let token = question.option("$skiptoken").or_else(|| question.option("$deltatoken")).unwrap_or_default();
    // Faults and losses start the client again at an empty token.
    let start = format!(
        "{}/v1.0/users('{}')/mailFolders('{}')/messages/delta",
        question.base(),
        encode(at.user),
        encode(at.folder)
    );
    let lost = || failure::sync_state_lost(format!("{start}?$deltatoken="));
    let mailbox = &mut tenant.mailboxes[at.mailbox];
    let shown = mailbox.shown(folder);
    let epoch = mailbox.folders[folder].epoch;
    let mut state = if token.is_empty() {
        let number = begin(mailbox, folder, None, question, tenant.config.seed, &|_| false);
        State { folder, epoch, number, next: Some((0, false)), select }
    } else {
        let state = State::read(token).filter(|state| state.folder == folder).ok_or_else(|| {
            Failure::new(410, "SyncStateInvalid", "The sync state is invalid.")
                .with("Location", format!("{start}?$deltatoken="))
        })?;
        if state.epoch != epoch {
            return Err(lost());
        }
        let thing = format!("{} {}", at.mailbox, folder);
        if tenant.faults.fall(Kind::Gone, &thing) {
            at.fault = Some(Kind::Gone);
            return Err(lost());
        }
        if state.next.is_some() {
            state
        } else {
            let replay =
                |message: usize| tenant.faults.on(Kind::Replays, &format!("{} {message} {}", at.mailbox, state.number));
            let number = begin(mailbox, folder, Some(state.number), question, tenant.config.seed, &replay);
            State { number, next: Some((0, false)), ..state }
        }
    };
    let mailbox = &tenant.mailboxes[at.mailbox];
    let round = mailbox.folders[folder].rounds.iter().find(|round| round.number == state.number).ok_or_else(lost)?;
    let (offset, emptied) = state.next.unwrap_or_default();
    let size = usize::try_from(question.page_size().unwrap_or(10).clamp(1, 1000)).unwrap_or(10);
    at.page_size = Some(size as u64);
    let thing = format!("{} {folder} {} {offset}", at.mailbox, state.number);
    let empty = !emptied && tenant.faults.on(Kind::EmptyPages, &thing);
    let end = if empty { offset } else { (offset + size).min(round.entries.len()) };
    let mut page = round.entries.get(offset..end).unwrap_or_default().to_vec();
    if !empty && offset > 0 && tenant.faults.on(Kind::Replays, &thing) {
        at.fault = Some(Kind::Replays);
        page.extend(round.entries[offset.saturating_sub(2)..offset].iter());
    }
    if empty {
        at.fault = Some(Kind::EmptyPages);
    }
    at.check_page(
        tenant,
        page.iter().filter(|entry| !matches!(entry.what, What::Removed(_))).map(|entry| entry.message),
    )?;
    let view = View { mailbox, question };
    let mut value = Vec::new();
    for entry in page {
        value.push(tell(&view, entry, shown, &state.select));
    }
    let mut body = json!({ "@odata.context": context("Collection(message)"), "value": value });
    let (name, option) = if empty || end < round.entries.len() {
        state.next = Some((end, empty));
        ("@odata.nextLink", "$skiptoken")
    } else {
        state.number = round.until;
        state.next = None;
        ("@odata.deltaLink", "$deltatoken")
    };
    body[name] = json!(format!("{start}?{option}={}", state.write()));
    let mut applied = format!("odata.maxpagesize={size}");
    if question.immutable() {
        applied += ", IdType=\"ImmutableId\"";
    }
    Ok(Answer::odata(200, &body).with("Preference-Applied", applied))
}

fn tell(view: &View<'_>, entry: Entry, folder: usize, select: &str) -> Value {
    let message = &view.mailbox.messages[entry.message];
    let id = view.message_id(entry.message, entry.moves);
    // It may have gone since the round began.
    let what = if message.folder == Some(folder) { entry.what } else { removed(entry.what) };
    match what {
        What::Removed(reason) => {
            json!({ "@odata.type": "#microsoft.graph.message", "id": id, "@removed": { "reason": reason } })
        }
        What::Changed => {
            let mut told =
                json!({ "@odata.type": "#microsoft.graph.message", "@odata.etag": view.etag(entry.message), "id": id });
            // 'Updated instances are represented by their id with at least the properties that have been updated.'
            if select.is_empty() || select.split(',').any(|name| name.trim().eq_ignore_ascii_case("isRead")) {
                told["isRead"] = json!(message.is_read);
            }
            told
        }
        What::There => {
            let select = if select.is_empty() { None } else { Some(select) };
            let mut told = properties::message(view, entry.message, select);
            told["@odata.type"] = json!("#microsoft.graph.message");
            told
        }
    }
}

fn removed(what: What) -> What {
    if let What::Removed(_) = what { what } else { What::Removed("deleted") }
}

/// Begins a round and returns its number.
fn begin(
    mailbox: &mut Mailbox,
    folder: usize,
    since: Option<u64>,
    question: &Question,
    seed: u64,
    replay: &dyn Fn(usize) -> bool,
) -> u64 {
    mailbox.rounds += 1;
    let (number, until, shown) = (mailbox.rounds, mailbox.clock, mailbox.shown(folder));
    let there = |message: usize| Entry { message, moves: mailbox.messages[message].moves, what: What::There };
    let members = mailbox.folders[shown].members.iter().map(|(_, message)| *message);
    let mut entries: Vec<Entry> = match since {
        None => members.filter(|message| filtered(mailbox, *message, question)).map(there).collect(),
        Some(since) => {
            let mut entries = changes(&mailbox.folders[shown], since, question.immutable());
            let again: Vec<Entry> = members.filter(|message| replay(*message)).map(there).collect();
            entries.extend(again.into_iter().filter(|entry| !mailbox.messages[entry.message].fresh));
            entries
        }
    };
    let kinds = question.option("changeType").map(|kinds| kinds.split(',').map(str::trim).collect::<Vec<_>>());
    if let Some(kinds) = kinds {
        entries.retain(|entry| {
            kinds.contains(&match entry.what {
                What::There => "created",
                What::Changed => "updated",
                What::Removed(_) => "deleted",
            })
        });
    }
    shuffle(&mut entries, hash(&[&seed.to_le_bytes(), &number.to_le_bytes()]));
    let rounds = &mut mailbox.folders[folder].rounds;
    rounds.push_back(Round { number, until, entries });
    if rounds.len() > ROUNDS {
        rounds.pop_front();
    }
    number
}

/// What a folder saw after a point in time: of each message the last thing.
fn changes(folder: &Folder, since: u64, immutable: bool) -> Vec<Entry> {
    let mut last: HashMap<(usize, u64), Entry> = HashMap::new();
    let mut order = Vec::new();
    let from = folder.events.partition_point(|event| event.at <= since);
    for event in &folder.events[from..] {
        let key = (event.message, if immutable { 0 } else { event.moves });
        let what = match event.happening {
            Happening::Returned if immutable => continue,
            Happening::Entered | Happening::Returned => What::There,
            Happening::Left => What::Removed("deleted"),
            Happening::Recoverable => What::Removed("changed"),
            // What came in this round is told whole even if it changed since.
            Happening::Changed if last.get(&key).is_some_and(|entry| entry.what == What::There) => continue,
            Happening::Changed => What::Changed,
        };
        if last.insert(key, Entry { message: event.message, moves: event.moves, what }).is_none() {
            order.push(key);
        }
    }
    order.into_iter().filter_map(|key| last.remove(&key)).collect()
}

/// `$filter` of a first request: only receivedDateTime with ge or gt.
fn filtered(mailbox: &Mailbox, message: usize, question: &Question) -> bool {
    let Some(filter) = question.option("$filter") else { return true };
    let mut words = filter.split_whitespace().skip(1);
    let (operator, at) = (words.next(), words.next().and_then(crate::date::parse).unwrap_or(0));
    let received = mailbox.messages[message].received;
    if operator == Some("gt") { received > at } else { received >= at }
}
