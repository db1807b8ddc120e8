//! The last page for somebody who sets up a source: its test, then its first run with an honest estimate, then its first mails.

use maud::{Markup, html};

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout;
use super::super::super::response::Response;
use super::super::estimate::{left, per_second, rate};
use super::super::form::Kind;
use super::super::test::{self, Test};
use super::super::{Part, again, definition, page, path, show as shows};
use super::{first_path, o365, other};
use crate::archive::commit::Run;
use crate::fetch::board::Standing;
use crate::fetch::progress::Progress;
use crate::limits::{RUN_BARS, RUNS_LOOKED};
use crate::settings::Definition;

/// Seconds between two looks.
const LOOK: u32 = 2;

/// How far it is.
enum Stage {
    Untested,
    Testing,
    Failed,
    /// The test has passed, and nothing was begun.
    Passed,
    Waits,
    Runs,
    Ended(Run),
    /// The definition has ended for good.
    Over,
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.assistant;
    let definition = definition(context)?;
    let view = context.view()?;
    let test = context.web.tests.of(&definition.name);
    let standing = context.web.fetcher.board.standing(&definition.name);
    let runs = view.runs(&definition.name, RUN_BARS, RUNS_LOOKED)?;
    let has_mails = archived(&standing) > 0 || runs.iter().any(|run| run.archived + run.same > 0);
    let stage = stage(&definition, test.as_ref(), &standing, runs.into_iter().next());
    let goes_on = matches!(stage, Stage::Testing | Stage::Waits | Stage::Runs);
    let body = html! {
        p { a href="/admin/sources" { "← " (context.t.admin.sources) } }
        h1 { (t.first_title) ": " (definition.name) }
        (said(context, &stage, test.as_ref()))
        @if matches!(stage, Stage::Runs) { (progress(context, standing.progress.as_ref())) }
        @if let Stage::Ended(run) = &stage { (ended(context, run, standing.sentences.is_empty())) }
        @for sentence in &standing.sentences { div.note.bad { p { (sentence.of(context.lang)) } } }
        @if has_mails && matches!(stage, Stage::Waits | Stage::Runs | Stage::Ended(_) | Stage::Over) { (documents(context)) }
        (remedies(context, &definition, &stage))
        @if let Some(test) = &test {
            details.card open[!matches!(stage, Stage::Runs | Stage::Ended(_))] {
                summary { (t.first_test) }
                (test::steps(context, &test.steps))
            }
        }
        p { a href=(path(&definition.name)) { (t.first_details) } }
    };
    let response = page(context, Part::Sources, t.first_title, &body);
    Ok(if goes_on { again(response, LOOK) } else { response })
}

/// Mails that the run under way has archived so far.
fn archived(standing: &Standing) -> u64 {
    match &standing.progress {
        Some(Progress::Folder { archived, .. }) => *archived,
        _ => 0,
    }
}

fn stage(definition: &Definition, test: Option<&Test>, standing: &Standing, last: Option<Run>) -> Stage {
    if standing.running_since.is_some() {
        return Stage::Runs;
    }
    match test {
        _ if definition.ended => Stage::Over,
        Some(test) if test.is_running() => Stage::Testing,
        _ if !definition.inactive => match last.filter(|_| !standing.is_asked) {
            Some(run) => Stage::Ended(run),
            None => Stage::Waits,
        },
        Some(test) if test.has_failed => Stage::Failed,
        Some(_) => Stage::Passed,
        None => Stage::Untested,
    }
}

fn said(context: &Context<'_>, stage: &Stage, test: Option<&Test>) -> Markup {
    let (t, admin) = (&context.t.assistant, &context.t.admin);
    let wait = || context.web.fetcher.waits(&context.web.archive);
    let (class, sentence) = match stage {
        Stage::Untested => ("warn", t.first_untested.to_owned()),
        Stage::Testing => match test {
            Some(test) if test.stage == test::Stage::Waits => ("", admin.test_waits.to_owned()),
            Some(test) if !test.starts => ("", admin.test_running.to_owned()),
            _ => ("", t.first_testing.to_owned()),
        },
        Stage::Failed => ("bad", t.first_failed.to_owned()),
        Stage::Passed => ("good", t.first_passed.to_owned()),
        Stage::Waits => match wait() {
            // What keeps every run from beginning, however free the box is.
            Some(wait) => (if wait.is_trouble() { "bad" } else { "" }, wait.sentence(context.lang)),
            None if test.is_some_and(|test| !test.has_failed) => {
                ("good", format!("{} {}", admin.test_good, t.first_waits))
            }
            None => ("", t.first_waits.to_owned()),
        },
        Stage::Runs => ("", t.first_running.to_owned()),
        Stage::Ended(run) if run.trouble.is_empty() => ("good", t.first_ended.to_owned()),
        Stage::Ended(_) => ("bad", t.first_trouble.to_owned()),
        Stage::Over => ("", context.t.rights.said_ended.to_owned()),
    };
    html! { div class={ "note " (class) } role="status" { p { (sentence) } } }
}

