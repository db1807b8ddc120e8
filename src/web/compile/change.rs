//! What can be done to compilations: one change at a time, each with what the one before left.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::request::number;
use super::entries::{self, Entry};
use super::{may_make, own};
use crate::archive::commit::Number;
use crate::clock;
use crate::limits::{COMPILATION_DOCUMENTS, COMPILATION_TEXT, COMPILATION_TITLE, COMPILATIONS, COMPILATIONS_EACH};
use crate::settings::compilations::{self, Compilation};
use crate::settings::same_name;
use crate::settings::users::{self, Role};

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is wrong with what was entered.
#[derive(Debug, Default)]
pub struct Faults {
    pub title: &'static str,
    pub name: &'static str,
    pub documents: String,
    pub owner: &'static str,
}

impl Faults {
    pub fn is_none(&self) -> bool {
        self.title.is_empty() && self.name.is_empty() && self.documents.is_empty() && self.owner.is_empty()
    }

    fn documents(fault: impl Into<String>) -> Self {
        Self { documents: fault.into(), ..Self::default() }
    }
}

/// What somebody wants to change; what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Empty: made from the title.
    pub name: Option<String>,
    pub title: Option<String>,
    pub introduction: Option<String>,
    /// All that the person knows of, in their new order.
    pub documents: Option<Vec<Number>>,
    pub is_published: Option<bool>,
    /// Name of the user whose it is from now on; only administrators give it away.
    pub owner: Option<String>,
}

/// What is done to single documents of a compilation.
#[derive(Clone, Debug)]
pub enum Step {
    Add(Vec<Number>),
    Remove(Number),
    Up(Number),
    Down(Number),
}

/// Makes a compilation.
pub fn make(context: &Context<'_>, wanted: &Wanted) -> Result<std::result::Result<Compilation, Faults>> {
    if !may_make(context) {
        return Err(WebError::Forbidden);
    }
    let _turn = turn();
    let user = &context.person()?.user;
    let all = compilations::compilations(&context.web.archive)?;
    if all.len() >= COMPILATIONS || all.iter().filter(|one| one.is_of(user)).count() >= COMPILATIONS_EACH {
        return Ok(Err(Faults { name: context.t.public.too_many, ..Faults::default() }));
    }
    let new = Compilation {
        owner: user.name.clone(),
        owner_created: user.created,
        created: clock::now(),
        ..Compilation::default()
    };
    let given = |text: &Option<String>| Some(text.clone().unwrap_or_default());
    let wanted = Wanted { name: given(&wanted.name), title: given(&wanted.title), ..wanted.clone() };
    store(context, None, &new, &wanted)
}

/// Changes the one of this name.
pub fn alter(context: &Context<'_>, name: &str, wanted: &Wanted) -> Result<std::result::Result<Compilation, Faults>> {
    let _turn = turn();
    store(context, Some(name), &own(context, name)?, wanted)
}

fn store(
    context: &Context<'_>,
    was: Option<&str>,
    old: &Compilation,
    wanted: &Wanted,
) -> Result<std::result::Result<Compilation, Faults>> {
    let t = &context.t.public;
    let archive = &context.web.archive;
    let mut faults = Faults::default();
    let mut new = old.clone();
    if let Some(title) = &wanted.title {
        new.title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_plain = !new.title.chars().any(char::is_control);
        if !is_plain || !(1..=COMPILATION_TITLE).contains(&new.title.chars().count()) {
            faults.title = t.title_wrong;
        }
    }
    if let Some(name) = &wanted.name {
        name.trim().clone_into(&mut new.name);
        if new.name.is_empty() {
            new.name = free(context, &Compilation::name_of(&new.title), was)?;
        }
        if !Compilation::is_name(&new.name) {
            // Of a title without a letter that an address has nothing can be made.
            let is_made_of_it = name.trim().is_empty() && !faults.title.is_empty();
            faults.name = if is_made_of_it { "" } else { t.address_wrong };
        } else if was != Some(new.name.as_str()) && compilations::compilation(archive, &new.name)?.is_some() {
            faults.name = t.address_taken;
        }
    }
    if let Some(introduction) = &wanted.introduction {
        let text = introduction.replace("\r\n", "\n").replace('\r', "\n");
        let plain = text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
        new.introduction = plain.take(COMPILATION_TEXT).collect();
    }
    if let Some(documents) = &wanted.documents {
        match arranged(context, old, documents)? {
            Ok(documents) => new.documents = documents,
            Err(fault) => faults.documents = fault,
        }
    }
    if let Some(owner) = wanted.owner.as_ref().filter(|owner| !same_name(owner, &old.owner)) {
        let is_let = context.person()?.is_administrator();
        match users::user(archive, owner)?.filter(|user| is_let && user.role != Role::Auditor) {
            Some(user) => (new.owner, new.owner_created) = (user.name, user.created),
            None => faults.owner = t.owner_wrong,
        }
    }
    new.is_published = wanted.is_published.unwrap_or(new.is_published);
    if !faults.is_none() {
        return Ok(Err(faults));
    }
    if was.is_none() || new != *old {
        compilations::put_compilation(archive, was, &new, &context.who())?;
    }
    Ok(Ok(new))
}

