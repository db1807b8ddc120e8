//! Journal and proof: the last checkpoint, signing now, the proof as a ZIP file, all checkpoints.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::super::response::{Body, Response};
use super::{Part, again, journal, page, show};
use crate::archive::Archive;
use crate::archive::checkpoint::{Checkpoint, Kept};
use crate::clock;
use crate::export;
use crate::export::zip::{About, Zip};
use crate::limits::{CHECKPOINTS_PER_PAGE, ROLE_STACK};
use crate::proof::export::hand_out;
use crate::proof::{self, ProofError};
use crate::pulse::Pulse;

/// Seconds between two looks at a checkpoint that is under way.
const LOOK: u32 = 2;
/// Usually a checkpoint takes less, and the next page tells of it.
const SOON: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// A checkpoint that a person asked for: its first one may take minutes, so it is made by a thread of its own.
#[derive(Default)]
pub struct Signing {
    inner: Mutex<Inner>,
    /// Ends whatever is under way.
    pulse: Pulse,
}

#[derive(Default)]
struct Inner {
    is_busy: bool,
    /// How the last one ended, until somebody was told.
    ended: Option<proof::Result<Option<u64>>>,
}

impl Signing {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, archive: Arc<Archive>, who: String) -> std::io::Result<()> {
        if std::mem::replace(&mut self.inner().is_busy, true) {
            return Ok(());
        }
        let (signing, pulse) = (self.clone(), self.pulse.child());
        let work = move || {
            let ended = proof::sign(&archive, &who, &pulse);
            drop(archive);
            *signing.inner() = Inner { is_busy: false, ended: Some(ended) };
        };
        let thread = std::thread::Builder::new().name("checkpoint".into()).stack_size(ROLE_STACK).spawn(work);
        if thread.is_err() {
            self.inner().is_busy = false;
        }
        thread.map(drop)
    }

    /// How it ended, if it has and nobody was told.
    fn wait(&self, most: Duration) -> Option<proof::Result<Option<u64>>> {
        let since = Instant::now();
        while self.inner().is_busy && since.elapsed() < most {
            std::thread::sleep(PAUSE);
        }
        self.inner().ended.take()
    }

    /// Nothing is signed or handed out any more.
    pub fn end(&self) {
        self.pulse.cancel();
    }
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.proof;
    let ended = context.web.signing.wait(Duration::ZERO);
    let is_busy = context.web.signing.inner().is_busy;
    let (journal, status) = journal::section(context)?;
    let body = html! {
        h1 { (t.title) }
        p { (t.intro) }
        @match ended {
            Some(Ok(Some(number))) => div.note.good role="status" { p { ((t.is_signed)(number)) } },
            Some(Ok(None)) => div.note role="status" { p { (t.nothing_new) } },
            Some(Err(error)) => div.note.bad role="alert" { p { (t.has_failed) ": " (error) } },
            None => {}
        }
        section.card {
            h2 { (t.last) }
            (last(context)?)
            @if is_busy { p role="status" { (t.signing) } }
            div.row.actions {
                form method="post" action="/admin/proof/sign" {
                    (layout::token(context))
                    button.first disabled[is_busy] { (t.sign) }
                }
                form method="post" action="/admin/proof/download" {
                    (layout::token(context))
                    button { (t.download) }
                }
                a.button href="/admin/verification" { (context.t.verification.title) }
                a.button href="/admin/proof/checkpoints" { (t.all) }
            }
            p.soft { (t.download_help) }
        }
        (journal)
    };
    let response = page(context, Part::Proof, t.title, &body).status(status);
    Ok(if is_busy { again(response, LOOK) } else { response })
}

fn last(context: &Context<'_>) -> Result<Markup> {
    let (t, view) = (&context.t.proof, context.view()?);
    let (kept, checkpoint) = match proof::last(&view) {
        Ok(Some(last)) => last,
        Ok(None) => return Ok(html! { p { (t.none) } }),
        Err(ProofError::Archive(error)) => return Err(error.into()),
        Err(error) => {
            tracing::error!("{error}");
            return Ok(html! { div.note.bad role="alert" { p { (t.is_wrong) } } });
        }
    };
    let position = view.position()?.unwrap_or_default().sequence;
    Ok(html! {
        dl {
            dt { (t.number) } dd { (kept.number) }
            dt { (t.signed) } dd { (show::ago(context.lang, checkpoint.time)) }
            dt { (t.documents) } dd { (show::number(context.lang, checkpoint.documents)) }
            dt { (t.commit) } dd { (checkpoint.commit) }
            dt { (t.link) } dd.mono { (checkpoint.link) }
            dt { (t.hash) } dd { span.mono { (kept.signed.sha256()) } br; small { (t.hash_help) } }
            dt { (t.device) } dd { span.mono { (checkpoint.device) } (new_device(context, &checkpoint)) }
        }
        p { @if kept.has_more(&checkpoint, position) { (t.is_behind) } @else { (t.is_whole) } }
    })
}

