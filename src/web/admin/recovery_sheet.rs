//! The recovery sheet: shown after a password, printed, and confirmed by three of its words. It comes before the first source, and
//! can be put off.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, Field};
use super::super::qr;
use super::super::response::Response;
use super::super::session::ASKED_WORDS;
use super::{Part, page, show as showing};
use crate::archive::commit::Happening;
use crate::archive::recovery;
use crate::clock;
use crate::settings::recovery_sheet::{RecoverySheet, check_value};
use crate::settings::{self};

/// Where it is shown and printed.
pub const PATH: &str = "/admin/recovery-sheet";
const CONFIRM: &str = "/admin/recovery-sheet/confirm";
/// Pages by which a source is set up.
const OF_SOURCES: [&str; 2] = ["assistant", "new"];

/// To the sheet, where that comes first: from pages by which the first source is set up.
pub fn first(context: &Context<'_>) -> Result<Option<Response>> {
    let is_of_sources = match context.request.path.as_slice() {
        [admin, part, ..] => admin == "admin" && OF_SOURCES.contains(&part.as_str()),
        _ => false,
    };
    let is_first = is_of_sources && RecoverySheet::is_next(&context.web.archive)?;
    Ok(is_first.then(|| Response::redirect(PATH)))
}

/// To the sheet, among what a box is.
pub fn card(context: &Context<'_>) -> Markup {
    let t = &context.t.recovery;
    html! {
        section.card {
            h2 { (t.title) }
            (state(context))
            p { a.button href=(PATH) { (t.to_sheet) } }
        }
    }
}

/// Whether it was confirmed, and of which archive it is.
fn state(context: &Context<'_>) -> Markup {
    let (t, archive) = (&context.t.recovery, &context.web.archive);
    let confirmed = RecoverySheet::read(archive).unwrap_or_default().confirmed;
    html! {
        dl {
            dt { (t.archive_id) } dd.mono { (recovery::digits(&archive.id())) }
            dt { (t.check_value) } dd.mono { (check_value(archive)) }
            dt { (t.confirmed) }
            dd {
                @match confirmed {
                    Some(said) => ((t.confirmed_by)(&said.who, &showing::minute(said.at))),
                    None => (t.not_confirmed),
                }
            }
        }
    }
}

/// What the sheet is for.
fn purpose(context: &Context<'_>) -> Markup {
    let t = &context.t.recovery;
    html! { p { (t.what_for) } p { strong { (t.who) } " " (t.safe) } }
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    ask(context, "")
}

/// Asks for the password.
fn ask(context: &Context<'_>, wrong: &str) -> Result<Response> {
    let (t, archive) = (&context.t.recovery, &context.web.archive);
    let is_confirmed = RecoverySheet::read(archive)?.confirmed.is_some();
    let body = html! {
        h1 { (t.title) }
        (purpose(context))
        section.card { (state(context)) }
        form.card.definition method="post" action=(PATH) {
            (layout::token(context))
            h2 { (t.show_title) }
            (Field { name: "password", label: t.password, kind: "password", help: t.password_help, wrong, required: true,
                fill: "current-password", ..Field::default() })
            p.row {
                button.first { (t.show) }
                @if !is_confirmed { a.button href=(CONFIRM) { (t.have_it) } }
            }
        }
        @if RecoverySheet::is_next(archive)? {
            form method="post" action="/admin/recovery-sheet/later" {
                (layout::token(context))
                button { (t.later) }
                p.soft { (t.later_help) }
            }
        }
    };
    Ok(page(context, Part::System, t.title, &body))
}

