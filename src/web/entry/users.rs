//! Users: who may log in.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field, Section, Width};
use super::super::request::Form;
use super::super::response::Response;
use super::super::texts;
use super::{Tab, password_fault, tabs};
use crate::clock;
use crate::settings::password::Password;
use crate::settings::users::{self, MailboxId, Role, User};
use crate::settings::{self, groups};

/// All mailboxes that the archive knows, with what people call them.
pub fn mailboxes(context: &Context<'_>) -> Result<BTreeMap<MailboxId, String>> {
    let t = &context.t.entry;
    let mut found = BTreeMap::new();
    for row in context.view()?.folders()? {
        let folder = row.folder;
        let name = if folder.definition.is_empty() {
            format!("{} {}", t.uploads_of, folder.mailbox_name)
        } else {
            format!("{} ({})", folder.mailbox_name, folder.definition)
        };
        found.insert(MailboxId { definition: folder.definition, mailbox: folder.mailbox }, name);
    }
    Ok(found)
}

fn role_name(t: &texts::Entry, role: Role) -> &'static str {
    match role {
        Role::Administrator => t.role_administrator,
        Role::Auditor => t.role_auditor,
        Role::User => t.role_user,
    }
}

pub fn role_code(role: Role) -> &'static str {
    match role {
        Role::Administrator => "administrator",
        Role::Auditor => "auditor",
        Role::User => "user",
    }
}

/// The role that a code stands for; what is none gives the fewest rights.
pub fn role_of(code: &str) -> Role {
    match code {
        "administrator" => Role::Administrator,
        "auditor" => Role::Auditor,
        _ => Role::User,
    }
}

fn roles(context: &Context<'_>, role: &str) -> Markup {
    let t = &context.t.entry;
    let options = [("user", t.role_user), ("auditor", t.role_auditor), ("administrator", t.role_administrator)];
    layout::select("role", t.role, role, &options, t.role_help)
}

pub fn list(context: &Context<'_>) -> Result<Response> {
    list_with(context, &Form::default(), "", "")
}

fn list_with(context: &Context<'_>, form: &Form, name_wrong: &str, password_wrong: &str) -> Result<Response> {
    let (t, common) = (&context.t.entry, &context.t.page);
    let users = users::users(&context.web.archive)?;
    let body = html! {
        (tabs(context, Tab::Users))
        h1 { (t.users_title) }
        p { (t.users_intro) }
        section.card {
            div.scroll {
                table {
                    thead { tr { th { (t.user_name) } th { (t.role) } th { (t.reads_all) } th { span.hidden-text { (common.edit) } } } }
                    tbody {
                        @for user in &users {
                            tr {
                                td { (user.name) @if user.inactive { " " span.tag { (t.inactive) } } }
                                td { (role_name(t, user.role)) }
                                td { (if user.reads_everything() { common.yes } else { common.no }) }
                                td { a href={ "/admin/users/" (super::super::request::encode(&user.name)) }
                                    aria-label={ (common.edit) " " (user.name) } { (common.edit) } }
                            }
                        }
                    }
                }
            }
        }
        form.card method="post" action="/admin/users" {
            (layout::token(context))
            h2 { (t.add_user) }
            (Field { name: "user", label: t.user_name, value: form.text("user"), wrong: name_wrong, required: true,
                fill: "off", ..Field::default() })
            (roles(context, form.text("role")))
            (Field { name: "password", label: t.password, kind: "password", help: t.password_help, wrong: password_wrong,
                required: true, fill: "new-password", ..Field::default() })
            (Field { name: "again", label: t.password_again, kind: "password", required: true, fill: "new-password",
                ..Field::default() })
            button.first { (common.add) }
        }
    };
    Ok(layout::page(context, Section::Users, Width::Usual, t.users_title, &body))
}

/// Whether somebody who had this name before left uploads behind: the next one would read them, and be taken for the first in
/// the journal.
fn had_uploads(context: &Context<'_>, name: &str) -> Result<bool> {
    let folders = context.view()?.folders()?;
    Ok(folders.iter().any(|row| row.folder.definition.is_empty() && settings::same_name(&row.folder.mailbox, name)))
}

