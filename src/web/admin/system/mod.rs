//! System: the machine around the archive. On a box, its network, clock, watchdog, power and log; elsewhere what a computer
//! of somebody else's lets be known.
//!
//! - `facts`: what the kernel and the certificate say; `network`: addresses and time servers, `power`: restart, power off,
//!   going on after the watchdog, `log`: the last lines

pub mod facts;
pub mod log;
pub mod network;
pub mod power;

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout::{self, select};
use super::super::response::Response;
use super::{Part, page, show};
use crate::appliance::link::Link;
use crate::appliance::state::{BoxState, Clock, Slot, Storage};
use crate::clock;
use crate::disk::Room;
use crate::settings::administration::{self, Administration};
use crate::settings::verifications::Standing;

pub fn show(context: &Context<'_>) -> Result<Response> {
    show_with(context, context.administration.zone_name(), "")
}

fn show_with(context: &Context<'_>, zone: &str, wrong: &str) -> Result<Response> {
    let t = &context.t.system;
    let verified = Standing::at(&context.web.archive, clock::now())?;
    let link = context.web.link.as_deref();
    let state = link.map(Link::state);
    let refusal = link.and_then(Link::refusal);
    let body = html! {
        h1 { (t.title) }
        @if let Some(reason) = refusal { div.note.bad role="alert" { p { (t.refused) " " (reason) } } }
        @if state.is_none() { p { (t.power_own) } }
        (release(context, state.as_ref()))
        (storage(context, state.as_ref()))
        section.card {
            h2 { (context.t.verification.title) }
            p {
                (super::verification::sentence(context, &verified))
                @if let Some(last) = &verified.last { " " small { (show::time(last.ended)) } }
            }
            p.row { a.button href="/admin/verification" { (context.t.verification.title) } }
        }
        @if let Some(state) = &state { (network::card(context, state)) }
        (certificate(context))
        (super::recovery_sheet::card(context))
        (time(context, state.as_ref(), zone, wrong))
        @if let Some(state) = &state {
            (watchdog(context, state))
            section.card {
                h2 { (t.power) }
                p.row {
                    a.button href="/admin/system/restart" { (t.restart) }
                    a.button href="/admin/system/off" { (t.off) }
                    a.button href="/admin/system/log" { (t.log) }
                }
            }
        }
    };
    Ok(page(context, Part::System, t.title, &body))
}

/// Takes the time zone.
pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let zone = form.text("time_zone");
    if !administration::is_zone(zone) {
        return Ok(show_with(context, zone, context.t.system.time_zone_wrong)?.status(400));
    }
    set_zone(context, zone)?;
    context.notice(context.t.page.saved);
    Ok(Response::redirect("/admin/system"))
}

/// Keeps a time zone that [`administration::is_zone`].
pub fn set_zone(context: &Context<'_>, zone: &str) -> Result<()> {
    let _turn = context.web.settings();
    let now = Administration::read(&context.web.archive)?;
    let new = Administration { time_zone: Some(zone.to_owned()), ..now.clone() };
    if new != now {
        new.write(&context.web.archive, &context.who())?;
    }
    Ok(())
}

/// The box around this process; pages that are about it are nowhere else.
pub fn link<'a>(context: &Context<'a>) -> Result<&'a Link> {
    context.web.link.as_deref().ok_or(WebError::NotFound)
}

fn letter(slot: Slot) -> &'static str {
    match slot {
        Slot::A => "A",
        Slot::B => "B",
    }
}

fn release(context: &Context<'_>, state: Option<&BoxState>) -> Markup {
    let (t, lang) = (&context.t.system, context.lang);
    let release = state.map(|state| state.release.as_str()).filter(|release| !release.is_empty());
    let uptime = facts::uptime();
    let machine = facts::machine_memory();
    html! {
        section.card {
            h2 { "Archivista Box" }
            dl {
                @if let Some(state) = state { dt { (t.name) } dd { (state.name) } }
                dt { (t.release) } dd { (release.unwrap_or(env!("CARGO_PKG_VERSION"))) }
                @if let Some((state, slot)) = state.and_then(|state| Some((state, state.slot?))) {
                    dt { (t.slot) }
                    dd {
                        (letter(slot))
                        @if let Some(next) = state.committed.filter(|next| *next != slot) {
                            " (" (t.slot_next) ": " (letter(next)) ")"
                        }
                    }
                }
                @if let Some(seconds) = uptime { dt { (t.running) } dd { (show::span(lang, seconds)) } }
                @if let Some([all, free]) = machine {
                    dt { (t.machine_memory) } dd { (show::size(lang, free)) " / " (show::size(lang, all)) }
                }
                @if let [Some(now), Some(most)] = facts::own_memory() {
                    dt { (t.memory) } dd { (show::size(lang, now)) " (max. " (show::size(lang, most)) ")" }
                }
            }
        }
    }
}

