//! `serve` on a box: signs of life for `supervise`, and what the console asks for.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, raise};

use crate::appliance::channel::Ask;
use crate::appliance::link::Link;
use crate::appliance::state::{Pages, PagesState, Storage};
use crate::cli::Exit;
use crate::limits::{BOX_SERVE_DEADLINE, ROLE_STACK};
use crate::pulse::Pulse;
use crate::settings::{rescue, users};
use crate::web::gate::Gate;
use crate::web::gate::tls::Identity;
use crate::web::{Web, server, session, trouble};

/// How often a sign of life is given.
const BEAT: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(250);
/// A box whose archive could not be opened tries it again after this.
const TRY_AGAIN: Duration = Duration::from_mins(5);

/// Who has to beat, how often, and the pulse.
pub type Watched = (&'static str, Duration, Pulse);

/// The box around this process.
pub struct Boxed {
    pub link: Arc<Link>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    watched: Vec<Watched>,
    pages: Pages,
    /// There as soon as the archive is open.
    web: Option<Arc<Web>>,
    is_proved: bool,
}

impl Boxed {
    /// Takes the channel and the sockets, and begins to give signs of life.
    pub fn open() -> anyhow::Result<(Arc<Self>, Vec<TcpListener>)> {
        // `supervise` blocks the signals that it waits for, and children inherit that.
        SigSet::empty().thread_set_mask()?;
        prctl::set_no_new_privs()?;
        // Without `supervise` nobody would feed the watchdog or start this process again.
        prctl::set_pdeathsig(Signal::SIGTERM)?;
        let (link, sockets) = Link::open().context("standard input is no channel to `supervise`")?;
        let boxed = Arc::new(Self { link, inner: Mutex::default() });
        let beating = boxed.clone();
        std::thread::Builder::new().name("beat".into()).stack_size(ROLE_STACK).spawn(move || beating.beat())?;
        Ok((boxed, sockets))
    }

    /// From now on this has to beat as well.
    pub fn watch(&self, watched: Watched) {
        self.inner().watched.push(watched);
    }

    /// From now on only these have to.
    fn watch_only(&self, watched: Vec<Watched>) {
        self.inner().watched = watched;
    }

    /// Pages are served under this certificate.
    pub fn serves(&self, state: PagesState, fingerprint: String) {
        let mut inner = self.inner();
        inner.pages.state = state;
        inner.pages.fingerprint = fingerprint;
    }

    /// The archive is open.
    pub fn has(&self, web: &Arc<Web>) {
        self.inner().web = Some(web.clone());
    }

    /// Lets go of the archive, which is about to be closed.
    pub fn has_no_more(&self) {
        self.inner().web = None;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) {
        let mut last = Instant::now().checked_sub(BEAT);
        loop {
            if self.link.is_gone() {
                tracing::error!("supervise is gone");
                let _ = raise(Signal::SIGTERM);
                return;
            }
            if self.link.password_is_wanted() {
                self.answer_with_password();
            }
            if last.is_none_or(|last| last.elapsed() >= BEAT) {
                last = Some(Instant::now());
                self.sign_of_life();
            }
            std::thread::sleep(LOOK);
        }
    }

    /// In a thread of its own: the archive may be busy with a large mail for longer than a sign of life may take.
    fn answer_with_password(&self) {
        let (web, link) = (self.inner().web.clone(), self.link.clone());
        let answer = move || {
            let answer = web.map_or_else(|| Err("The archive is closed.".into()), |web| new_password(&web));
            link.ask(&Ask::Password(answer));
        };
        if let Err(error) = std::thread::Builder::new().name("password".into()).stack_size(ROLE_STACK).spawn(answer) {
            self.link.ask(&Ask::Password(Err(error.to_string())));
        }
    }

    fn sign_of_life(&self) {
        let (silent, web, mut pages) = {
            let inner = self.inner();
            let silent =
                inner.watched.iter().find(|(_, deadline, pulse)| pulse.age() > *deadline).map(|(name, ..)| *name);
            (silent, inner.web.clone(), inner.pages.clone())
        };
        if let Some(role) = silent {
            self.link.ask(&Ask::Silent { role: role.into() });
            return;
        }
        if let Some(web) = &web {
            let is_set_up = users::users(&web.archive).is_ok_and(|users| !users.is_empty());
            pages.setup_code = (!is_set_up).then(|| web.setup_code.clone());
            pages.fetching = fetching(web);
            self.prove(web, pages.state);
        }
        self.link.beat(&pages);
    }

    /// Whether this release may stay: the archive is open, a page was answered, and a run ended or none was due.
    fn prove(&self, web: &Web, pages: PagesState) {
        if self.inner().is_proved || pages != PagesState::Ready || web.archive.stopped().is_some() {
            return;
        }
        let socket = &web.archive.paths().web;
        if has_run(web) && answers(socket) {
            self.inner().is_proved = true;
            self.link.ask(&Ask::Proved);
        }
    }
}

/// Whether since the start a run of some definition ended, whatever the server said, or none was due.
fn has_run(web: &Web) -> bool {
    let Ok(definitions) = crate::settings::definitions(&web.archive) else { return false };
    let mut active = definitions.iter().flatten().filter(|definition| definition.is_fetched()).peekable();
    web.fetcher.waits(&web.archive).is_some()
        || active.peek().is_none()
        || active.any(|definition| {
            // The next run is set when one has ended.
            web.fetcher.board.standing(&definition.name).next.is_some()
        })
}

/// Whether the login page comes.
fn answers(socket: &Path) -> bool {
    use std::io::{Read, Write};
    let ask = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(BOX_SERVE_DEADLINE / 3))?;
        stream.set_write_timeout(Some(BOX_SERVE_DEADLINE / 3))?;
        stream.write_all(b"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        // A box that is not set up leads to the setup page.
        Ok(head.starts_with(b"HTTP/1.1 200") || head.starts_with(b"HTTP/1.1 303"))
    };
    ask().unwrap_or(false)
}

