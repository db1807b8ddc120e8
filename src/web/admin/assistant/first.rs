//! The last page for somebody who sets up a source: its test, then its first run with an honest estimate, then its first mails.

use maud::{Markup, html};

use super::super::super::Context;
use super::super::super::error::Result;
use super::super::super::layout;
use super::super::super::response::Response;
use super::super::form::Kind;
use super::super::test::{self, Test};
use super::super::{Part, again, definition, page, path, show as shows};
use super::{first_path, o365, other};
use crate::archive::commit::Run;
use crate::fetch::board::Standing;
use crate::fetch::progress::Progress;
use crate::limits::RUNS_LOOKED;
use crate::settings::Definition;

/// Seconds between two looks.
const LOOK: u32 = 2;
/// Messages and seconds after which a rate says something.
const ENOUGH: u64 = 20;
const LONG_ENOUGH: f64 = 5.0;

/// How far it is.
enum Stage {
    Untested,
    Testing,
    Failed,
    Waits,
    Runs,
    Ended(Run),
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.assistant;
    let definition = definition(context)?;
    let view = context.view()?;
    let test = context.web.tests.of(&definition.name);
    let standing = context.web.fetcher.board.standing(&definition.name);
    let last = view.runs(&definition.name, 1, RUNS_LOOKED)?.pop();
    let stage = stage(&definition, test.as_ref(), &standing, last);
    let goes_on = matches!(stage, Stage::Testing | Stage::Waits | Stage::Runs);
    let has_documents = view.count()? > 0;
    let body = html! {
        p { a href="/admin/sources" { "← " (context.t.admin.sources) } }
        h1 { (t.first_title) ": " (definition.name) }
        (said(context, &stage))
        @if matches!(stage, Stage::Runs) { (progress(context, standing.progress.as_ref())) }
        @if let Stage::Ended(run) = &stage { (ended(context, run)) }
        @for sentence in &standing.sentences { div.note.bad { p { (sentence.of(context.lang)) } } }
        @if has_documents && !matches!(stage, Stage::Untested | Stage::Testing | Stage::Failed) { (documents(context)) }
        @if matches!(stage, Stage::Untested | Stage::Failed) { (remedies(context, &definition)) }
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

fn stage(definition: &Definition, test: Option<&Test>, standing: &Standing, last: Option<Run>) -> Stage {
    if standing.running_since.is_some() {
        return Stage::Runs;
    }
    if let (false, Some(run)) = (definition.inactive || standing.is_asked, last) {
        return Stage::Ended(run);
    }
    match test {
        Some(test) if test.is_running => Stage::Testing,
        _ if !definition.inactive => Stage::Waits,
        Some(test) if test.has_failed => Stage::Failed,
        // Passed, and not active yet: that is done in the next moment.
        Some(_) => Stage::Testing,
        None => Stage::Untested,
    }
}

fn said(context: &Context<'_>, stage: &Stage) -> Markup {
    let t = &context.t.assistant;
    let (class, sentence) = match stage {
        Stage::Untested => ("warn", t.first_untested),
        Stage::Testing => ("", t.first_testing),
        Stage::Failed => ("bad", t.first_failed),
        Stage::Waits => ("good", t.first_waits),
        Stage::Runs => ("", t.first_running),
        Stage::Ended(run) if run.trouble.is_empty() => ("good", t.first_ended),
        Stage::Ended(_) => ("bad", t.first_trouble),
    };
    html! { div class={ "note " (class) } role="status" { p { (sentence) } } }
}

/// What can be done where the test did not pass.
fn remedies(context: &Context<'_>, definition: &Definition) -> Markup {
    let t = &context.t.assistant;
    let change = match Kind::of(definition) {
        Kind::O365 => o365::path(&definition.name),
        Kind::Imap if other::is_single(definition) => other::path(&definition.name),
        Kind::Imap => format!("{}/edit", path(&definition.name)),
    };
    html! {
        form.row.actions method="post" action=(first_path(&definition.name)) {
            (layout::token(context))
            button.first name="do" value="test" { (t.first_again) }
            a.button href=(change) { (t.first_change) }
            button name="do" value="start" { (t.first_anyway) }
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

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn real(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
fn rate(bytes: u64, seconds: f64) -> u64 {
    (real(bytes) / seconds.max(0.001)) as u64
}

fn per_second(done: u64, seconds: f64) -> String {
    let rate = real(done) / seconds.max(0.001);
    if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

/// Seconds that are left in a folder at the rate so far; `None` as long as that rate says nothing.
#[expect(clippy::cast_possible_truncation, reason = "an estimate for people")]
fn left(done: u64, of: u64, seconds: f64) -> Option<i64> {
    let is_known = done >= ENOUGH && seconds >= LONG_ENOUGH && of > done;
    is_known.then(|| (seconds / real(done) * real(of - done)) as i64)
}

fn ended(context: &Context<'_>, run: &Run) -> Markup {
    let (admin, lang) = (&context.t.admin, context.lang);
    html! {
        section.card {
            progress aria-label=(admin.progress) value="1" max="1" {}
            dl {
                dt { (admin.archived) } dd { (shows::number(lang, run.archived)) }
                dt { (admin.left_out) } dd { (shows::number(lang, run.left_out)) }
                dt { (admin.failed) } dd { (shows::number(lang, run.failed)) }
                dt { (admin.bytes) } dd { (shows::size(lang, run.bytes)) }
                @if !run.trouble.is_empty() { dt { (admin.trouble) } dd { (run.trouble) } }
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
    if form.text("do") == "start" {
        test::start(&context.web.archive, &context.web.fetcher, &definition.name, &context.who())?;
    } else if !test::test(context, definition, true)? {
        context.notice(context.t.admin.test_busy);
    }
    Ok(Response::redirect(&to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_made_when_there_is_something_to_go_by() {
        assert_eq!(left(0, 100, 10.0), None);
        assert_eq!(left(19, 100, 10.0), None);
        assert_eq!(left(50, 100, 1.0), None);
        assert_eq!(left(50, 100, 10.0), Some(10));
        assert_eq!(left(100, 100, 10.0), None);
        assert_eq!((per_second(100, 10.0), per_second(5, 2.0)), ("10".into(), "2.5".into()));
    }
}