fn storage(context: &Context<'_>, state: Option<&BoxState>) -> Markup {
    let (t, lang) = (&context.t.system, context.lang);
    let room = Room::of(&context.web.archive.paths().data).ok();
    html! {
        section.card {
            h2 { (t.storage) }
            dl {
                @if let Some(room) = room {
                    dt { (t.disk_free) } dd { (show::size(lang, room.free)) " / " (show::size(lang, room.size)) }
                    dt { (t.reserve) } dd { (show::size(lang, room.reserve())) " " small { (t.reserve_help) } }
                }
                @match state.map(|state| &state.storage) {
                    Some(Storage::Ready { mended, .. }) => {
                        dt { (t.mended) }
                        dd { @if mended.is_empty() { (t.mended_nothing) } @else { pre.scroll tabindex="0" { (mended) } } }
                    }
                    Some(Storage::Preparing) => { dt { (t.mended) } dd { (t.preparing) } }
                    Some(Storage::Trouble(trouble)) => {
                        dt { (t.storage) } dd { (super::alarms::storage(t, trouble)) }
                    }
                    None => {}
                }
            }
        }
    }
}

fn certificate(context: &Context<'_>) -> Markup {
    let t = &context.t.system;
    let Some(certificate) = facts::certificate(&context.web.archive.paths().keys) else { return html! {} };
    html! {
        section.card {
            h2 { (t.certificate) }
            dl {
                dt { (t.fingerprint) } dd.mono.breaks { (certificate.fingerprint) }
                @if let Some(end) = certificate.not_after { dt { (t.valid_until) } dd { (show::time(end)) } }
            }
            p.soft { (t.certificate_help) }
        }
    }
}

fn time(context: &Context<'_>, state: Option<&BoxState>, zone: &str, wrong: &str) -> Markup {
    let (t, lang) = (&context.t.system, context.lang);
    let names = administration::zones();
    let options: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    html! {
        section.card {
            h2 { (t.clock) }
            dl {
                dt { (t.now) } dd { (show::second(clock::now())) }
                dt { (t.clock_source) }
                dd {
                    @match state.map(|state| &state.clock) {
                        None => (t.clock_computer),
                        Some(Clock::Unknown) => (t.clock_unknown),
                        Some(Clock::Own) => (t.clock_own),
                        Some(Clock::Server { server, .. }) => (server),
                    }
                }
                @if let Some(Clock::Server { at, corrected, .. }) = state.map(|state| &state.clock) {
                    dt { (t.clock_asked) } dd { (show::ago(lang, *at)) }
                    dt { (t.clock_corrected) } dd { (show::milliseconds(lang, *corrected)) }
                }
                @if let Some(state) = state {
                    dt { (t.time_servers) }
                    dd {
                        @if state.settings.time_servers.is_empty() { "DHCP, pool.ntp.org" }
                        @else { (state.settings.time_servers.join(", ")) }
                        " " a href="/admin/system/network" { (context.t.page.edit) }
                    }
                }
            }
            form method="post" action="/admin/system" {
                (layout::token(context))
                @if !wrong.is_empty() { (super::fields::wrong(wrong)) }
                (select("time_zone", t.time_zone, zone, &options, t.time_zone_help))
                button.first { (context.t.page.save) }
            }
        }
    }
}

fn watchdog(context: &Context<'_>, state: &BoxState) -> Markup {
    let t = &context.t.system;
    let caused = state.watchdog.as_ref().is_some_and(|watchdog| watchdog.caused_start);
    html! {
        section.card {
            h2 { (t.watchdog) }
            @match &state.watchdog {
                None => div.note.warn { p { (t.watchdog_none) } },
                Some(watchdog) => {
                    dl {
                        dt { (t.watchdog_device) }
                        dd {
                            (watchdog.identity) ", " (watchdog.timeout) " s"
                            @if !watchdog.is_hardware { " " small { (t.watchdog_software) } }
                        }
                        dt { (t.watchdog_caused) } dd { @if caused { (context.t.page.yes) } @else { (context.t.page.no) } }
                        dt { (t.watchdog_in_a_row) } dd { (state.watchdog_starts) }
                    }
                }
            }
        }
    }
}