pub fn add(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let (name, password) = (form.text("user"), form.get("password").unwrap_or_default());
    let new =
        NewUser { name, role: role_of(form.text("role")), password, again: form.get("again").unwrap_or_default() };
    if let Some([name_wrong, password_wrong]) = create(context, &new)? {
        return Ok(list_with(context, &form, name_wrong, password_wrong)?.status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/users"))
}

/// Somebody who is to be added.
pub struct NewUser<'a> {
    pub name: &'a str,
    pub role: Role,
    pub password: &'a str,
    pub again: &'a str,
}

/// Adds a user; or says what is wrong with name and password.
pub fn create(context: &Context<'_>, new: &NewUser<'_>) -> Result<Option<[&'static str; 2]>> {
    let t = &context.t.entry;
    let NewUser { name, password, .. } = *new;
    let _turn = context.web.people();
    let name_fault = if !User::is_name(name) {
        t.user_name_wrong
    } else if users::user(&context.web.archive, name)?.is_some() {
        t.user_name_taken
    } else if groups::group(&context.web.archive, name)?.is_some() {
        context.t.rights.user_name_of_group
    } else if !settings::owned_by(&context.web.archive, name)?.is_empty() {
        context.t.rights.name_owns
    } else if users::was_removed(&context.web.archive, name)? || had_uploads(context, name)? {
        t.user_name_used
    } else {
        ""
    };
    let password_fault = password_fault(t, password, new.again).unwrap_or_default();
    if !(name_fault.is_empty() && password_fault.is_empty()) {
        return Ok(Some([name_fault, password_fault]));
    }
    let user = User {
        name: name.into(),
        role: new.role,
        reads_all: false,
        mailboxes: Vec::new(),
        language: None,
        password: Password::new(password)?,
        inactive: false,
        created: clock::now(),
    };
    users::put_user(&context.web.archive, &user, &context.who())?;
    Ok(None)
}

/// The user that the path names.
pub fn user(context: &Context<'_>) -> Result<User> {
    users::user(&context.web.archive, &context.parameters[0])?.ok_or(WebError::NotFound)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    Ok(one(context, &user(context)?, "", ""))
}

fn one(context: &Context<'_>, user: &User, wrong: &str, password_wrong: &str) -> Response {
    let (t, common) = (&context.t.entry, &context.t.page);
    let path = format!("/admin/users/{}", super::super::request::encode(&user.name));
    let body = html! {
        p { a href="/admin/users" { "← " (t.users_title) } }
        h1 { (user.name) }
        (layout::trouble(wrong))
        form.card method="post" action=(path) {
            (layout::token(context))
            // Beside what is entered the form carries what was, so that only what a person changed is changed.
            input type="hidden" name="was:role" value=(role_code(user.role));
            input type="hidden" name="was:inactive" value=[user.inactive.then_some("1")];
            input type="hidden" name="was:reads_all" value=[user.reads_all.then_some("1")];
            (roles(context, role_code(user.role)))
            @if user.role == Role::Administrator {
                (layout::check("reads_all", t.reads_all, user.reads_all, t.reads_all_help))
            }
            (layout::check("inactive", t.inactive, user.inactive, ""))
            (Field { name: "password", label: t.new_password_for, kind: "password", help: t.leave_empty, wrong: password_wrong,
                fill: "new-password", ..Field::default() })
            (Field { name: "again", label: t.password_again, kind: "password", fill: "new-password", ..Field::default() })
            button.first { (common.save) }
        }
        @if !user.reads_everything() {
            p { a href={ "/admin/rights?people=" (super::super::request::encode(&user.name)) } { (context.t.rights.matrix) } }
        }
        form.card method="post" action={ (path) "/delete" } data-ask={ (t.delete_user) ": " (user.name) "?" } {
            (layout::token(context))
            p { (t.delete_user_help) }
            button.danger { (t.delete_user) }
        }
    };
    layout::page(context, Section::Users, Width::Narrow, &user.name, &body)
}

/// Whether nobody would administer the archive without this user.
fn is_last(context: &Context<'_>, name: &str) -> Result<bool> {
    let mut others = users::users(&context.web.archive)?.into_iter();
    Ok(!others.any(|user| user.role == Role::Administrator && !user.inactive && user.name != name))
}

pub fn change(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    // What somebody else changed since the page was made stays.
    let ticked = |name: &str, now: bool| {
        let was = form.is_on(&format!("was:{name}"));
        if form.is_on(name) == was { now } else { !was }
    };
    let asked = |user: &User| Changed {
        role: if form.text("role") == form.text("was:role") { user.role } else { role_of(form.text("role")) },
        inactive: ticked("inactive", user.inactive),
        reads_all: ticked("reads_all", user.reads_all),
        password: form.get("password").unwrap_or_default().into(),
        again: form.get("again").unwrap_or_default().into(),
        mailboxes: user.mailboxes.clone(),
    };
    if let Some([wrong, password_wrong]) = alter(context, asked)? {
        return Ok(one(context, &user(context)?, wrong, password_wrong).status(400));
    }
    let said = if form.text("password").is_empty() {
        String::new()
    } else {
        super::tokens::that_stay(context, &user(context)?)?
    };
    context.notice(format!("{} {said}", context.t.page.saved).trim_end());
    Ok(Response::redirect("/admin/users"))
}

/// What a user is to be like.
pub struct Changed {
    pub role: Role,
    pub inactive: bool,
    /// For administrators only; who becomes one does not read by that.
    pub reads_all: bool,
    /// Empty: the one there is.
    pub password: String,
    pub again: String,
    pub mailboxes: Vec<MailboxId>,
}

/// Changes the user that the path names to what `asked` makes of it; or says what is wrong with that, and with the password.
pub fn alter(context: &Context<'_>, asked: impl FnOnce(&User) -> Changed) -> Result<Option<[&'static str; 2]>> {
    let t = &context.t.entry;
    let _turn = context.web.people();
    let mut user = user(context)?;
    let new = asked(&user);
    let was_administrator = user.role == Role::Administrator;
    user.role = new.role;
    user.inactive = new.inactive;
    user.reads_all = was_administrator && user.role == Role::Administrator && new.reads_all;
    user.mailboxes = new.mailboxes;
    if (user.inactive || user.role != Role::Administrator) && is_last(context, &user.name)? {
        return Ok(Some([t.last_administrator, ""]));
    }
    if !new.password.is_empty() {
        if let Some(fault) = password_fault(t, &new.password, &new.again) {
            return Ok(Some(["", fault]));
        }
        user.password = Password::new(&new.password)?;
    }
    users::put_user(&context.web.archive, &user, &context.who())?;
    if user.inactive || !new.password.is_empty() {
        let own = context.person()?;
        context.web.sessions.end_all(&user, (own.user.name == user.name).then_some(&own.cookie));
    }
    Ok(None)
}

pub fn delete(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    if let Some(wrong) = remove(context)? {
        return Ok(one(context, &user(context)?, &wrong, "").status(400));
    }
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/users"))
}

/// That definitions belong to this user or group: whoever gets its name later would read what they archived.
pub fn owns(context: &Context<'_>, name: &str) -> Result<Option<String>> {
    let owned = settings::owned_by(&context.web.archive, name)?;
    let said = || format!("{} {}", context.t.rights.owns_definitions, owned.join(", "));
    Ok((!owned.is_empty()).then(said))
}

/// Removes the user that the path names; or says why not.
pub fn remove(context: &Context<'_>) -> Result<Option<String>> {
    let _turn = context.web.people();
    let user = user(context)?;
    if is_last(context, &user.name)? {
        return Ok(Some(context.t.entry.last_administrator.to_owned()));
    }
    if let Some(owns) = owns(context, &user.name)? {
        return Ok(Some(owns));
    }
    users::remove_user(&context.web.archive, &user.name, &context.who())?;
    context.web.sessions.end_all(&user, None);
    Ok(None)
}
