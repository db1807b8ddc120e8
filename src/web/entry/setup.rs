//! First start: language, name of the archive, the first administrator.

use maud::html;

use super::super::Context;
use super::super::admin::recovery_sheet;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field, Section, Width};
use super::super::request::Form;
use super::super::response::Response;
use super::login::begin;
use super::password_fault;
use crate::clock;
use crate::language::Lang;
use crate::settings::administration::{Administration, NAME_CHARS};
use crate::settings::password::Password;
use crate::settings::users::{self, Role, User};

/// What is wrong with which field.
#[derive(Default)]
struct Faults {
    code: &'static str,
    archive: &'static str,
    user: &'static str,
    password: &'static str,
}

#[expect(clippy::unnecessary_wraps, reason = "every page has this form")]
pub fn show(context: &Context<'_>) -> Result<Response> {
    let mut form = Form::default();
    form.push("language", context.t.code);
    form.push("reads_all", "1");
    Ok(page(context, &form, &Faults::default()))
}

fn page(context: &Context<'_>, form: &Form, faults: &Faults) -> Response {
    let t = &context.t.entry;
    let body = html! {
        h1 { (t.setup_title) }
        p { (t.setup_intro) }
        form.card method="post" action="/setup" {
            (Field { name: "code", label: t.setup_code, value: form.text("code"), help: t.setup_code_help, wrong: faults.code,
                required: true, fill: "one-time-code", ..Field::default() })
            (layout::select("language", context.t.page.language, form.text("language"),
                &[("de-CH", "Deutsch"), ("en", "English")], ""))
            (Field { name: "archive", label: t.archive_name, value: form.text("archive"), help: t.archive_name_help,
                wrong: faults.archive, required: true, fill: "organization", ..Field::default() })
            h2 { (t.first_user) }
            (Field { name: "user", label: t.user_name, value: form.text("user"), wrong: faults.user, required: true,
                fill: "username", ..Field::default() })
            (Field { name: "password", label: t.password, kind: "password", help: t.password_help, wrong: faults.password,
                required: true, fill: "new-password", ..Field::default() })
            (Field { name: "again", label: t.password_again, kind: "password", required: true, fill: "new-password",
                ..Field::default() })
            (layout::check("reads_all", t.reads_all, form.is_on("reads_all"), t.reads_all_help))
            button.first { (t.set_up) }
        }
    };
    layout::page(context, Section::None, Width::Narrow, t.setup_title, &body)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.entry;
    let form = context.form()?;
    let (web, peer) = (context.web, context.request.peer);
    let attempt = web.attempts.begin(peer).ok_or(WebError::TooMany)?;
    let _turn = web.people();
    if !users::users(&web.archive)?.is_empty() {
        attempt.was_right();
        return Ok(Response::redirect("/login"));
    }
    let (archive, name, password) = (form.text("archive"), form.text("user"), form.get("password").unwrap_or_default());
    let mut faults = Faults::default();
    if plain(form.text("code")) == plain(&web.setup_code) {
        attempt.was_right();
    } else {
        faults.code = t.setup_code_wrong;
    }
    if archive.is_empty() || archive.chars().count() > NAME_CHARS {
        faults.archive = t.archive_name_missing;
    }
    if !User::is_name(name) {
        faults.user = t.user_name_wrong;
    }
    faults.password = password_fault(t, password, form.get("again").unwrap_or_default()).unwrap_or_default();
    let all = [faults.code, faults.archive, faults.user, faults.password];
    if all.iter().any(|fault| !fault.is_empty()) {
        return Ok(page(context, &form, &faults).status(400));
    }
    let language = if form.text("language") == "de-CH" { Lang::De } else { Lang::En };
    let administration = Administration { archive_name: archive.into(), language, ..context.administration.clone() };
    administration.write(&web.archive, name)?;
    let user = User {
        name: name.into(),
        role: Role::Administrator,
        reads_all: form.is_on("reads_all"),
        mailboxes: Vec::new(),
        language: None,
        password: Password::new(password)?,
        inactive: false,
        created: clock::now(),
    };
    users::put_user(&web.archive, &user, name)?;
    tracing::info!("set up by {name}");
    begin(context, &user, recovery_sheet::PATH)
}

/// Without what people leave out or write otherwise when they copy a code.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}
