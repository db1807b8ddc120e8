//! What is not fetched any more, for good: leavers. And to whom a definition belongs.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, check};
use super::super::response::Response;
use super::fields::wrong;
use super::state::State;
use super::{Part, definition, module_name, page, path, show as showing};
use crate::settings::mistake::{Mistake, What};
use crate::settings::{self, Definition, groups, users};

/// Names that a definition may have as its owner: groups, then users.
fn known(context: &Context<'_>) -> settings::Result<[Vec<String>; 2]> {
    let archive = &context.web.archive;
    let groups = groups::groups(archive)?.into_iter().map(|group| group.name).collect();
    Ok([groups, users::users(archive)?.into_iter().map(|user| user.name).collect()])
}

/// The field *owner*: one of users and groups, or nobody; what a definition file named is kept although nobody has the name.
pub fn owners(context: &Context<'_>, owner: &str, fault: &str) -> Markup {
    let t = &context.t.rights;
    // Without names the field still keeps what there is.
    let [groups, users] = known(context).unwrap_or_default();
    let is_known = groups.iter().chain(&users).any(|name| settings::same_name(name, owner));
    let is = |name: &str| settings::same_name(name, owner);
    html! {
        div.field {
            label for="owner" { (t.owner) }
            select #owner name="owner" aria-describedby="owner-help" aria-invalid=[(!fault.is_empty()).then_some("true")] {
                option value="" selected[owner.is_empty()] { (t.owner_nobody) }
                @if !owner.is_empty() && !is_known { option value=(owner) selected { (owner) " (" (t.owner_unknown) ")" } }
                @if !groups.is_empty() {
                    optgroup label=(t.groups) { @for name in &groups { option value=(name) selected[is(name)] { (name) } } }
                }
                optgroup label=(t.people) { @for name in &users { option value=(name) selected[is(name)] { (name) } } }
            }
            small #owner-help { @if !fault.is_empty() { span.wrong { (fault) " " } } (t.owner_help) }
        }
    }
}

/// That a new owner is nobody there is.
pub fn owner_mistake(context: &Context<'_>, new: &Definition, old: Option<&Definition>) -> Option<Mistake> {
    let owner = &new.owner;
    if owner.is_empty() || old.is_some_and(|old| old.owner == *owner) {
        return None;
    }
    let is_known = known(context).is_ok_and(|all| all.iter().flatten().any(|name| settings::same_name(name, owner)));
    (!is_known).then(|| Mistake::new("owner", What::Owner).given(owner))
}

/// Definitions that have ended, apart from the others.
pub fn list(context: &Context<'_>, ended: &[(State, Definition)]) -> Markup {
    let (t, admin) = (&context.t.rights, &context.t.admin);
    html! {
        section.card #ended {
            h2 { (t.ended_title) }
            p { (t.ended_help) }
            div.scroll role="region" tabindex="0" aria-label=(t.ended_title) { table {
                thead { tr {
                    th scope="col" { (admin.definition) } th scope="col" { (admin.module) } th scope="col" { (t.owner) }
                    th scope="col" { (admin.last_run) } th.number scope="col" { (admin.mailboxes) }
                } }
                tbody { @for (state, definition) in ended { tr {
                    th scope="row" { a href=(path(&definition.name)) { (definition.name) } " " (state.tag()) }
                    td { (module_name(context, definition)) }
                    td { @if definition.owner.is_empty() { (t.owner_nobody) } @else { (definition.owner) } }
                    td { (state.last_run(context)) }
                    td.number { (showing::number(context.lang, state.open.mailboxes)) }
                } } }
            } }
        }
    }
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    Ok(show_with(context, &definition(context)?, "", ""))
}

fn show_with(context: &Context<'_>, definition: &Definition, unsure: &str, owner_wrong: &str) -> Response {
    let (t, common) = (&context.t.rights, &context.t.page);
    let path = path(&definition.name);
    let title = if definition.ended { t.resume } else { t.end };
    let body = html! {
        h1 { (title) ": " (definition.name) }
        form.card.definition method="post" action={ (path) "/end" } {
            (layout::token(context))
            @if definition.ended {
                p { (t.resume_intro) }
                (wrong(unsure))
                (check("sure", t.resume_sure, false, ""))
            } @else {
                p { (t.end_intro) }
                input type="hidden" name="ended" value="1";
                (owners(context, &definition.owner, owner_wrong))
            }
            p.row {
                button.first { (if definition.ended { t.resume } else { t.end_now }) }
                a.button href=(path) { (common.cancel) }
            }
        }
        @if definition.ended {
            form.card.definition method="post" action={ (path) "/owner" } {
                (layout::token(context))
                h2 { (t.owner_change) }
                (owners(context, &definition.owner, owner_wrong))
                button { (common.save) }
            }
        }
    };
    page(context, Part::Sources, title, &body)
}

/// Gives the definition that the path names another owner; or says what is wrong with that. In a turn of
/// [`Web::settings`](super::super::Web::settings).
fn give(context: &Context<'_>, owner: &str) -> Result<Option<Mistake>> {
    let old = definition(context)?;
    let new = Definition { owner: owner.trim().to_owned(), ..old.clone() };
    let mistake = owner_mistake(context, &new, Some(&old));
    if mistake.is_none() && new != old {
        settings::put(&context.web.archive, &new, &context.who())?;
    }
    Ok(mistake)
}

/// Ends the definition that the path names, with another owner where one is given; or says what is wrong with that.
pub fn end(context: &Context<'_>, owner: Option<&str>) -> Result<Option<Mistake>> {
    let _turn = context.web.settings();
    let mistake = match owner {
        Some(owner) => give(context, owner)?,
        None => None,
    };
    if mistake.is_none() {
        settings::end(&context.web.archive, &definition(context)?.name, true, &context.who())?;
    }
    Ok(mistake)
}

/// Takes the definition that the path names up again.
pub fn resume(context: &Context<'_>) -> Result<()> {
    let _turn = context.web.settings();
    Ok(settings::end(&context.web.archive, &definition(context)?.name, false, &context.who())?)
}

/// Ends a definition, with another owner where one is given, or takes an ended one up again.
pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let definition = definition(context)?;
    let t = &context.t.rights;
    let ends = form.is_on("ended");
    if ends {
        if let Some(mistake) = end(context, form.get("owner"))? {
            return Ok(show_with(context, &definition, "", &mistake.sentence(context.lang)).status(400));
        }
    } else if definition.ended && !form.is_on("sure") {
        return Ok(show_with(context, &definition, t.resume_unsure, "").status(400));
    } else {
        resume(context)?;
    }
    context.notice(if ends { t.ended_now } else { t.resumed });
    Ok(Response::redirect(&path(&definition.name)))
}

/// Gives a definition that has ended another owner.
pub fn owner(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let definition = definition(context)?;
    let owner = form.get("owner").ok_or(WebError::NotFound)?;
    let turn = context.web.settings();
    let mistake = give(context, owner)?;
    drop(turn);
    if let Some(mistake) = mistake {
        return Ok(show_with(context, &definition, "", &mistake.sentence(context.lang)).status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect(&path(&definition.name)))
}
