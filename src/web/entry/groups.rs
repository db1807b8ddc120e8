//! Groups: who is in which.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field, Section, Width};
use super::super::request::{Form, encode};
use super::super::response::Response;
use super::users::owns;
use super::{Tab, tabs};
use crate::limits::{GROUP_MEMBERS, GROUPS};
use crate::settings::groups::{self, Group};
use crate::settings::users::{self, MailboxId, User};
use crate::settings::{self, same_name};

fn path(name: &str) -> String {
    format!("/admin/groups/{}", encode(name))
}

pub fn list(context: &Context<'_>) -> Result<Response> {
    list_with(context, &Form::default(), "")
}

fn list_with(context: &Context<'_>, form: &Form, wrong: &str) -> Result<Response> {
    let (t, common) = (&context.t.rights, &context.t.page);
    let groups = groups::groups(&context.web.archive)?;
    let users = users::users(&context.web.archive)?;
    let body = html! {
        (tabs(context, Tab::Groups))
        h1 { (t.groups) }
        p { (t.groups_intro) }
        section.card {
            @if groups.is_empty() { p.soft { (t.groups_none) } } @else {
                div.scroll role="region" tabindex="0" aria-label=(t.groups) { table {
                    thead { tr { th scope="col" { (t.group) } th scope="col" { (t.members) } th.number scope="col" { (t.matrix_mailboxes) } } }
                    tbody { @for group in &groups { tr {
                        th scope="row" { a href=(path(&group.name)) { (group.name) } }
                        td { @if group.members.is_empty() { "–" } @else { (group.members.join(", ")) } }
                        td.number { (group.mailboxes.len()) }
                    } } }
                } }
            }
        }
        form.card method="post" action="/admin/groups" {
            (layout::token(context))
            h2 { (t.add_group) }
            (Field { name: "group", label: t.group_name, value: form.text("group"), help: t.group_name_help, wrong,
                required: true, fill: "off", ..Field::default() })
            (members(context, &users, &|_| false, &|name| form.all("member").any(|member| same_name(member, name))))
            button.first { (common.add) }
        }
    };
    Ok(layout::page(context, Section::Users, Width::Usual, t.groups, &body))
}

/// A box for each user.
fn members(
    context: &Context<'_>,
    users: &[User],
    was: &dyn Fn(&str) -> bool,
    is_member: &dyn Fn(&str) -> bool,
) -> Markup {
    let t = &context.t.rights;
    html! {
        fieldset.field {
            legend { (t.members) " " small { (t.members_help) } }
            div.boxes { @for user in users {
                // Beside what is ticked the form carries what was, so that only what a person changed is changed.
                @if was(&user.name) { input type="hidden" name="was" value=(user.name); }
                label.check {
                    input type="checkbox" name="member" value=(user.name) checked[is_member(&user.name)];
                    span { (user.name) @if user.inactive { " " span.tag { (context.t.entry.inactive) } } }
                }
            } }
        }
    }
}

/// The group that the path names.
pub fn group(context: &Context<'_>) -> Result<Group> {
    groups::group(&context.web.archive, &context.parameters[0])?.ok_or(WebError::NotFound)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    show_with(context, &group(context)?, "")
}

fn show_with(context: &Context<'_>, group: &Group, wrong: &str) -> Result<Response> {
    let (t, common) = (&context.t.rights, &context.t.page);
    let users = users::users(&context.web.archive)?;
    let path = path(&group.name);
    let body = html! {
        p { a href="/admin/groups" { "← " (t.groups) } }
        h1 { (group.name) }
        (layout::trouble(wrong))
        form.card method="post" action=(path) {
            (layout::token(context))
            (members(context, &users, &|name| group.has(name), &|name| group.has(name)))
            button.first { (common.save) }
        }
        p { a href={ "/admin/rights?people=" (encode(&group.name)) } { (t.matrix) } }
        form.card method="post" action={ (path) "/delete" } data-ask={ (t.delete_group) ": " (group.name) "?" } {
            (layout::token(context))
            p { (t.delete_group_help) }
            button.danger { (t.delete_group) }
        }
    };
    Ok(layout::page(context, Section::Users, Width::Narrow, &group.name, &body))
}

pub fn add(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let members: Vec<String> = form.all("member").map(str::to_owned).collect();
    if let Some(wrong) = create(context, form.text("group"), &members)? {
        return Ok(list_with(context, &form, wrong)?.status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/groups"))
}

/// Adds a group; or says what is wrong with its name.
pub fn create(context: &Context<'_>, name: &str, members: &[String]) -> Result<Option<&'static str>> {
    let t = &context.t.rights;
    let archive = &context.web.archive;
    let _turn = context.web.people();
    if !Group::is_name(name) {
        return Ok(Some(t.group_name_wrong));
    }
    if groups::group(archive, name)?.is_some() || users::user(archive, name)?.is_some() {
        return Ok(Some(t.group_name_taken));
    }
    if !settings::owned_by(archive, name)?.is_empty() {
        return Ok(Some(t.name_owns));
    }
    if groups::groups(archive)?.len() >= GROUPS {
        return Ok(Some(t.too_many_groups));
    }
    let members = known(context, members)?;
    if members.len() > GROUP_MEMBERS {
        return Ok(Some(t.too_many_members));
    }
    let group = Group { name: name.into(), members, mailboxes: Vec::new() };
    groups::put_group(archive, &group, &context.who())?;
    Ok(None)
}

/// Those of these names that users have, as they write them.
fn known(context: &Context<'_>, members: &[String]) -> Result<Vec<String>> {
    let users = users::users(&context.web.archive)?;
    let is_member = |user: &User| members.iter().any(|member| same_name(member, &user.name));
    Ok(users.into_iter().filter(is_member).map(|user| user.name).collect())
}

pub fn change(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    // What somebody else changed since the page was made stays.
    let has = |key: &str, name: &str| form.all(key).any(|other| same_name(other, name));
    let asked = |group: &Group| {
        let stay = group.members.iter().filter(|name| has("member", name) || !has("was", name)).cloned();
        let new = form.all("member").filter(|name| !has("was", name)).map(str::to_owned);
        Some(stay.chain(new).collect())
    };
    if let Some(wrong) = alter(context, asked, None)? {
        return Ok(show_with(context, &group(context)?, wrong)?.status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/groups"))
}

/// Gives the group that the path names other members, where `members` makes some of it, or other mailboxes; or says why not.
pub fn alter(
    context: &Context<'_>,
    members: impl FnOnce(&Group) -> Option<Vec<String>>,
    mailboxes: Option<Vec<MailboxId>>,
) -> Result<Option<&'static str>> {
    let _turn = context.web.people();
    let old = group(context)?;
    let mut new = old.clone();
    if let Some(members) = members(&old) {
        new.members = known(context, &members)?;
    }
    if new.members.len() > GROUP_MEMBERS {
        return Ok(Some(context.t.rights.too_many_members));
    }
    new.mailboxes = mailboxes.unwrap_or(new.mailboxes);
    if new != old {
        groups::put_group(&context.web.archive, &new, &context.who())?;
    }
    Ok(None)
}

pub fn delete(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    if let Some(wrong) = remove(context)? {
        return Ok(show_with(context, &group(context)?, &wrong)?.status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/groups"))
}

/// Removes the group that the path names; or says why not.
pub fn remove(context: &Context<'_>) -> Result<Option<String>> {
    let _turn = context.web.people();
    let group = group(context)?;
    if let Some(owns) = owns(context, &group.name)? {
        return Ok(Some(owns));
    }
    groups::remove_group(&context.web.archive, &group.name, &context.who())?;
    Ok(None)
}