/// The address, with a number behind it where it is taken.
fn free(context: &Context<'_>, name: &str, was: Option<&str>) -> Result<String> {
    let is_free = |name: &str| -> Result<bool> {
        Ok(was == Some(name) || compilations::compilation(&context.web.archive, name)?.is_none())
    };
    if is_free(name)? {
        return Ok(name.to_owned());
    }
    for number in 2..100 {
        let cut = &name[..name.len().min(compilations::NAME_CHARS - 3)];
        let other = format!("{}-{number}", cut.trim_end_matches('-'));
        if is_free(&other)? {
            return Ok(other);
        }
    }
    Ok(name.to_owned())
}

/// The documents in the order that is wanted. Those that the person does not know of stay behind those that they stand behind.
fn arranged(
    context: &Context<'_>,
    old: &Compilation,
    wanted: &[Number],
) -> Result<std::result::Result<Vec<Number>, String>> {
    let t = &context.t.public;
    let numbers = |entries: Vec<Entry>| entries.iter().map(|entry| entry.number).collect::<Vec<Number>>();
    let known = numbers(entries::known(context, old)?);
    let mut new: Vec<Number> = Vec::new();
    for number in wanted {
        if !new.contains(number) {
            new.push(*number);
        }
    }
    let there = numbers(entries::of(context, &new)?);
    let unknown: Vec<String> = new.iter().filter(|number| !there.contains(number)).map(ToString::to_string).collect();
    if !unknown.is_empty() {
        return Ok(Err(format!("{} {}", t.unknown, unknown.join(", "))));
    }
    for (place, hidden) in old.documents.iter().enumerate().filter(|(_, number)| !known.contains(number)) {
        if new.contains(hidden) {
            continue;
        }
        let behind = old.documents[..place].iter().rev().find_map(|before| new.iter().position(|one| one == before));
        new.insert(behind.map_or(0, |behind| behind + 1), *hidden);
    }
    if new.len() > COMPILATION_DOCUMENTS {
        return Ok(Err(t.full.into()));
    }
    Ok(Ok(new))
}

/// Does something to single documents of the one of this name.
pub fn step(context: &Context<'_>, name: &str, step: &Step) -> Result<std::result::Result<Compilation, Faults>> {
    let _turn = turn();
    let old = own(context, name)?;
    let mut documents: Vec<Number> = entries::known(context, &old)?.iter().map(|entry| entry.number).collect();
    let place = |documents: &[Number], number: Number| documents.iter().position(|one| *one == number);
    match step {
        Step::Add(numbers) if numbers.is_empty() => return Ok(Err(Faults::documents(context.t.public.none_given))),
        Step::Add(numbers) => documents.extend(numbers),
        Step::Remove(number) => documents.retain(|one| one != number),
        Step::Up(number) => {
            if let Some(place) = place(&documents, *number).filter(|place| *place > 0) {
                documents.swap(place, place - 1);
            }
        }
        Step::Down(number) => {
            if let Some(place) = place(&documents, *number).filter(|place| place + 1 < documents.len()) {
                documents.swap(place, place + 1);
            }
        }
    }
    store(context, Some(name), &old, &Wanted { documents: Some(documents), ..Wanted::default() })
}

/// Deletes the one of this name.
pub fn remove(context: &Context<'_>, name: &str) -> Result<()> {
    let _turn = turn();
    let old = own(context, name)?;
    Ok(compilations::remove_compilation(&context.web.archive, &old.name, &context.who())?)
}

/// File numbers as people enter them: numbers, and access links among them. `Err` names what is neither.
pub fn numbers(text: &str) -> std::result::Result<Vec<Number>, String> {
    let mut found = Vec::new();
    for word in text.split([',', ';', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        let digits = word.rsplit_once("go=").or_else(|| word.rsplit_once("/go/")).map_or(word, |(_, digits)| digits);
        found.push(number(digits).ok_or_else(|| word.chars().take(100).collect::<String>())?);
    }
    found.truncate(COMPILATION_DOCUMENTS + 1);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_links_are_read() {
        let text = "7, 8;https://x.ch/perl/avclient/index.pl?target=new&go=8441\r\nhttps://x.ch/go/9";
        assert_eq!(numbers(text), Ok(vec![7, 8, 8441, 9]));
        assert_eq!(numbers(" "), Ok(vec![]));
        for wrong in ["x", "0", "-1", "+1", "7x", "99999999999999999999", "https://x.ch/go/"] {
            assert_eq!(numbers(&format!("1 {wrong}")), Err(wrong.to_owned()));
        }
    }
}
