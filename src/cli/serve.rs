//! `serve`: fetches what is due and carries out the other verbs, until it is asked to end (SIGTERM, SIGINT).

use std::net::{Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::fmt;

use super::{Exit, Session};
use crate::archive::Archive;
use crate::control;
use crate::fetch::{Fetcher, schedule};
use crate::limits::{CONTROL_AT_ONCE, CONTROL_OPEN, DESCRIPTORS, ROLE_STACK, SERVER_TIMEOUT};
use crate::pulse::Pulse;
use crate::roles::{Role, Stuck, keep};
use crate::settings::users;
use crate::web::gate::tls::Identity;
use crate::web::gate::{self, Gate, GateError};
use crate::web::{Web, server};

/// Exit code when a role is stuck or the archive had to stop: whoever started `serve` starts it again.
const START_AGAIN: i32 = 70;
/// A fetch may wait for a server as long as one time-out, and then for the archive.
const FETCH_DEADLINE: Duration = Duration::from_secs(3 * SERVER_TIMEOUT.as_secs());
const CONTROL_DEADLINE: Duration = Duration::from_secs(30);
/// The longest that the archive's writer may need for one record of the largest size, with room.
const ARCHIVE_DEADLINE: Duration = Duration::from_mins(5);
const LOOK: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);
/// How long verbs that were asked to end are waited for.
const VERBS_END: Duration = Duration::from_secs(8);

/// A page that takes longer is stuck.
const WEB_DEADLINE: Duration = Duration::from_mins(3);

/// Where pages are served: nowhere, by default.
#[derive(Clone, Debug, Default)]
pub struct Listen {
    /// Addresses for HTTPS, as in `0.0.0.0:8443`.
    pub https: Vec<String>,
    /// Addresses for plain HTTP, which only lead to the first of those.
    pub redirect: Vec<String>,
    /// Names and addresses under which browsers know this machine, beside those that it knows itself.
    pub names: Vec<String>,
}

/// Why `serve` ends on its own.
enum Broken {
    Stuck(Stuck),
    Archive(String),
    Gate(GateError),
}