/// Shows the key, to an administrator who gives the own password once more. The journal knows of it before.
pub fn reveal(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let person = context.person()?;
    let attempt = context.web.attempts.begin(context.request.peer).ok_or(WebError::TooMany)?;
    if !person.user.password.is(form.get("password").unwrap_or_default()) {
        return Ok(ask(context, context.t.entry.password_now_wrong)?.status(400));
    }
    attempt.was_right();
    let archive = &context.web.archive;
    archive.journal(&context.who(), Happening::KeyShown)?;
    context.web.sessions.asked_words(&person.cookie, true)?;
    let t = &context.t.recovery;
    let words = archive.keys().words();
    let code = qr::svg(&words.join(" ").to_uppercase(), t.code)?;
    let body = html! {
        div.sheet {
            h1 { (t.title) }
            p.actions { strong { (t.print_now) } }
            (purpose(context))
            div.key {
                (code)
                dl {
                    dt { (t.archive) } dd { (context.administration.archive_name) }
                    dt { (t.archive_id) } dd.mono { (recovery::digits(&archive.id())) }
                    dt { (t.check_value) } dd.mono { (check_value(archive)) }
                    dt { (t.printed_on) } dd { (showing::day(clock::now())) }
                }
            }
            h2 { (t.words) }
            ol.words { @for word in words { li { (word) } } }
            p { (t.how) }
            p.row.actions {
                button type="button" data-print="1" hidden { (t.print) }
                a.button.first href=(CONFIRM) { (t.printed) }
            }
        }
    };
    // What holds for every page is said here once more: nothing may keep this one.
    Ok(page(context, Part::System, t.title, &body).header("Cache-Control", "no-store"))
}

pub fn confirming(context: &Context<'_>) -> Result<Response> {
    let asked = context.web.sessions.asked_words(&context.person()?.cookie, false)?;
    Ok(confirm_page(context, asked, &Default::default(), &[""; ASKED_WORDS], ""))
}

fn confirm_page(
    context: &Context<'_>,
    asked: [u8; ASKED_WORDS],
    typed: &[String; ASKED_WORDS],
    faults: &[&str; ASKED_WORDS],
    wrong: &str,
) -> Response {
    let t = &context.t.recovery;
    let body = html! {
        h1 { (t.confirm_title) }
        (layout::trouble(wrong))
        form.card.definition method="post" action=(CONFIRM) {
            (layout::token(context))
            p { (t.confirm_intro) " " (t.check_value) ": " span.mono { (check_value(&context.web.archive)) } }
            @for (place, number) in asked.iter().enumerate() {
                (Field { name: &format!("word{place}"), label: &(t.word)(*number), value: &typed[place], wrong: faults[place],
                    required: true, fill: "off", ..Field::default() })
            }
            p.row {
                button.first { (t.confirm) }
                a.button href=(PATH) { (t.show_again) }
            }
        }
    };
    page(context, Part::System, t.confirm_title, &body)
}

/// Takes the three words. Which one of them is wrong is not told: who has no sheet would learn it word by word.
pub fn confirm(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let (t, archive) = (&context.t.recovery, &context.web.archive);
    let asked = context.web.sessions.asked_words(&context.person()?.cookie, false)?;
    let typed: [String; ASKED_WORDS] = std::array::from_fn(|place| form.text(&format!("word{place}")).to_owned());
    let meant = typed.each_ref().map(|typed| recovery::word(typed));
    let faults: [&str; ASKED_WORDS] = std::array::from_fn(|place| match meant[place] {
        Some(_) => "",
        None if typed[place].is_empty() => t.word_missing,
        None => t.word_unknown,
    });
    let words = archive.keys().words();
    let is_right = asked.iter().zip(meant).all(|(number, meant)| meant == words.get(usize::from(*number) - 1).copied());
    if !is_right {
        let wrong = if faults.iter().all(|fault| fault.is_empty()) { t.words_wrong } else { "" };
        return Ok(confirm_page(context, asked, &typed, &faults, wrong).status(400));
    }
    let _turn = context.web.settings();
    RecoverySheet::confirm(archive, &context.who())?;
    context.notice(t.is_confirmed);
    onward(context)
}

/// Lets the first source be set up without the sheet.
pub fn later(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let _turn = context.web.settings();
    RecoverySheet::put_off(&context.web.archive, &context.who())?;
    onward(context)
}

/// To the first source, where there is none yet.
fn onward(context: &Context<'_>) -> Result<Response> {
    let is_new = settings::definitions(&context.web.archive)?.is_empty();
    Ok(Response::redirect(if is_new { "/admin/assistant" } else { "/admin" }))
}
