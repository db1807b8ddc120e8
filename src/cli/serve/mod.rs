//! `serve`: fetches what is due and carries out the other verbs, until it is asked to end (SIGTERM, SIGINT).

mod boxed;
mod signing;
mod verbs;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::fmt;

use self::boxed::{Boxed, NoArchive, Watched};
use super::Exit;
use crate::appliance::channel::Ask;
use crate::appliance::roles::of_serve;
use crate::appliance::state::{PagesState, Storage};
use crate::archive::Archive;
use crate::control;
use crate::ending::{self, Why};
use crate::fetch::{Fetcher, schedule};
use crate::limits::{DESCRIPTORS, SERVER_TIMEOUT};
use crate::pulse::Pulse;
use crate::retention::{self, OwnClock};
use crate::roles::{Role, Stuck, keep_all};
use crate::search::index;
use crate::settings::users;
use crate::verification::scrub;
use crate::web::gate::tls::Identity;
use crate::web::gate::{self, Gate, GateError};
use crate::web::{Web, server};

/// Exit code when a role is stuck or the archive had to stop: whoever started `serve` starts it again.
const START_AGAIN: i32 = 70;
/// A fetch may wait for a server as long as one time-out, and then for the archive.
const FETCH_DEADLINE: Duration = Duration::from_secs(3 * SERVER_TIMEOUT.as_secs());
/// The longest that the archive's writer may need for one record of the largest size, with room.
const ARCHIVE_DEADLINE: Duration = Duration::from_mins(5);
/// A disk may take minutes for a bad sector.
const SCRUB_DEADLINE: Duration = Duration::from_mins(5);
/// Merging what lies in the index may take a slow disk minutes.
const INDEX_DEADLINE: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_secs(1);
/// How long verbs that were asked to end are waited for.
const VERBS_END: Duration = Duration::from_secs(8);

/// A slow disk may need so long to have a pack that was written anew.
const RETENTION_DEADLINE: Duration = Duration::from_mins(10);
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
    /// On a box: sockets and more come from `supervise`, over standard input.
    pub supervised: bool,
}

/// Why `serve` ends on its own.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Stuck(Stuck),
    #[error("the archive had to stop: {0}")]
    Archive(String),
    #[error(transparent)]
    Gate(GateError),
}

impl From<Broken> for Why {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Stuck(stuck) => Self::Silent { role: stuck.name.into(), seconds: stuck.seconds },
            other => Self::Other(other.to_string()),
        }
    }
}

pub fn run(data: &Path, listen: &Listen) -> anyhow::Result<Exit> {
    fmt().with_writer(std::io::stderr).with_target(false).with_ansi(false).init();
    // A connection has up to three; the usual soft limit of 1024 leaves little for the archive. Best effort.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most.min(DESCRIPTORS), most);
    }
    if !listen.supervised {
        let writer = Pulse::new();
        let archive = Archive::open(data, &writer)?;
        return serve(data, listen, archive, &writer, None);
    }
    let (boxed, sockets) = Boxed::open()?;
    let state = boxed.link.state();
    let names = if state.name.is_empty() { Vec::new() } else { vec![format!("{}.local", state.name)] };
    let listen = Listen { names, ..listen.clone() };
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let trouble = |sockets, wrong| {
        // As it was seen then: it may be ready by now.
        let why = NoArchive { storage: state.storage.clone(), wrong };
        boxed::serve_trouble(&boxed, sockets, &runtime, &listen.names, &why)
    };
    if !matches!(state.storage, Storage::Ready { .. }) {
        return trouble(sockets, None);
    }
    let writer = Pulse::new();
    boxed.watch(("archive", ARCHIVE_DEADLINE, writer.clone()));
    // The same sockets: a door that cannot be opened now may be needed for the page that says so.
    let spare = sockets.iter().map(TcpListener::try_clone).collect::<std::io::Result<Vec<_>>>()?;
    let served = Archive::open(data, &writer)
        .map_err(anyhow::Error::from)
        .and_then(|archive| serve(data, &listen, archive, &writer, Some((boxed.clone(), sockets))));
    served.or_else(|error| {
        tracing::error!("{error:#}");
        boxed.has_no_more();
        trouble(spare, Some(format!("{error:#}")))
    })
}

