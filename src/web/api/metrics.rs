//! `/metrics`: figures in the text format of Prometheus, 0.0.4. Off, until there is a token with the right `metrics`, or an
//! administrator named the networks that may ask.
//!
//! It costs as little with a million documents as with ten: nothing is counted row by row but the ledger's open ones.

use std::fmt::Write as _;

use super::super::admin::system::facts;
use super::super::error::Result;
use super::super::{Context, Response};
use super::bearer;
use super::problem::{Problem, Reason};
use crate::clock;
use crate::disk::Room;
use crate::fetch::completeness;
use crate::limits::{OPEN_ROWS, RUNS_LOOKED};
use crate::settings;
use crate::settings::monitoring::Monitoring;
use crate::settings::verifications::Standing;

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page. It is no call of the API, since it speaks another language.
pub fn show(context: &Context<'_>) -> Result<Response> {
    if let Err(problem) = admit(context) {
        return Ok(problem.response());
    }
    Ok(Response::new(200, MEDIA_TYPE, super::super::response::Body::Bytes(figures(context)?.into_bytes())))
}

fn admit(context: &Context<'_>) -> std::result::Result<(), Problem> {
    let request = context.request;
    if request.header("authorization").is_none()
        && Monitoring::read(&context.web.archive)?.networks.allows(request.peer)
    {
        return Ok(());
    }
    let (token, owner) = bearer::found(context.web, request)?;
    if bearer::rights(&token, &owner).metrics {
        Ok(())
    } else {
        let detail = "This needs the right \"metrics\", which this token or its owner has not.";
        Err(Problem::new(Reason::RightMissing).saying(detail))
    }
}

/// The text, figure by figure.
#[derive(Default)]
struct Figures(String);

