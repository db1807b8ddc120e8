//! How much fetching may disturb, and when its silence is to be told.

use maud::html;

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::super::request::Form;
use super::super::response::Response;
use super::fields::{area, number};
use super::{Part, page};
use crate::settings::fetching::{Fetching, Wrong};

/// What the form holds of what is set.
fn form(context: &Context<'_>, set: &Fetching) -> Form {
    let mut form = Form::default();
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    form.push("quiet", &set.quiet.text(context.lang));
    form.push("bandwidth", &number(set.bandwidth));
    form.push("bounded", &set.bounded.text(context.lang));
    form.push("silence", &number(set.silence));
    form
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let set = Fetching::read(&context.web.archive)?;
    Ok(show_with(context, &form(context, &set), &[]))
}

fn show_with(context: &Context<'_>, form: &Form, wrong: &[Wrong]) -> Response {
    let t = &context.t.fetching;
    let at = |key: &str| {
        let mine = wrong.iter().filter(|wrong| wrong.key() == key);
        mine.map(|wrong| sentence(context, wrong)).collect::<Vec<_>>().join(" ")
    };
    let quiet_help = format!("{} {}", t.quiet_help, t.hours_help);
    let body = html! {
        p { a href="/admin/sources" { "← " (context.t.admin.sources) } }
        h1 { (t.title) }
        p { (t.intro) }
        @if !wrong.is_empty() { (layout::trouble(context.t.page.wrong)) }
        form.definition.card method="post" action="/admin/fetching" {
            (layout::token(context))
            (area("quiet", t.quiet, form.text("quiet"), &quiet_help, &at("quiet")))
            (number("bandwidth", t.bandwidth, form.text("bandwidth"), t.bandwidth_help, &at("bandwidth")))
            (area("bounded", t.bounded, form.text("bounded"), t.bounded_help, &at("bounded")))
            (number("silence", t.silence, form.text("silence"), t.silence_help, &at("silence")))
            p.row {
                button.first { (context.t.page.save) }
                a.button href="/admin/sources" { (context.t.page.cancel) }
            }
        }
    };
    page(context, Part::Sources, t.title, &body)
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let entered =
        Fetching::entered(form.text("quiet"), form.text("bandwidth"), form.text("bounded"), form.text("silence"));
    match entered {
        Ok(new) => {
            keep(context, new)?;
            context.notice(context.t.page.saved);
            Ok(Response::redirect("/admin/fetching"))
        }
        Err(wrong) => Ok(show_with(context, &form, &wrong).status(400)),
    }
}

/// Keeps what was set; a pause is apart from it.
pub fn keep(context: &Context<'_>, new: Fetching) -> Result<()> {
    let _turn = context.web.settings();
    let old = Fetching::read(&context.web.archive)?;
    let new = Fetching { paused: old.paused, ..new };
    if new != old {
        new.write(&context.web.archive, &context.who())?;
    }
    Ok(())
}

/// What to write instead.
pub fn sentence(context: &Context<'_>, wrong: &Wrong) -> String {
    let t = &context.t.fetching;
    match wrong {
        Wrong::Quiet(line) | Wrong::Bounded(line) => (t.hours_wrong)(line),
        Wrong::QuietAlways => t.quiet_always.to_owned(),
        Wrong::Bandwidth => t.bandwidth_wrong.to_owned(),
        Wrong::Silence => t.silence_wrong.to_owned(),
    }
}