/// Serves an open archive. `boxed`: the box around, and the sockets that it handed over.
fn serve(
    data: &Path,
    listen: &Listen,
    archive: Archive,
    writer: &Pulse,
    boxed: Option<(Arc<Boxed>, Vec<TcpListener>)>,
) -> anyhow::Result<Exit> {
    let archive = Arc::new(archive);
    for finding in archive.findings().lines() {
        tracing::warn!("{finding}");
    }
    let socket = &archive.paths().control;
    let listener = control::listen(socket).with_context(|| format!("{} (at most 107 bytes long)", socket.display()))?;
    let listener = Arc::new(listener);
    listener.set_nonblocking(true)?;
    let link = boxed.as_ref().map(|(boxed, _)| boxed.link.clone());
    let fetcher = Arc::new(Fetcher::new(link.clone()));
    let web = Arc::new(Web::new(archive.clone(), fetcher.clone(), link)?);
    let mut roles = vec![
        fetch_role(&archive, &fetcher),
        verbs::role(&web, &listener),
        scrub_role(&web),
        signing::role(&archive, &fetcher),
        retention_role(&archive, &fetcher, &web),
        index_role(&web),
    ];
    let (boxed, sockets) = match boxed {
        Some((boxed, sockets)) => (Some(boxed), Some(sockets)),
        None => (None, None),
    };
    if let Some(boxed) = &boxed {
        let floor = archive.last_commit()?.unwrap_or_default();
        boxed.link.ask(&Ask::Floor { seconds: floor });
        roles.extend(of_serve(&boxed.link, floor));
    }
    if sockets.is_some() || !listen.https.is_empty() {
        roles.push(web_role(&archive, &web)?);
    }
    let doors = match sockets {
        Some(sockets) => Doors::handed_over(sockets)?,
        None => Doors::bind(listen)?,
    };
    let has_doors = !doors.https.is_empty();
    let identity = has_doors.then(|| Identity::open(&archive.paths().keys, &listen.names)).transpose()?;
    let addresses = doors.addresses.clone();
    let gate = identity.as_ref().map(|identity| open_gate(&archive, &web, &roles, doors, identity)).transpose()?;
    tracing::info!("serving {}", data.display());
    let end = Pulse::new();
    if let Some(boxed) = &boxed {
        boxed.has(&web);
        for watched in watched(&roles) {
            boxed.watch(watched);
        }
        boxed.watch(("runtime", WEB_DEADLINE, end.clone()));
        boxed.serves(PagesState::Ready, identity.as_ref().map(|identity| identity.fingerprint()).unwrap_or_default());
    } else if gate.is_some() {
        announce(&web, &addresses)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let broken = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let kept = async {
            let gate = async {
                match gate {
                    Some(gate) => gate.run(&end).await.map_err(Broken::Gate),
                    None => Ok(()),
                }
            };
            tokio::try_join!(async { keep_all(&roles, &end).await.map_err(Broken::Stuck) }, gate).map(drop)
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
            broken = watch_archive(&archive, writer) => Some(broken),
            () = asked => None,
        };
        anyhow::Ok(broken)
    })?;
    if let Some(broken) = broken {
        // A stuck thread cannot be joined, so nothing is dropped: the log carries all that was acknowledged.
        tracing::error!("{broken}");
        ending::keep(data, broken.into());
        process::exit(START_AGAIN);
    }
    let _ = std::fs::remove_file(&archive.paths().control);
    let _ = std::fs::remove_file(&archive.paths().web);
    if let Some(boxed) = &boxed {
        boxed.has_no_more();
    }
    web.end();
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

/// Listening sockets.
#[derive(Default)]
struct Doors {
    https: Vec<TcpListener>,
    redirect: Vec<TcpListener>,
    /// Of those for HTTPS.
    addresses: Vec<SocketAddr>,
}

impl Doors {
    /// No door where pages are not asked for.
    fn bind(listen: &Listen) -> anyhow::Result<Self> {
        let mut doors = Self::default();
        for address in &listen.https {
            let listener = gate::bind(address)?;
            doors.addresses.push(listener.local_addr()?);
            doors.https.push(listener);
        }
        for address in &listen.redirect {
            doors.redirect.push(gate::bind(address)?);
        }
        Ok(doors)
    }

    /// The first one is for HTTPS; the others lead there.
    fn handed_over(sockets: Vec<TcpListener>) -> anyhow::Result<Self> {
        let mut doors = Self::default();
        for socket in sockets {
            if doors.https.is_empty() {
                doors.addresses.push(socket.local_addr()?);
                doors.https.push(socket);
            } else {
                doors.redirect.push(socket);
            }
        }
        Ok(doors)
    }
}

/// Whose pulses say how this process is.
fn watched(roles: &[Role]) -> Vec<Watched> {
    roles.iter().map(|role| (role.name, role.deadline, role.health.clone())).collect()
}

fn open_gate(
    archive: &Archive,
    web: &Arc<Web>,
    roles: &[Role],
    doors: Doors,
    identity: &Arc<Identity>,
) -> anyhow::Result<Gate> {
    let paths = archive.paths();
    std::fs::create_dir_all(&paths.spool)?;
    let watched = watched(roles);
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
    tracing::info!("certificate for HTTPS, SHA-256 {}", identity.fingerprint());
    let logged_in = web.clone();
    let mut gate = Gate::new(paths.web.clone(), paths.spool.clone(), Arc::new(health))
        .with_uploads_for(Arc::new(move |head| logged_in.may_upload(head)));
    for listener in doors.https {
        gate = gate.https(listener, identity)?;
    }
    for listener in doors.redirect {
        gate = gate.redirect(listener, doors.addresses[0].port());
    }
    Ok(gate)
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

fn scrub_role(web: &Arc<Web>) -> Role {
    let web = web.clone();
    Role::new("scrub", SCRUB_DEADLINE, move |pulse| {
        Ok(scrub::run(&web.archive, &web.verifier, scrub::Manner::default(), pulse)?)
    })
}

fn index_role(web: &Arc<Web>) -> Role {
    let web = web.clone();
    Role::new("index", INDEX_DEADLINE, move |pulse| Ok(index::follow(&web.archive, &web.index, pulse)?))
}

fn fetch_role(archive: &Arc<Archive>, fetcher: &Arc<Fetcher>) -> Role {
    let (archive, fetcher) = (archive.clone(), fetcher.clone());
    Role::new("fetch", FETCH_DEADLINE, move |pulse| Ok(schedule::run(&archive, &fetcher, pulse)?))
}

fn retention_role(archive: &Arc<Archive>, fetcher: &Arc<Fetcher>, web: &Web) -> Role {
    let (archive, board, clock) = (archive.clone(), web.retention.clone(), OwnClock { link: fetcher.link() });
    Role::new("retention", RETENTION_DEADLINE, move |pulse| {
        Ok(retention::schedule::run(&archive, &clock, &board, pulse)?)
    })
}