impl Figures {
    fn begin(&mut self, name: &str, kind: &str, what: &str) {
        let _ = writeln!(self.0, "# HELP archivista_{name} {what}\n# TYPE archivista_{name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, what: &str, value: Option<impl std::fmt::Display>) {
        let Some(value) = value else { return };
        self.begin(name, kind, what);
        let _ = writeln!(self.0, "archivista_{name} {value}");
    }

    fn of_each(&mut self, name: &str, kind: &str, what: &str, all: &[&Figure], value: impl Fn(&Figure) -> Option<i64>) {
        self.begin(name, kind, what);
        for figure in all {
            if let Some(value) = value(figure) {
                let _ = writeln!(self.0, "archivista_{name}{{definition=\"{}\"}} {value}", escaped(&figure.definition));
            }
        }
    }
}

/// One definition.
struct Figure {
    definition: String,
    active: bool,
    /// Nothing of it is an alarm any more.
    ended: bool,
    running: bool,
    good_run: Option<i64>,
    last_run: Option<i64>,
    next_run: Option<i64>,
    mailboxes: u64,
    archived: u64,
    failed: u64,
    unexplained: u64,
}

/// As a label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Runs of a definition that are looked at for the last one without trouble.
const RUNS: usize = 100;

fn definitions(context: &Context<'_>) -> Result<Vec<Figure>> {
    let view = context.view()?;
    let mut all = Vec::new();
    for definition in settings::definitions(&context.web.archive)?.into_iter().flatten() {
        let standing = context.web.fetcher.board.standing(&definition.name);
        let runs = view.runs(&definition.name, RUNS, RUNS_LOOKED)?;
        let open = completeness::open(&view, &definition.name, clock::now(), OPEN_ROWS)?;
        all.push(Figure {
            active: definition.is_fetched(),
            ended: definition.ended,
            running: standing.running_since.is_some(),
            good_run: runs.iter().find(|run| run.trouble.is_empty()).map(|run| run.ended),
            last_run: runs.first().map(|run| run.ended),
            next_run: standing.next.filter(|_| definition.is_fetched()),
            mailboxes: open.mailboxes,
            archived: view.booked(&definition.name)?,
            failed: open.failed,
            unexplained: open.unexplained,
            definition: definition.name,
        });
    }
    Ok(all)
}

fn number(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

fn figures(context: &Context<'_>) -> Result<String> {
    let (web, archive) = (context.web, &context.web.archive);
    let all = definitions(context)?;
    // What has ended runs late, fails and lacks nothing any more.
    let lasting: Vec<&Figure> = all.iter().filter(|of| !of.ended).collect();
    let all: Vec<&Figure> = all.iter().collect();
    let room = Room::of(&archive.paths().data).ok();
    let [memory, memory_most] = facts::own_memory();
    let state = web.link.as_deref().map(crate::appliance::link::Link::state);
    let mut out = Figures::default();
    let gauge = "gauge";
    out.begin("build_info", gauge, "The release that runs.");
    let _ = writeln!(out.0, "archivista_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    let view = context.view()?;
    out.one("documents", gauge, "Documents in the archive: mails and files.", Some(view.count()?));
    out.one("archive_bytes", gauge, "Bytes of the archive on disk.", pack_bytes(&archive.paths().packs));
    out.one(
        "archive_stopped",
        gauge,
        "1 where the archive takes nothing any more.",
        Some(u8::from(archive.stopped().is_some())),
    );
    let verified = Standing::at(archive, clock::now())?;
    let (last, late) = (verified.last.as_ref(), verified.late.is_some());
    out.one(
        "last_verification_timestamp_seconds",
        gauge,
        "End of the last verification of the whole archive.",
        last.map(|last| last.ended),
    );
    out.one(
        "last_verification_findings",
        gauge,
        "What it found; 0 where all was well.",
        last.map(|last| last.findings),
    );
    out.one(
        "last_verification_damaged_documents",
        gauge,
        "Documents that it found damaged.",
        last.map(|last| last.damaged.len()),
    );
    out.one(
        "verification_late",
        gauge,
        "1 where the archive was not verified as a whole for too long.",
        Some(u8::from(late)),
    );
    let behind = Some(web.index.behind(archive)?);
    out.one("search_commits_behind", gauge, "Commits that the search index has not read yet.", behind);
    let waits = web.fetcher.waits(archive).is_some();
    out.one(
        "fetching_waits",
        gauge,
        "1 where nothing is fetched, for want of room, of the time, after the watchdog, or because it is paused.",
        Some(u8::from(waits)),
    );
    out.of_each("definition_active", gauge, "1 where a definition is fetched.", &all, |of| Some(i64::from(of.active)));
    out.of_each("definition_ended", gauge, "1 where a definition has ended for good.", &all, |of| {
        Some(i64::from(of.ended))
    });
    out.of_each("definition_running", gauge, "1 while a run is under way.", &all, |of| Some(i64::from(of.running)));
    out.of_each(
        "last_successful_run_timestamp_seconds",
        gauge,
        "End of the last run without trouble.",
        &lasting,
        |of| of.good_run,
    );
    out.of_each("last_run_timestamp_seconds", gauge, "End of the last run.", &lasting, |of| of.last_run);
    out.of_each("next_run_timestamp_seconds", gauge, "When the next run is due.", &lasting, |of| of.next_run);
    out.of_each("mailboxes", gauge, "Mailboxes of a definition.", &all, |of| number(of.mailboxes));
    out.of_each("mails_booked", gauge, "Mails of a definition with an outcome in the ledger.", &all, |of| {
        number(of.archived)
    });
    out.of_each(
        "mails_failed",
        gauge,
        "Mails that the server did not hand out, at most 1000 of each folder.",
        &lasting,
        |of| number(of.failed),
    );
    out.of_each("mails_unexplained", gauge, "Mails on the server without an outcome.", &lasting, |of| {
        number(of.unexplained)
    });
    out.one("disk_free_bytes", gauge, "Room that is left for the archive.", room.map(|room| room.free));
    out.one("disk_size_bytes", gauge, "Size of the archive's disk.", room.map(|room| room.size));
    out.one("disk_reserve_bytes", gauge, "What fetching leaves free.", room.map(Room::reserve));
    out.one("resident_memory_bytes", gauge, "Memory of the program (VmRSS).", memory);
    out.one("resident_memory_max_bytes", gauge, "The most memory of the program so far (VmHWM).", memory_most);
    out.one("start_time_seconds", gauge, "When the program began.", Some(web.started));
    if let Some(state) = &state {
        let caused = state.watchdog.as_ref().is_some_and(|watchdog| watchdog.caused_start);
        out.one("watchdog_starts", gauge, "Starts in a row that the watchdog caused.", Some(state.watchdog_starts));
        out.one("watchdog_caused_start", gauge, "1 where the watchdog caused this start.", Some(u8::from(caused)));
        out.one("clock_known", gauge, "1 where the box knows the time.", Some(u8::from(state.clock.is_sane())));
    }
    Ok(out.0)
}

/// Bytes of all packs; there are few files, each of some 256 MiB.
fn pack_bytes(folder: &std::path::Path) -> Option<u64> {
    let files = std::fs::read_dir(folder).ok()?;
    Some(
        files
            .filter_map(|file| file.ok()?.metadata().ok())
            .filter(std::fs::Metadata::is_file)
            .map(|file| file.len())
            .sum(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_end_where_they_end() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
