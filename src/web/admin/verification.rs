//! Verification: whether the whole archive can still be read, for administrators and auditors.

use maud::{Markup, html};

use super::super::Context;
use super::super::error::{Result, WebError};
use super::super::layout;
use super::super::response::{Body, Response};
use super::state::Mood;
use super::{Part, page, show};
use crate::clock;
use crate::language::Lang;
use crate::limits::TABLE_CHARS;
use crate::settings::verifications::{self, By, Standing, Verification};
use crate::verification::{Stage, Underway};

const PATH: &str = "/admin/verification";
/// Seconds between two looks at one that is under way, at full speed and slowly.
const LOOK: u32 = 2;
const LOOK_SLOWLY: u32 = 30;

/// How the archive stands, what is under way, and all reports.
pub fn list(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.verification;
    let archive = &context.web.archive;
    let standing = Standing::at(archive, clock::now())?;
    let underway = context.web.verifier.underway();
    let reports = verifications::all(archive)?;
    let is_busy = underway.iter().any(|one| one.by == By::Person);
    let body = html! {
        h1 { (t.title) }
        p { (t.intro) }
        (state(context, &standing))
        @for one in &underway { (progress(context, one)) }
        @if !is_busy {
            form.card.actions method="post" action=(PATH) {
                (layout::token(context))
                button.first { (t.verify_now) }
                p.soft { (t.verify_now_help) }
            }
        }
        section.card {
            h2 { (t.reports) }
            p.soft { (t.reports_help) }
            @if reports.is_empty() { p { (t.reports_none) } } @else { (table(context, &reports)) }
        }
    };
    let response = page(context, Part::Proof, t.title, &body);
    Ok(match underway.iter().any(|one| one.by != By::Scrub) {
        true => super::again(response, LOOK),
        false if !underway.is_empty() => super::again(response, LOOK_SLOWLY),
        false => response,
    })
}

/// Begins one at full speed.
pub fn begin(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let t = &context.t.verification;
    let has_begun = context.web.verifier.begin(&context.web.archive, &context.who())?;
    context.notice(if has_begun { t.begun } else { t.busy });
    Ok(Response::redirect(PATH))
}

/// Ends one that somebody began.
pub fn cancel(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let t = &context.t.verification;
    let was_there = form.text("id").parse().is_ok_and(|id| context.web.verifier.cancel(id));
    context.notice(if was_there { t.cancelled } else { t.not_cancelled });
    Ok(Response::redirect(PATH))
}

/// One report; `as=text` and `as=json`: as a file.
pub fn report(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.verification;
    let number = context.number(0)?;
    let all = verifications::all(&context.web.archive)?;
    let report = all.into_iter().find(|report| report.number == number).ok_or(WebError::NotFound)?;
    let name = |ending: &str| format!("verification-{number}.{ending}");
    match context.request.query.text("as") {
        "text" => return Ok(Response::text(200, as_text(context, &report)).attachment(&name("txt"))),
        "json" => {
            let json = serde_json::to_vec_pretty(&report).map_err(std::io::Error::other)?;
            return Ok(Response::new(200, "application/json", Body::Bytes(json)).attachment(&name("json")));
        }
        _ => {}
    }
    let title = format!("{}, {} {number}", t.title, t.report);
    let as_file = |kind: &str| format!("{PATH}/{number}?as={kind}");
    let body = html! {
        p.actions { a href=(PATH) { "← " (t.title) } }
        h1 { (title) }
        div class={ "note " (mood(&report).class()) } { p { strong { (result(context, &report)) } } }
        section.card { dl { @for (name, value) in facts(context, &report) { dt { (name) } dd.breaks { (value) } } } }
        @if !report.damaged.is_empty() {
            section.card {
                h2 { (t.damaged_documents) }
                p { @for (place, number) in report.damaged.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href={ "/documents/" (number) } { (number) }
                } }
                p { (t.damaged_help) }
            }
        }
        @if report.findings > 0 {
            section.card {
                h2 { (t.findings) }
                ul { @for line in &report.lines { li.breaks { (line) } } }
                @if let Some(more) = more(&report) { p { ((t.findings_more)(more)) } }
            }
        }
        @if !report.notes.is_empty() {
            section.card { h2 { (t.notes) } ul { @for note in &report.notes { li.breaks { (note) } } } }
        }
        div.actions {
            p.soft { (t.print_help) }
            p.row {
                a.button href=(as_file("text")) { (t.as_text) }
                a.button href=(as_file("json")) { (t.as_json) }
            }
        }
    };
    Ok(page(context, Part::Proof, &title, &body))
}

fn mood(report: &Verification) -> Mood {
    if report.is_clean() { Mood::Good } else { Mood::Bad }
}