pub fn run(data: &Path, listen: &Listen) -> anyhow::Result<Exit> {
    fmt().with_writer(std::io::stderr).with_target(false).with_ansi(false).init();
    // A connection has up to three; the usual soft limit of 1024 leaves little for the archive. Best effort.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most.min(DESCRIPTORS), most);
    }
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
    let web = Arc::new(Web::new(archive.clone(), fetcher.clone())?);
    let roles =
        [fetch_role(&archive, &fetcher), control_role(&archive, &fetcher, &listener), web_role(&archive, &web)?];
    let (gate, addresses) = open_gate(&archive, &web, &roles, listen)?;
    tracing::info!("serving {}", data.display());
    if gate.is_some() {
        announce(&web, &addresses)?;
    }

    let end = Pulse::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let broken = runtime.block_on(async {
        let [fetch, control, pages] = &roles;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let kept = async {
            match gate {
                None => tokio::try_join!(keep(fetch, &end), keep(control, &end)).map(drop).map_err(Broken::Stuck),
                Some(gate) => tokio::try_join!(
                    async { keep(fetch, &end).await.map_err(Broken::Stuck) },
                    async { keep(control, &end).await.map_err(Broken::Stuck) },
                    async { keep(pages, &end).await.map_err(Broken::Stuck) },
                    async { gate.run(&end).await.map_err(Broken::Gate) },
                )
                .map(drop),
            }
        };
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
            kept = kept => kept.err(),
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
        Some(Broken::Gate(error)) => {
            tracing::error!("{error}");
            process::exit(START_AGAIN);
        }
    }
    let _ = std::fs::remove_file(&archive.paths().control);
    let _ = std::fs::remove_file(&archive.paths().web);
    drop((roles, web));
    // The last one to hold the archive leaves a durable catalog behind; a thread that has just ended may hold it still.
    let since = Instant::now();
    while Arc::strong_count(&archive) > 1 && since.elapsed() < VERBS_END {
        std::thread::sleep(Duration::from_millis(5));
    }
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

/// The gate with its doors, and the addresses of those for HTTPS; no gate where pages are not asked for.
fn open_gate(
    archive: &Archive,
    web: &Arc<Web>,
    roles: &[Role],
    listen: &Listen,
) -> anyhow::Result<(Option<Gate>, Vec<SocketAddr>)> {
    if listen.https.is_empty() {
        return Ok((None, Vec::new()));
    }
    let paths = archive.paths();
    std::fs::create_dir_all(&paths.spool)?;
    let watched: Vec<_> = roles.iter().map(|role| (role.name, role.deadline, role.health.clone())).collect();
    let archive = web.archive.clone();
    let health = move || {
        if let Some(what) = archive.stopped() {
            return Err(format!("the archive stopped: {what}"));
        }
        match watched.iter().find(|(_, deadline, pulse)| pulse.age() > *deadline) {
            Some((name, ..)) => Err(format!("{name} is silent")),
            None => Ok(()),
        }
    };
    let identity = Identity::open(&paths.keys, &listen.names)?;
    tracing::info!("certificate for HTTPS, SHA-256 {}", identity.fingerprint());
    let logged_in = web.clone();
    let mut gate = Gate::new(paths.web.clone(), paths.spool.clone(), Arc::new(health))
        .with_uploads_for(Arc::new(move |head| logged_in.may_upload(head)));
    let mut addresses = Vec::new();
    for address in &listen.https {
        let listener = gate::bind(address)?;
        addresses.push(listener.local_addr()?);
        gate = gate.https(listener, &identity)?;
    }
    for address in &listen.redirect {
        gate = gate.redirect(gate::bind(address)?, addresses[0].port());
    }
    Ok((Some(gate), addresses))
}

/// Says where the pages are, and what the first person needs to set up the archive.
fn announce(web: &Web, addresses: &[SocketAddr]) -> anyhow::Result<()> {
    for address in addresses {
        super::terminal::print(&format!("https://{address}\n"))?;
    }
    // Whoever starts it waits for this line.
    let is_set_up = !users::users(&web.archive)?.is_empty();
    let line = if is_set_up { "ready\n".into() } else { format!("setup code: {}\n", web.setup_code) };
    Ok(super::terminal::print(&line)?)
}

fn web_role(archive: &Arc<Archive>, web: &Arc<Web>) -> anyhow::Result<Role> {
    let (paths, web) = (archive.paths().clone(), web.clone());
    // The first one is there before anybody is told of the pages.
    let first = Mutex::new(Some(server::listen(&paths.web)?));
    Ok(Role::new("web", WEB_DEADLINE, move |pulse| {
        let ready = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let listener = ready.map_or_else(|| server::listen(&paths.web), Ok)?;
        server::run(&web, listener, &paths.spool, pulse)
    }))
}

fn fetch_role(archive: &Arc<Archive>, fetcher: &Arc<Fetcher>) -> Role {
    let (archive, fetcher) = (archive.clone(), fetcher.clone());
    Role::new("fetch", FETCH_DEADLINE, move |pulse| Ok(schedule::run(&archive, &fetcher, pulse)?))
}

/// Accepts asking processes; each is answered by a thread of its own, few at a time. Ends when they have ended.
fn control_role(
    archive: &Arc<Archive>,
    fetcher: &Arc<Fetcher>,
    listener: &Arc<std::os::unix::net::UnixListener>,
) -> Role {
    let (archive, fetcher, listener) = (archive.clone(), fetcher.clone(), listener.clone());
    let verbs = Arc::new(Verbs::default());
    let work = move |pulse: &Pulse| {
        while pulse.go_on().is_ok() {
            let free = verbs.open.load(Ordering::SeqCst) < CONTROL_OPEN;
            let stream = match if free { listener.accept() } else { Err(std::io::ErrorKind::WouldBlock.into()) } {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            stream.set_nonblocking(false)?;
            let (archive, fetcher) = (archive.clone(), fetcher.clone());
            let verb = Verb::new(&verbs, stream);
            std::thread::Builder::new().name("verb".into()).stack_size(2 * ROLE_STACK).spawn(move || {
                if let Err(error) = verb.run(&archive, &fetcher) {
                    tracing::info!("a verb was not answered to its end: {error:#}");
                }
            })?;
        }
        verbs.end(pulse);
        Ok(())
    };
    Role::new("control", CONTROL_DEADLINE, work)
}

/// The asking processes that are connected.
#[derive(Default)]
struct Verbs {
    open: AtomicUsize,
    /// Of these, whose verb is being carried out: who is slow to ask keeps nobody waiting.
    busy: AtomicUsize,
    connections: Mutex<Vec<Weak<Connection>>>,
}

struct Connection {
    stream: UnixStream,
    pulse: Pulse,
}

impl Verbs {
    fn connections(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all verbs to end, and waits for them; whoever does not read its answer is left.
    fn end(&self, pulse: &Pulse) {
        let live = || self.connections().iter().filter_map(Weak::upgrade).collect::<Vec<_>>();
        for connection in live() {
            connection.pulse.cancel();
        }
        let since = Instant::now();
        while self.open.load(Ordering::SeqCst) > 0 && since.elapsed() < VERBS_END {
            if since.elapsed() > VERBS_END / 4 {
                for connection in live() {
                    let _ = connection.stream.shutdown(Shutdown::Both);
                }
            }
            pulse.beat();
            std::thread::sleep(PAUSE);
        }
    }
}

/// One asking process; counted as long as it lives, even when its verb panics.
struct Verb {
    verbs: Arc<Verbs>,
    connection: Arc<Connection>,
    is_busy: bool,
}

impl Verb {
    fn new(verbs: &Arc<Verbs>, stream: UnixStream) -> Self {
        let connection = Arc::new(Connection { stream, pulse: Pulse::new() });
        verbs.open.fetch_add(1, Ordering::SeqCst);
        let mut connections = verbs.connections();
        connections.retain(|connection| connection.strong_count() > 0);
        connections.push(Arc::downgrade(&connection));
        drop(connections);
        Self { verbs: verbs.clone(), connection, is_busy: false }
    }

    fn run(mut self, archive: &Archive, fetcher: &Fetcher) -> anyhow::Result<()> {
        let Connection { stream, pulse } = &*self.connection.clone();
        let request = control::request(stream, pulse)?;
        let busy = |count| (count < CONTROL_AT_ONCE).then_some(count + 1);
        while self.verbs.busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, busy).is_err() {
            pulse.go_on()?;
            std::thread::sleep(PAUSE);
        }
        self.is_busy = true;
        control::answer(stream, &request, &Session { archive, fetcher, pulse })
    }
}

impl Drop for Verb {
    fn drop(&mut self) {
        if self.is_busy {
            self.verbs.busy.fetch_sub(1, Ordering::SeqCst);
        }
        self.verbs.open.fetch_sub(1, Ordering::SeqCst);
    }
}
