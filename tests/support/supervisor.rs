//! Stands in for `supervise`: starts `serve --supervised` over a channel of its own, without root.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use archivista::appliance::channel::{self, Ask, Notice};
use archivista::appliance::state::{BoxState, PagesState};

use super::archivista::Archivista;
use super::https::Https;

/// How long something may take at most before a test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

pub struct Supervisor {
    child: Child,
    stream: Option<UnixStream>,
    asks: Receiver<Ask>,
    pub address: SocketAddr,
    certificate: std::path::PathBuf,
    pub state: BoxState,
}

impl Supervisor {
    pub fn start(archivista: &Archivista, state: BoxState) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let sockets = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let address = sockets[0].local_addr().unwrap();
        let runtime = archivista.beside("run");
        std::fs::create_dir_all(&runtime).unwrap();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(archivista.beside("serve.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_archivista"))
            .args(["serve", "--supervised", "--data"])
            .arg(archivista.data())
            .env("XDG_RUNTIME_DIR", &runtime)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        channel::hello(&ours, &state, &sockets).unwrap();
        let (sender, asks) = channel();
        let hearing = ours.try_clone().unwrap();
        std::thread::spawn(move || {
            while let Ok(ask) = channel::hear::<Ask>(&hearing) {
                let _ = sender.send(ask);
            }
        });
        let certificate = archivista.data().join("keys/tls.pem");
        Self { child, stream: Some(ours), asks, address, certificate, state }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `serve` asks for something that `fits`.
    pub fn hear<T>(&self, fits: impl Fn(&Ask) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        while let Ok(ask) = self.asks.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if let Some(found) = fits(&ask) {
                return found;
            }
        }
        panic!("serve did not ask for it");
    }

    /// Waits until pages are in this state.
    pub fn wait_for_pages(&self, state: PagesState) -> archivista::appliance::state::Pages {
        self.hear(|ask| match ask {
            Ask::Beat(pages) if pages.state == state => Some(pages.clone()),
            _ => None,
        })
    }

    /// Whether a sign of life comes within so long.
    pub fn beats_within(&self, time: Duration) -> bool {
        while self.asks.try_recv().is_ok() {}
        self.asks.recv_timeout(time).is_ok()
    }

    pub fn tell(&self, notice: &Notice) {
        channel::tell(self.stream.as_ref().unwrap(), notice).unwrap();
    }

    pub fn change(&mut self, change: impl FnOnce(&mut BoxState)) {
        change(&mut self.state);
        self.tell(&Notice::State(Box::new(self.state.clone())));
    }

    /// Closes the channel, as a `supervise` that died does.
    pub fn leave(&mut self) {
        let stream = self.stream.take().unwrap();
        stream.shutdown(std::net::Shutdown::Both).unwrap();
    }

    pub fn wait_for_end(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("serve did not end");
    }

    /// Somebody who is not logged in, of a box with an archive.
    pub fn visitor(&self) -> Https {
        Https::new(self.address, &std::fs::read_to_string(&self.certificate).unwrap())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