/// One sentence.
pub fn sentence(context: &Context<'_>, standing: &Standing) -> &'static str {
    let t = &context.t.verification;
    match &standing.last {
        None => t.never,
        Some(last) if last.is_clean() => t.clean,
        Some(last) if last.is_complete => t.damaged,
        Some(_) => t.broken_off,
    }
}

fn state(context: &Context<'_>, standing: &Standing) -> Markup {
    let (t, lang) = (&context.t.verification, context.lang);
    let mood = standing.last.as_ref().map_or(Mood::Inactive, mood);
    html! {
        div class={ "verdict note " (mood.class()) } role="status" { p { strong { (sentence(context, standing)) } } }
        @if let Some(days) = standing.late { div.note.warn { p { ((t.alarm_late)(days)) } } }
        section.card {
            h2 { (t.state) }
            dl {
                @if let Some(last) = &standing.last {
                    dt { (t.last) }
                    dd {
                        (show::ago(lang, last.ended)) " "
                        a href={ (PATH) "/" (last.number) } { (t.report) " " (last.number) }
                    }
                }
                dt { (t.next) }
                dd {
                    @match standing.next {
                        None => (t.next_none),
                        Some(next) if next <= clock::now() => (t.next_now),
                        Some(next) => (show::ahead(lang, next)),
                    }
                }
            }
        }
    }
}

fn progress(context: &Context<'_>, one: &Underway) -> Markup {
    let (t, lang) = (&context.t.verification, context.lang);
    let of = if lang == Lang::De { "von" } else { "of" };
    html! {
        section.card {
            h2 { (t.underway) }
            p { @match one.stage { Stage::Reads => (t.reads), Stage::Compares => (t.compares) } }
            @if one.total > 0 {
                progress aria-label=(t.underway) value=(one.looked) max=(one.total) {}
                p { (show::size(lang, one.looked)) " " (of) " " (show::size(lang, one.total)) }
            } @else { progress aria-label=(t.underway) {} }
            p.soft { (t.began) ": " (show::ago(lang, one.began)) " · " (by(context, one.by, &one.who)) }
            @if one.by != By::Scrub {
                form.actions method="post" action={ (PATH) "/cancel" } {
                    (layout::token(context))
                    input type="hidden" name="id" value=(one.id);
                    button { (t.cancel) }
                }
            }
        }
    }
}

fn table(context: &Context<'_>, reports: &[Verification]) -> Markup {
    let (t, lang) = (&context.t.verification, context.lang);
    html! {
        div.scroll role="region" tabindex="0" aria-label=(t.reports) { table {
            thead { tr {
                th scope="col" { (t.report) } th scope="col" { (t.ended) } th scope="col" { (t.by) }
                th scope="col" { (t.result) } th.number scope="col" { (t.documents) } th.number scope="col" { (t.bytes) }
            } }
            tbody { @for report in reports { tr {
                th scope="row" { a href={ (PATH) "/" (report.number) } { (report.number) } }
                td { (show::time(report.ended)) }
                td { (by(context, report.by, &report.who)) }
                td { span class={ "tag " (mood(report).class()) } { (result(context, report)) } }
                td.number { (show::number(lang, report.documents)) }
                td.number { (show::size(lang, report.bytes)) }
            } } }
        } }
    }
}

fn by(context: &Context<'_>, by: By, who: &str) -> String {
    let t = &context.t.verification;
    match by {
        By::Scrub => t.by_scrub.to_owned(),
        By::Person => show::cut(who, TABLE_CHARS),
        By::Console => t.by_console.to_owned(),
    }
}

fn result(context: &Context<'_>, report: &Verification) -> String {
    let t = &context.t.verification;
    if report.is_clean() { t.result_clean.to_owned() } else { (t.result_damaged)(report.findings) }
}

/// Findings that are not spelled out.
fn more(report: &Verification) -> Option<u64> {
    report.findings.checked_sub(report.lines.len() as u64).filter(|more| *more > 0)
}

/// What stands on top of a report.
fn facts(context: &Context<'_>, report: &Verification) -> Vec<(&'static str, String)> {
    let (t, lang) = (&context.t.verification, context.lang);
    let number = |count| show::number(lang, count);
    let name = &context.administration.archive_name;
    let bytes = format!("{} ({} B)", show::size(lang, report.bytes), number(report.bytes));
    [
        (t.archive, name.clone()),
        (t.began, show::second(report.began)),
        (t.ended, show::second(report.ended)),
        (t.by, by(context, report.by, &report.who)),
        (t.release, report.release.clone()),
        (t.result, result(context, report)),
        (t.documents, number(report.documents)),
        (t.packs, number(report.packs)),
        (t.bytes, bytes),
        (t.commits, number(report.commits)),
        (t.head, report.head.clone()),
    ]
    .into()
}

fn as_text(context: &Context<'_>, report: &Verification) -> String {
    use std::fmt::Write;
    let t = &context.t.verification;
    let mut text = format!("{}, {} {}\n\n", t.title, t.report, report.number);
    for (name, value) in facts(context, report) {
        let _ = writeln!(text, "{name}: {value}");
    }
    if !report.damaged.is_empty() {
        let numbers: Vec<String> = report.damaged.iter().map(u64::to_string).collect();
        let _ = writeln!(text, "\n{}: {}", t.damaged_documents, numbers.join(", "));
    }
    for (title, lines, more) in [(t.findings, &report.lines, more(report)), (t.notes, &report.notes, None)] {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{title}:");
        }
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
        if let Some(more) = more {
            let _ = writeln!(text, "{}", (t.findings_more)(more));
        }
    }
    text
}
