//! Login and logout.

use maud::html;

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field, Section, Width};
use super::super::request::{Form, Method};
use super::super::response::{Response, is_own_path};
use super::super::session::COOKIE;
use crate::archive::commit::Happening;
use crate::settings::password::Password;
use crate::settings::users::{self, Role, User};

/// To the login, and afterwards back to what was asked for.
pub fn to_login(context: &Context<'_>) -> Response {
    let target = &context.request.target;
    if context.request.method == Method::Post || target == "/" {
        return Response::redirect("/login");
    }
    let mut query = Form::default();
    query.push("next", target);
    Response::redirect(&format!("/login?{}", query.encode()))
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    if users::users(&context.web.archive)?.is_empty() {
        return Ok(Response::redirect("/setup"));
    }
    let next = own(context.request.query.text("next"));
    if context.person.is_some() {
        return Ok(Response::redirect(next));
    }
    let said = if context.request.query.is_on("out") { context.t.entry.logged_out } else { "" };
    Ok(page(context, "", next, "", said))
}

/// Where to after the login: a page of this server, else the first one.
fn own(next: &str) -> &str {
    if is_own_path(next) { next } else { "/" }
}

fn page(context: &Context<'_>, name: &str, next: &str, wrong: &str, said: &str) -> Response {
    let t = &context.t.entry;
    let body = html! {
        h1 { (t.login_title) }
        (layout::trouble(wrong))
        @if !context.administration.administers_from(context.request.peer) { p.soft { (context.t.public.elsewhere_login) } }
        @if !said.is_empty() { div.note.good role="status" { p { (said) } } }
        form.card method="post" action="/login" {
            input type="hidden" name="next" value=(next);
            (Field { name: "user", label: t.user_name, value: name, required: true, fill: "username", ..Field::default() })
            (Field { name: "password", label: t.password, kind: "password", required: true, fill: "current-password",
                ..Field::default() })
            button.first { (t.log_in) }
        }
    };
    layout::page(context, Section::None, Width::Narrow, t.login_title, &body)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.request.form()?;
    if !context.request.is_from_here() {
        return Err(WebError::Stale);
    }
    let (web, peer) = (context.web, context.request.peer);
    let attempt = web.attempts.begin(peer).ok_or(WebError::TooMany)?;
    let (name, password) = (form.text("user"), form.get("password").unwrap_or_default());
    let user = users::user(&web.archive, name)?.filter(|user| !user.inactive);
    let is_right = if let Some(user) = &user {
        user.password.is(password)
    } else {
        // An unknown name is not told from a wrong password, by the clock neither.
        Password::waste_time(password);
        false
    };
    let is_let = |user: &User| user.role != Role::Administrator || context.administration.administers_from(peer);
    // From elsewhere the right password of an administrator looks exactly like a wrong one.
    if let Some(user) = user.filter(|user| is_right && is_let(user)) {
        attempt.was_right();
        return begin(context, &user, own(form.text("next")));
    }
    let name: String = name.chars().take(users::NAME_CHARS).collect();
    web.archive.journal_soon(&peer.to_string(), Happening::LoginRefused(name.clone()))?;
    Ok(page(context, &name, own(form.text("next")), context.t.entry.login_wrong, "").status(403))
}

/// Begins a session and goes to `next`.
pub fn begin(context: &Context<'_>, user: &User, next: &str) -> Result<Response> {
    if let Some(person) = &context.person {
        context.web.sessions.end(&person.cookie);
    }
    let cookie = context.web.sessions.begin(user)?;
    context.web.archive.journal_soon(&user.name, Happening::LoggedIn)?;
    // Lax: a link that somebody clicks in a mail finds the login.
    let cookie = format!("{COOKIE}={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax");
    Ok(Response::redirect(next).header("Set-Cookie", cookie))
}

pub fn end(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let person = context.person()?;
    context.journal(Happening::LoggedOut)?;
    context.web.sessions.end(&person.cookie);
    Ok(Response::redirect("/login?out=1")
        .header("Set-Cookie", format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")))
}
