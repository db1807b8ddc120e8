//! Restart, power off, and going on after the watchdog paused fetching. Each is in the journal before it is asked for.

use maud::html;

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout;
use super::super::super::response::Response;
use super::super::{Part, page};
use super::link;
use crate::appliance::channel::Ask;
use crate::appliance::state::Power;
use crate::archive::commit::Happening;

/// Seconds after which the browser looks whether the box is back.
const BACK: u32 = 60;

pub fn ask_restart(context: &Context<'_>) -> Result<Response> {
    ask(context, Power::Restart)
}

pub fn ask_off(context: &Context<'_>) -> Result<Response> {
    ask(context, Power::Off)
}

/// Asks once more.
fn ask(context: &Context<'_>, power: Power) -> Result<Response> {
    link(context)?;
    let (t, common) = (&context.t.system, &context.t.page);
    let (path, word, sure, help) = match power {
        Power::Restart => ("/admin/system/restart", t.restart, t.restart_sure, t.restart_help),
        Power::Off => ("/admin/system/off", t.off, t.off_sure, t.off_help),
    };
    let body = html! {
        h1 { (sure) }
        form.card method="post" action=(path) {
            (layout::token(context))
            p { (help) }
            p.row {
                button.danger { (word) }
                a.button href="/admin/system" { (common.cancel) }
            }
        }
    };
    Ok(page(context, Part::System, sure, &body))
}

pub fn restart(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    end(context, Power::Restart)?;
    let t = &context.t.system;
    let body = html! {
        h1 { (t.restarting) }
        p { (t.restarting_help) }
    };
    // By its address: loading this page again would restart the box again.
    Ok(page(context, Part::System, t.restarting, &body).header("Refresh", format!("{BACK}; url=/admin")))
}

pub fn off(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    end(context, Power::Off)?;
    let t = &context.t.system;
    let body = html! {
        h1 { (t.turning_off) }
        p { (t.turning_off_help) }
    };
    Ok(page(context, Part::System, t.turning_off, &body))
}

/// Lets fetching go on.
pub fn resume(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    go_on(context)?;
    context.notice(context.t.system.gone_on);
    Ok(Response::redirect("/admin"))
}

/// Asks the box to end.
pub fn end(context: &Context<'_>, power: Power) -> Result<()> {
    let link = link(context)?;
    let what = match power {
        Power::Restart => Happening::RestartAsked,
        Power::Off => Happening::PowerOffAsked,
    };
    context.web.archive.journal(&context.who(), what)?;
    link.ask(&Ask::Power(power));
    Ok(())
}

/// Asks the box to let fetching go on.
pub fn go_on(context: &Context<'_>) -> Result<()> {
    let link = link(context)?;
    context.web.archive.journal(&context.who(), Happening::ResumeAsked)?;
    link.ask(&Ask::Resume);
    Ok(())
}
