//! Own account: language, appearance, password.

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field, Section, THEME, THEMES, Width};
use super::super::response::Response;
use super::password_fault;
use crate::language::Lang;
use crate::settings::password::Password;
use crate::settings::users::{self, User};

pub fn show(context: &Context<'_>) -> Result<Response> {
    page(context, "", "")
}

fn page(context: &Context<'_>, present: &str, fault: &str) -> Result<Response> {
    let (t, common) = (&context.t.entry, &context.t.page);
    let user = &context.person()?.user;
    let theme = context.request.cookie(THEME).filter(|theme| THEMES.contains(theme)).unwrap_or_default();
    let language = match user.language {
        Some(Lang::De) => "de",
        Some(Lang::En) => "en",
        None => "",
    };
    let body = html! {
        h1 { (t.account_title) }
        form.card method="post" action="/account" {
            (layout::token(context))
            (layout::select("language", common.language, language,
                &[("", t.language_of_archive), ("de", "Deutsch"), ("en", "English")], ""))
            (layout::select("theme", common.theme, theme,
                &[("", context.t.fields.layout_of_archive), ("auto", common.theme_auto), ("light", common.theme_light), ("dark", common.theme_dark)], ""))
            button.first { (common.save) }
        }
        form.card method="post" action="/account/password" {
            (layout::token(context))
            h2 { (t.password_title) }
            (Field { name: "now", label: t.password_now, kind: "password", required: true, wrong: present,
                fill: "current-password", ..Field::default() })
            (Field { name: "password", label: t.password_new, kind: "password", required: true, help: t.password_help,
                wrong: fault, fill: "new-password", ..Field::default() })
            (Field { name: "again", label: t.password_again, kind: "password", required: true, fill: "new-password",
                ..Field::default() })
            button { (t.change_password) }
        }
        p { a href="/account/tokens" { (context.t.tokens.title) } }
    };
    Ok(layout::page(context, Section::Account, Width::Narrow, t.account_title, &body))
}

/// The person as it is now: its rights may have been taken away since the page began.
fn now(context: &Context<'_>) -> Result<User> {
    users::user(&context.web.archive, &context.person()?.user.name)?.ok_or(WebError::NotFound)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let _turn = context.web.people();
    let mut user = now(context)?;
    user.language = match form.text("language") {
        "de" => Some(Lang::De),
        "en" => Some(Lang::En),
        _ => None,
    };
    users::put_user(&context.web.archive, &user, &context.who())?;
    let theme = Some(form.text("theme")).filter(|theme| THEMES.contains(theme)).unwrap_or_default();
    // Without a choice the cookie goes at once.
    let age = if theme.is_empty() { 0 } else { 31_536_000 };
    context.notice(super::super::texts::of(user.language.unwrap_or(context.administration.language)).page.saved);
    Ok(Response::redirect("/account")
        .header("Set-Cookie", format!("{THEME}={theme}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}")))
}

pub fn password(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let t = &context.t.entry;
    let person = context.person()?;
    let attempt = context.web.attempts.begin(context.request.peer).ok_or(WebError::TooMany)?;
    if !person.user.password.is(form.get("now").unwrap_or_default()) {
        return Ok(page(context, t.password_now_wrong, "")?.status(400));
    }
    attempt.was_right();
    let new = form.get("password").unwrap_or_default();
    if let Some(fault) = password_fault(t, new, form.get("again").unwrap_or_default()) {
        return Ok(page(context, "", fault)?.status(400));
    }
    let password = Password::new(new)?;
    let _turn = context.web.people();
    let mut user = now(context)?;
    user.password = password;
    users::put_user(&context.web.archive, &user, &context.who())?;
    context.web.sessions.end_all(&user, Some(&person.cookie));
    context.notice(format!("{} {}", t.password_changed, super::tokens::that_stay(context, &user)?).trim_end());
    Ok(Response::redirect("/account"))
}
