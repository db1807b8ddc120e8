//! Compilations: public pages that list chosen published documents under a title, and where people make them.
//!
//! Rules: a public page shows what is published at that moment and nothing else; one that is withdrawn is not told from one
//! that does not exist. Whoever manages one sees of its documents those that it may read or that anybody may; the others stay
//! in their places, unseen. It belongs to who made it, administrators help, auditors look.
//!
//! - `entries`: what of a compilation somebody may know; `change`: what can be done to one, for pages and API alike
//! - `list`: all of them, and a new one; `manage`: one of them; `public`: what a visitor sees

pub mod change;
pub mod entries;
mod list;
mod manage;
mod public;

use super::Context;
use super::error::{Result, WebError};
use super::routes::{Access, Route, get, post};
use crate::settings::compilations::{self, Compilation};
use crate::settings::users::Role;

pub(super) use list::{address, from_selection};

pub const ROUTES: &[Route] = &[
    // The same for everybody, logged in or not.
    get("/c/{name}", Access::Anybody, public::show),
    get("/compilations", Access::Person, list::show),
    post("/compilations", Access::Person, list::add),
    get("/compilations/{name}", Access::Person, manage::show),
    post("/compilations/{name}", Access::Person, manage::change),
    post("/compilations/{name}/documents", Access::Person, manage::documents),
    post("/compilations/{name}/published", Access::Person, manage::published),
    post("/compilations/{name}/delete", Access::Person, manage::delete),
];

/// Whether the person may make compilations: whoever may publish.
pub fn may_make(context: &Context<'_>) -> bool {
    super::dms::access::may_publish(context)
}

/// Whether the person may change this one.
pub fn may_change(context: &Context<'_>, compilation: &Compilation) -> bool {
    let person = context.person.as_ref();
    person.is_some_and(|person| {
        let user = &person.user;
        user.role != Role::Auditor && (user.role == Role::Administrator || compilation.is_of(user))
    })
}

/// Whether the person knows of this one, beside its public page.
fn may_see(context: &Context<'_>, compilation: &Compilation) -> bool {
    let is_auditor = context.person.as_ref().is_some_and(|person| person.user.role == Role::Auditor);
    is_auditor || may_change(context, compilation)
}

/// The one of this name, for somebody who knows of it.
pub fn seen(context: &Context<'_>, name: &str) -> Result<Compilation> {
    let found = compilations::compilation(&context.web.archive, name)?;
    found.filter(|found| may_see(context, found)).ok_or(WebError::NotFound)
}

/// The one of this name, for somebody who may change it.
pub fn own(context: &Context<'_>, name: &str) -> Result<Compilation> {
    let found = seen(context, name)?;
    if may_change(context, &found) { Ok(found) } else { Err(WebError::Forbidden) }
}

/// Those that the person knows of, the newest first.
pub fn all(context: &Context<'_>) -> Result<Vec<Compilation>> {
    let mut all = compilations::compilations(&context.web.archive)?;
    all.retain(|one| may_see(context, one));
    Ok(all)
}
