//! The asking processes: other verbs reach a running `serve` over `DATA/control.sock`.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::super::Session;
use super::VERBS_END;
use crate::control;
use crate::limits::{CONTROL_AT_ONCE, CONTROL_OPEN, ROLE_STACK};
use crate::pulse::Pulse;
use crate::roles::Role;
use crate::web::Web;

const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts asking processes; each is answered by a thread of its own, few at a time. Ends when they have ended.
pub fn role(web: &Arc<Web>, listener: &Arc<std::os::unix::net::UnixListener>) -> Role {
    let (web, listener) = (web.clone(), listener.clone());
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
            let web = web.clone();
            let verb = Verb::new(&verbs, stream);
            std::thread::Builder::new().name("verb".into()).stack_size(2 * ROLE_STACK).spawn(move || {
                if let Err(error) = verb.run(&web) {
                    tracing::info!("a verb was not answered to its end: {error:#}");
                }
            })?;
        }
        verbs.end(pulse);
        Ok(())
    };
    Role::new("control", DEADLINE, work)
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

    fn run(mut self, web: &Web) -> anyhow::Result<()> {
        let Connection { stream, pulse } = &*self.connection.clone();
        let request = control::request(stream, pulse)?;
        let busy = |count| (count < CONTROL_AT_ONCE).then_some(count + 1);
        if !request.is_brief() {
            while self.verbs.busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, busy).is_err() {
                pulse.go_on()?;
                std::thread::sleep(PAUSE);
            }
            self.is_busy = true;
        }
        let Web { archive, fetcher, verifier, index, .. } = web;
        control::answer(stream, &request, &Session { archive, fetcher, verifier, index, pulse })
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
