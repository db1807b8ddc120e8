//! One definition: what goes on just now, and its last runs.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::super::response::Response;
use super::estimate::{left, rate};
use super::sources::{run_button, test_link};
use super::state::State;
use super::{Tab, definition, path, run_bars, show, source_page};
use crate::archive::commit::Run;
use crate::fetch::progress::Progress;
use crate::language::Lang;
use crate::limits::{RUN_BARS, RUNS_LOOKED};

/// Runs that are listed.
const RUNS: usize = 20;
/// Seconds between two looks at a run.
const LOOK: u32 = 2;

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.admin;
    let definition = definition(context)?;
    let view = context.view()?;
    let state = State::of(context, &view, &definition)?;
    let mut runs = view.runs(&definition.name, RUN_BARS, RUNS_LOOKED)?;
    if runs.is_empty() {
        // Inactive for long: looked for as far back as there are runs, since a person asks.
        runs = view.runs(&definition.name, RUNS, usize::MAX)?;
    }
    let standing = &state.standing;
    let is_running = standing.running_since.is_some();
    let body = html! {
        (state.notes())
        @if let Some(since) = standing.running_since {
            section.card {
                h2 { (t.progress) }
                (progress(context, standing.progress.as_ref()))
                form method="post" action={ (path(&definition.name)) "/cancel" } {
                    (layout::token(context))
                    button { (t.cancel_run) }
                }
                p.soft { (t.started) ": " (show::ago(context.lang, since)) }
                @for sentence in &standing.sentences { div.note.bad { p { (sentence.of(context.lang)) } } }
            }
        } @else if standing.is_asked { p role="status" { (t.waits) } }
        section.card {
            dl {
                dt { (t.last_run) } dd { (state.last_run(context)) }
                dt { (t.next_run) } dd { (state.next_run(context)) }
                dt { (t.mailboxes) } dd { (show::number(context.lang, state.open.mailboxes)) }
                @if !definition.owner.is_empty() { dt { (context.t.rights.owner) } dd { (definition.owner) } }
            }
            div.row.actions {
                @if definition.is_fetched() { (run_button(context, &definition.name, false)) }
                @if state.is_untested { (test_link(context, &definition.name)) }
                @if !definition.ended {
                    form method="post" action={ (path(&definition.name)) "/inactive" } {
                        (layout::token(context))
                        @if definition.inactive { button { (t.switch_on) } }
                        @else { input type="hidden" name="inactive" value="1"; button { (t.switch_off) } }
                    }
                }
                a.button href={ (path(&definition.name)) "/end" } {
                    (if definition.ended { context.t.rights.resume } else { context.t.rights.end })
                }
                a.button href={ (path(&definition.name)) "/delete" } { (t.delete) }
            }
        }
        section.card {
            h2 { (t.runs) }
            @if runs.is_empty() { p { (t.runs_empty) } } @else {
                (run_bars::pictures(context, &runs))
                (table(context, &runs[..runs.len().min(RUNS)]))
            }
        }
    };
    let response = source_page(context, &definition, Tab::Runs, &body);
    Ok(if is_running || standing.is_asked { super::again(response, LOOK) } else { response })
}

/// Ends the run that is under way.
pub fn cancel(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let definition = definition(context)?;
    let t = &context.t.admin;
    let was_there = context.web.fetcher.cancel(&definition.name, &context.who());
    context.notice(if was_there { t.run_cancelled } else { t.no_run });
    Ok(Response::redirect(&path(&definition.name)))
}

fn progress(context: &Context<'_>, progress: Option<&Progress>) -> Markup {
    let (t, lang) = (&context.t.admin, context.lang);
    let Some(Progress::Folder { mailbox, folder, done, of, bytes, seconds, at, .. }) = progress else {
        return html! { p { (t.starting) } progress aria-label=(t.progress) {} };
    };
    let number = |count: u64| show::number(lang, count);
    let between = if lang == Lang::De { "von" } else { "of" };
    html! {
        // Several are worked at a time; the one that moved last is shown.
        @if at.mailboxes > 1 {
            p.soft { (t.mailboxes) ": " (number(at.mailbox.saturating_sub(1))) " " (between) " " (number(at.mailboxes)) }
        }
        p { strong { (mailbox) } " " (folder) }
        @if *of > 0 { progress aria-label=(t.progress) value=(done) max=(of) {} }
        @else { progress aria-label=(t.progress) {} }
        p {
            (number(*done)) " " (between) " " (number(*of)) " · " (show::size(lang, *bytes))
            " · " (show::size(lang, rate(*bytes, *seconds))) "/s"
            @if let Some(left) = left(*done, *of, *seconds) {
                " · " (t.left_time) " " (show::span(lang, left)) " " (t.left_time_after)
            }
        }
    }
}

fn table(context: &Context<'_>, runs: &[Run]) -> Markup {
    let (t, lang) = (&context.t.admin, context.lang);
    let number = |count: u64| html! { td.number { (show::number(lang, count)) } };
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let seconds = |run: &Run| (run.ended - run.started).max(1) as f64;
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { (t.started) } th scope="col" { (t.ended) } th.number scope="col" { (t.seen) }
                    th.number scope="col" { (t.archived) } th.number scope="col" { (t.same) }
                    th.number scope="col" { (t.left_out) } th.number scope="col" { (t.failed) }
                    th.number scope="col" { (t.unexplained) } th.number scope="col" { (t.bytes) }
                    th.number scope="col" { (t.rate) } th scope="col" { (t.trouble) }
                } }
                tbody {
                    @for run in runs {
                        tr {
                            td { (show::time(run.started)) } td { (show::time(run.ended)) }
                            (number(run.seen)) (number(run.archived)) (number(run.same)) (number(run.left_out))
                            (number(run.failed)) (number(run.unexplained))
                            td.number { (show::size(lang, run.bytes)) }
                            td.number { (show::size(lang, rate(run.bytes, seconds(run)))) "/s" }
                            td.said { (run.trouble) }
                        }
                    }
                }
            }
        }
    }
}