fn new_device(context: &Context<'_>, checkpoint: &Checkpoint) -> Markup {
    let is_new = checkpoint.device_before.is_some_and(|before| before != checkpoint.device);
    html! { @if is_new { " " span.tag.warn { (context.t.proof.new_device) } } }
}

/// `/admin/proof/checkpoints`: all of them, the newest first.
pub fn list(context: &Context<'_>) -> Result<Response> {
    let (t, view) = (&context.t.proof, context.view()?);
    let last = Kept::last(&view)?.map_or(0, |kept| kept.number);
    let before: u64 = context.request.query.text("before").parse().unwrap_or(u64::MAX);
    let high = last.min(before.saturating_sub(1));
    let low = high.saturating_sub(CHECKPOINTS_PER_PAGE);
    let mut rows = Vec::new();
    for number in (low + 1..=high).rev() {
        rows.push((number, Kept::get(&view, number)?));
    }
    let body = html! {
        p { a href="/admin/proof" { "← " (t.title) } }
        h1 { (t.all) }
        section.card {
            @if rows.is_empty() { p { (t.none) } } @else {
                div.scroll role="region" tabindex="0" aria-label=(t.all) { table {
                    thead { tr {
                        th.number scope="col" { (t.number) } th scope="col" { (t.signed) }
                        th.number scope="col" { (t.documents) } th.number scope="col" { (t.commit) }
                        th scope="col" { (t.hash) }
                    } }
                    tbody { @for (number, kept) in &rows { (row(context, *number, kept.as_ref())) } }
                } }
            }
            p.row {
                @if high < last { a href="/admin/proof/checkpoints" { (context.t.admin.first_page) } }
                @if low > 0 { a href={ "/admin/proof/checkpoints?before=" (low + 1) } { (context.t.admin.further) } }
            }
        }
    };
    Ok(page(context, Part::Proof, t.all, &body))
}

fn row(context: &Context<'_>, number: u64, kept: Option<&Kept>) -> Markup {
    let lang = context.lang;
    let said = kept.and_then(|kept| Some((kept, kept.signed.check().ok()?)));
    html! {
        tr {
            td.number { (number) }
            @if let Some((kept, checkpoint)) = said {
                td { (show::time(checkpoint.time)) (new_device(context, &checkpoint)) }
                td.number { (show::number(lang, checkpoint.documents)) } td.number { (checkpoint.commit) }
                td.mono { (kept.signed.sha256()) }
            } @else { td { span.tag.bad { (context.t.page.wrong) } } td {} td {} td {} }
        }
    }
}

/// Signs what is not signed yet.
pub fn sign(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let signing = &context.web.signing;
    signing.begin(context.web.archive.clone(), context.who())?;
    match signing.wait(SOON) {
        Some(Ok(Some(number))) => context.notice((context.t.proof.is_signed)(number)),
        Some(Ok(None)) => context.notice(context.t.proof.nothing_new),
        // The page says why.
        failed => signing.inner().ended = failed,
    }
    Ok(Response::redirect("/admin/proof"))
}

/// The whole proof as one ZIP file, made while it is sent.
pub fn download(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let (archive, who, zone) = (context.web.archive.clone(), context.who(), show::zone());
    let pulse = context.web.signing.pulse.child();
    let now = export::local(&zone, clock::now());
    let send = move |out: &mut dyn std::io::Write| {
        let mut zip = Zip::new(out);
        let handed = hand_out(&archive, &who, &pulse, &mut |name, file| {
            let about = About::of(&mut file.reader()?, now)?;
            zip.file(name, about, &mut |out| std::io::copy(&mut file.reader()?, out).map(drop))
        });
        handed.map_err(std::io::Error::other)?;
        zip.finish().map(drop)
    };
    let name = format!("{} {}.zip", context.t.dms.tab_proof, now.date());
    let body = Body::Stream { len: None, reads: 0, send: Box::new(send) };
    Ok(Response::new(200, "application/zip", body).attachment(&name))
}
