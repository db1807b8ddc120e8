//! Overview: is everything archived?

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::super::response::Response;
use super::state::{Mood, State};
use super::{Part, alarms, growth, page, path, show, system};
use crate::archive::view::View;
use crate::disk::Room;
use crate::settings;
use crate::settings::fetching::Fetching;

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.admin;
    let view = context.view()?;
    let archive = &context.web.archive;
    let (mut states, mut unreadable) = (Vec::new(), Vec::new());
    for definition in settings::definitions(archive)? {
        match definition {
            Ok(definition) => states.push((State::of(context, &view, &definition)?, definition.name)),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    // The most important first.
    states.sort_by_key(|(state, _)| std::cmp::Reverse(state.worst()));
    let is_empty = states.is_empty() && unreadable.is_empty();
    let alarms = alarms::of(context);
    let is_paused = Fetching::read(archive)?.paused;
    let (mood, said) = match states.first().map(|(state, _)| state.worst()) {
        _ if archive.stopped().is_some() || !unreadable.is_empty() => (Mood::Bad, t.all_bad),
        None => (Mood::Warn, t.all_none),
        Some(Mood::Ended) => (Mood::Ended, context.t.rights.all_ended),
        Some(Mood::Inactive) => (Mood::Warn, t.all_inactive),
        Some(Mood::Good) => (Mood::Good, t.all_good),
        Some(Mood::Running) => (Mood::Running, t.all_running),
        Some(Mood::Warn) => (Mood::Warn, t.all_warn),
        Some(Mood::Bad) => (Mood::Bad, t.all_bad),
    };
    // Where the box itself is not well, nothing is called good; what is to be done beside it leaves the mails as they are.
    let of_box = alarms.iter().filter(|alarm| alarm.more.is_none() || alarm.mood == Mood::Bad);
    let (mood, said) = match of_box.map(|alarm| alarm.mood).max() {
        Some(alarm) if alarm > mood => (alarm, if alarm == Mood::Bad { t.all_bad } else { t.all_warn }),
        _ => (mood, said),
    };
    let body = html! {
        h1 { (t.overview) }
        div class={ "verdict note " (mood.class()) } role="status" { p { strong { (said) } } }
        @if let Some(why) = archive.stopped() { div.note.bad role="alert" { p { (t.stopped) " " (why) } } }
        @for alarm in &alarms { (alarm.note(context)) }
        @for why in &unreadable { div.note.bad { p { (t.unreadable) ": " (why) } } }
        @if is_empty {
            section.card {
                p { (t.sources_empty) }
                (super::sources::add_buttons(context))
            }
        } @else {
            section.card {
                h2 { (t.definitions) }
                ul.plain {
                    @for (state, name) in &states { (one(context, state, name)) }
                }
                @if !is_paused {
                    form method="post" action="/admin/pause" {
                        (layout::token(context))
                        input type="hidden" name="paused" value="1";
                        button { (t.pause) }
                    }
                }
            }
        }
        (numbers(context, &view)?)
        (growth::card(context, &view)?)
        @if !archive.findings().is_empty() {
            section.card {
                h2 { (t.findings) }
                p { (t.findings_help) }
                ul { @for line in archive.findings().lines() { li { (line) } } }
            }
        }
    };
    let response = page(context, Part::Overview, t.overview, &body);
    let is_running = states.iter().any(|(state, _)| state.standing.running_since.is_some());
    Ok(if is_running { super::again(response, 5) } else { response })
}

/// Pauses all fetching, or lets it go on.
pub fn pause(context: &Context<'_>) -> Result<Response> {
    let is_paused = context.form()?.is_on("paused");
    let _turn = context.web.settings();
    context.web.fetcher.pause(&context.web.archive, is_paused, &context.who())?;
    context.notice(if is_paused { context.t.admin.paused } else { context.t.system.gone_on });
    Ok(Response::redirect("/admin"))
}

fn one(context: &Context<'_>, state: &State, name: &str) -> Markup {
    let t = &context.t.admin;
    html! {
        li.state {
            p.row.spread {
                strong { a href=(path(name)) { (name) } }
                (state.tag())
            }
            p { (state.sentence) }
            @if state.is_untested { p { (super::sources::test_link(context, name)) } }
            @for (mood, sentence) in &state.further { div class={ "note " (mood.class()) } { p { (sentence) } } }
            p.soft { (t.last_run) ": " (state.last_run(context)) " · " (t.next_run) ": " (state.next_run(context)) }
        }
    }
}

fn numbers(context: &Context<'_>, view: &View) -> Result<Markup> {
    let (t, lang) = (&context.t.admin, context.lang);
    let first = view.documents(0, 1)?.pop().map(|(_, document)| document.metadata.archived);
    let behind = context.web.index.behind(&context.web.archive)?;
    let memory = system::facts::own_memory();
    let disk = Room::of(&context.web.archive.paths().data).ok();
    Ok(html! {
        section.card {
            h2 { (t.numbers) }
            dl {
                dt { (t.documents) } dd { (show::number(lang, view.count()?)) }
                dt { (t.since) } dd { @if let Some(first) = first { (show::ago(lang, first)) } @else { (t.never) } }
                dt { (t.search_index) }
                dd {
                    @if behind == 0 { (t.search_index_done) } @else { ((t.search_index_behind)(&show::number(lang, behind))) }
                }
                dt { (t.disk_free) } dd { @if let Some(room) = disk { (show::size(lang, room.free)) " / " (show::size(lang, room.size)) } @else { (t.unknown) } }
                dt { (t.memory) }
                dd { @if let [Some(now), Some(most)] = memory { (show::size(lang, now)) " (max. " (show::size(lang, most)) ")" } @else { (t.unknown) } }
                dt { (t.running_since) } dd { (show::ago(lang, context.web.started)) }
            }
        }
    })
}