/// One line for the console.
fn fetching(web: &Web) -> String {
    let definitions = crate::settings::definitions(&web.archive).unwrap_or_default();
    let running: Vec<&str> = definitions
        .iter()
        .flatten()
        .map(|definition| definition.name.as_str())
        .filter(|name| web.fetcher.board.standing(name).running_since.is_some())
        .collect();
    running.join(", ")
}

/// A new password for the first active administrator, and from where it works, for the console.
fn new_password(web: &Web) -> Result<String, String> {
    let _turns = (web.settings(), web.people());
    let change = || -> anyhow::Result<Option<String>> {
        let password = session::setup_code()?;
        let Some(rescued) = rescue::let_in(&web.archive, &password)? else { return Ok(None) };
        web.sessions.end_all(&rescued.user, None);
        let from = if rescued.only_from_private_networks {
            "\nThe archive is public: administrators log in from private networks only.\n\
             Das Archiv ist öffentlich: Verwaltet wird es nur aus privaten Netzen."
        } else {
            ""
        };
        Ok(Some(format!("{}: {password}{from}", rescued.user.name)))
    };
    match change() {
        Ok(Some(line)) => Ok(line),
        Ok(None) => {
            Err("Nobody is set up yet: use the setup code. / Noch niemand eingerichtet: Einrichtungscode verwenden."
                .into())
        }
        Err(error) => Err(format!("{error:#}")),
    }
}

/// Why there is no archive.
pub struct NoArchive {
    /// How the disk was when it was to be opened.
    pub storage: Storage,
    /// Why it could not be; `None`: it was not tried without a disk.
    pub wrong: Option<String>,
}

impl NoArchive {
    /// Whether the archive can perhaps be opened now: the disk is another than it was, or a while is over.
    fn is_over(&self, now: &Storage, waited: Duration) -> bool {
        matches!(now, Storage::Ready { .. }) && (self.storage != *now || waited > TRY_AGAIN)
    }
}

/// Serves the one page that says why there is no archive, until there may be one: whoever started this process starts it again.
pub fn serve_trouble(
    boxed: &Arc<Boxed>,
    sockets: Vec<TcpListener>,
    folder: &Path,
    names: &[String],
    why: &NoArchive,
) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(folder)?;
    let socket = folder.join("web.sock");
    let identity = Identity::open(&folder.join("keys"), names)?;
    let listener = server::listen(&socket)?;
    let mut gate = Gate::new(socket, folder.into(), Arc::new(|| Err("the archive is closed".into())));
    for (number, socket) in sockets.into_iter().enumerate() {
        gate = if number == 0 { gate.https(socket, &identity)? } else { gate.redirect(socket, 443) };
    }
    let state = if why.wrong.is_some() { PagesState::Trouble } else { PagesState::Waiting };
    boxed.serves(state, identity.fingerprint());
    let (end, own, link, began) = (Pulse::new(), Pulse::new(), boxed.link.clone(), Instant::now());
    // Whatever of the archive was watched before is there no more.
    boxed.watch_only(vec![("gate", BOX_SERVE_DEADLINE, end.clone()), ("trouble", BOX_SERVE_DEADLINE, own.clone())]);
    let page = {
        let (own, link, wrong) = (own.clone(), link.clone(), why.wrong.clone());
        std::thread::Builder::new()
            .name("trouble".into())
            .stack_size(ROLE_STACK)
            .spawn(move || trouble::run(listener, &|| link.state(), wrong.as_deref(), &own))?
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let again = async {
            while !page.is_finished() && !why.is_over(&link.state().storage, began.elapsed()) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = gate.run(&end) => result?,
            () = again => {}
            _ = terminate.recv() => {}
        }
        anyhow::Ok(())
    })?;
    end.cancel();
    own.cancel();
    let _ = page.join();
    Ok(Exit::Trouble)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_tried_again_as_soon_as_it_may_open() {
        let ready = |size| Storage::Ready { size, mended: String::new() };
        let (now, while_over) = (Duration::ZERO, TRY_AGAIN + LOOK);
        for (before, storage, waited, is_over) in [
            (Storage::Preparing, Storage::Preparing, while_over, false),
            (Storage::Preparing, ready(1), now, true),
            (ready(1), ready(1), now, false),
            (ready(1), ready(1), while_over, true),
            (ready(1), ready(2), now, true),
            (ready(1), Storage::Preparing, while_over, false),
        ] {
            let why = NoArchive { storage: before, wrong: None };
            assert_eq!(why.is_over(&storage, waited), is_over, "{storage:?} after {waited:?}");
        }
    }
}