/// What can be done where it is not well, or not begun.
fn remedies(context: &Context<'_>, definition: &Definition, stage: &Stage) -> Markup {
    let t = &context.t.assistant;
    let has_trouble = matches!(stage, Stage::Ended(run) if !run.trouble.is_empty());
    if !has_trouble && !matches!(stage, Stage::Untested | Stage::Failed | Stage::Passed) {
        return html! {};
    }
    let change = match Kind::of(definition) {
        Kind::O365 => o365::path(&definition.name),
        Kind::Imap if other::is_single(definition) => other::path(&definition.name),
        Kind::Imap => format!("{}/edit", path(&definition.name)),
    };
    html! {
        form.row.actions method="post" action=(first_path(&definition.name)) {
            (layout::token(context))
            @if matches!(stage, Stage::Passed) { button.first name="do" value="start" { (t.first_begin) } }
            @else { button.first name="do" value="test" { (t.first_again) } }
            a.button href=(change) { (t.first_change) }
            @if matches!(stage, Stage::Untested | Stage::Failed) { button name="do" value="start" { (t.first_anyway) } }
        }
    }
}

fn progress(context: &Context<'_>, progress: Option<&Progress>) -> Markup {
    let (t, admin, lang) = (&context.t.assistant, &context.t.admin, context.lang);
    let Some(Progress::Folder { mailbox, folder, done, of, bytes, seconds, at, archived, .. }) = progress else {
        return html! { section.card { p { (admin.starting) } progress aria-label=(admin.progress) {} } };
    };
    let number = |count: u64| shows::number(lang, count);
    // Where the bar stands is no promise of time.
    let is_last = at.mailbox >= at.mailboxes && at.folder >= at.folders;
    let left = left(*done, *of, *seconds);
    html! {
        section.card {
            progress aria-label=(admin.progress) value=(format!("{:.4}", at.done)) max="1" {}
            p { ((t.first_place)(at.mailbox, at.mailboxes, at.folder, at.folders)) }
            dl {
                dt { (admin.mailbox) } dd { (mailbox) }
                dt { (admin.folder) } dd { (folder) ": " (number(*done)) " / " (number(*of)) }
                dt { (t.first_archived) } dd { (number(*archived)) }
                dt { (t.first_rate) }
                dd {
                    @if *seconds >= 1.0 && *done > 0 {
                        ((t.mails_per_second)(per_second(*done, *seconds))) ", " (shows::size(lang, rate(*bytes, *seconds))) "/s"
                    } @else { (t.first_unsaid) }
                }
                dt { (t.first_left) }
                dd {
                    @match left {
                        Some(seconds) if is_last => (shows::span(lang, seconds)),
                        Some(seconds) => { (shows::span(lang, seconds)) " " (t.first_folder_only) },
                        None => (t.first_unsaid),
                    }
                }
            }
        }
    }
}

/// `alone`: nothing tells what went wrong in the reader's language, since the process was started again.
fn ended(context: &Context<'_>, run: &Run, alone: bool) -> Markup {
    let (admin, lang) = (&context.t.admin, context.lang);
    html! {
        section.card {
            progress aria-label=(admin.progress) value="1" max="1" {}
            dl {
                dt { (admin.archived) } dd { (shows::number(lang, run.archived)) }
                dt { (admin.left_out) } dd { (shows::number(lang, run.left_out)) }
                dt { (admin.failed) } dd { (shows::number(lang, run.failed)) }
                dt { (admin.bytes) } dd { (shows::size(lang, run.bytes)) }
                @if alone && !run.trouble.is_empty() { dt { (admin.trouble) } dd { (run.trouble) } }
            }
        }
    }
}

/// On to WebDMS, for whoever may read something there.
fn documents(context: &Context<'_>) -> Markup {
    let t = &context.t.assistant;
    let reads = context.person.as_ref().is_some_and(|person| person.user.reads_everything());
    html! {
        section.card {
            h2 { (t.first_documents) }
            @if reads { p { a.button.first href="/" { (t.first_open) } } }
            @else { p { (t.first_no_right) } p { a href="/admin/users" { (context.t.page.users) } } }
        }
    }
}

pub fn send(context: &Context<'_>) -> Result<Response> {
    let form = context.form()?;
    let definition = definition(context)?;
    let to = first_path(&definition.name);
    if definition.ended {
        context.notice(context.t.rights.is_ended);
    } else if form.text("do") == "start" {
        let web = context.web;
        web.tests.start(&web.archive, &web.fetcher, &definition.name, None, &context.who())?;
    } else if !test::test(context, definition, true)? {
        context.notice(context.t.admin.test_busy);
    }
    Ok(Response::redirect(&to))
}
