//! `serve`: fetches what is due and carries out the other verbs, until it is asked to end (SIGTERM, SIGINT).

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::fmt;

use super::{Exit, Session};
use crate::archive::Archive;
use crate::control;
use crate::fetch::{Fetcher, schedule};
use crate::limits::{CONTROL_AT_ONCE, ROLE_STACK, SERVER_TIMEOUT};
use crate::pulse::Pulse;
use crate::roles::{Role, Stuck, keep};

/// Exit code when a role is stuck or the archive had to stop: whoever started `serve` starts it again.
const START_AGAIN: i32 = 70;
/// A fetch may wait for a server as long as one time-out, and then for the archive.
const FETCH_DEADLINE: Duration = Duration::from_secs(3 * SERVER_TIMEOUT.as_secs());
const CONTROL_DEADLINE: Duration = Duration::from_secs(30);
/// The longest that the archive's writer may need for one record of the largest size, with room.
const ARCHIVE_DEADLINE: Duration = Duration::from_mins(5);
/// How long verbs may take to end when `serve` ends.
const VERBS_GRACE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_secs(1);

/// Why `serve` ends on its own.
enum Broken {
    Stuck(Stuck),
    Archive(String),
}

pub fn run(data: &Path) -> anyhow::Result<Exit> {
    fmt().with_writer(std::io::stderr).with_target(false).with_ansi(false).init();
    let writer = Pulse::new();
    let archive = Arc::new(Archive::open(data, &writer)?);
    for finding in archive.findings().lines() {
        tracing::warn!("{finding}");
    }
    let socket = &archive.paths().control;
    let listener = control::listen(socket).with_context(|| format!("{} (at most 107 bytes long)", socket.display()))?;
    let listener = Arc::new(listener);
    listener.set_nonblocking(true)?;
    let fetcher = Arc::new(Fetcher::default());
    let verbs = Arc::new(Verbs::default());
    let roles = [fetch_role(&archive, &fetcher), control_role(&archive, &fetcher, &listener, &verbs)];
    tracing::info!("serving {}", data.display());

    let end = Pulse::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let broken = runtime.block_on(async {
        let [fetch, control] = &roles;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let kept = async { tokio::try_join!(keep(fetch, &end), keep(control, &end)) };
        let asked = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("asked to end");
            end.cancel();
            std::future::pending::<()>().await;
        };
        let broken = tokio::select! {
            kept = kept => kept.err().map(Broken::Stuck),
            broken = watch_archive(&archive, &writer) => Some(broken),
            () = asked => None,
        };
        anyhow::Ok(broken)
    })?;
    match broken {
        None => {}
        // A stuck thread cannot be joined, so nothing is dropped: the log carries all that was acknowledged.
        Some(Broken::Stuck(stuck)) => {
            tracing::error!("{stuck}");
            process::exit(START_AGAIN);
        }
        Some(Broken::Archive(what)) => {
            tracing::error!("the archive had to stop: {what}");
            process::exit(START_AGAIN);
        }
    }
    let _ = std::fs::remove_file(&archive.paths().control);
    drop(roles);
    verbs.end();
    // Leaves a durable catalog behind, unless a verb still holds the archive; then the log carries it.
    drop(archive);
    tracing::info!("ended");
    Ok(Exit::Fine)
}

/// Returns when the archive's writer stopped or is silent.
async fn watch_archive(archive: &Archive, writer: &Pulse) -> Broken {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(what) = archive.stopped() {
            return Broken::Archive(what);
        }
        if writer.age() > ARCHIVE_DEADLINE {
            return Broken::Stuck(Stuck { name: "archive", seconds: writer.age().as_secs() });
        }
    }
}

fn fetch_role(archive: &Arc<Archive>, fetcher: &Arc<Fetcher>) -> Role {
    let (archive, fetcher) = (archive.clone(), fetcher.clone());
    let work = move |pulse: &Pulse| Ok(schedule::run(&archive, &fetcher, pulse)?);
    Role { name: "fetch", deadline: FETCH_DEADLINE, work: Arc::new(work) }
}

/// Accepts asking processes; each is answered by a thread of its own, few at a time.
fn control_role(
    archive: &Arc<Archive>,
    fetcher: &Arc<Fetcher>,
    listener: &Arc<UnixListener>,
    verbs: &Arc<Verbs>,
) -> Role {
    let (archive, fetcher, listener, verbs) = (archive.clone(), fetcher.clone(), listener.clone(), verbs.clone());
    let work = move |pulse: &Pulse| {
        while pulse.go_on().is_ok() {
            let free = verbs.count() < CONTROL_AT_ONCE;
            let stream = match if free { listener.accept() } else { Err(std::io::ErrorKind::WouldBlock.into()) } {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            stream.set_nonblocking(false)?;
            let (archive, fetcher) = (archive.clone(), fetcher.clone());
            let verb = Verbs::begin(&verbs);
            std::thread::Builder::new().name("verb".into()).stack_size(2 * ROLE_STACK).spawn(move || {
                // Moved here whole, so that it ends with this thread.
                let verb = verb;
                let pulse = verb.pulse.clone();
                let session = Session { archive: &archive, fetcher: &fetcher, pulse: &pulse };
                if let Err(error) = control::answer(&stream, &session) {
                    tracing::info!("a verb was not answered to its end: {error:#}");
                }
            })?;
        }
        Ok(())
    };
    Role { name: "control", deadline: CONTROL_DEADLINE, work: Arc::new(work) }
}

/// The verbs that are being carried out.
#[derive(Default)]
struct Verbs {
    pulses: Mutex<Vec<(u64, Pulse)>>,
    next: AtomicU64,
}

/// One of them; it counts as long as it lives, also when it panics.
struct Verb {
    verbs: Arc<Verbs>,
    id: u64,
    pulse: Pulse,
}

impl Verbs {
    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Pulse)>> {
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> usize {
        self.lock().len()
    }

    fn begin(verbs: &Arc<Self>) -> Verb {
        let id = verbs.next.fetch_add(1, Ordering::Relaxed);
        let pulse = Pulse::new();
        verbs.lock().push((id, pulse.clone()));
        Verb { verbs: verbs.clone(), id, pulse }
    }

    /// Asks all of them to end and waits a while, so that the archive is closed and not torn away.
    fn end(&self) {
        self.lock().iter().for_each(|(_, pulse)| pulse.cancel());
        let since = Instant::now();
        while self.count() > 0 && since.elapsed() < VERBS_GRACE {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Verb {
    fn drop(&mut self) {
        self.verbs.lock().retain(|(id, _)| *id != self.id);
    }
}
