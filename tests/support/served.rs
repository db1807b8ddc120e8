//! The pages of a [`Site`] behind a real gate, for a real browser.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use archivista::pulse::Pulse;
use archivista::web::gate::tls::Identity;
use archivista::web::gate::{self, Gate};
use archivista::web::server;

use super::web::Site;

/// Ended when dropped.
pub struct Served {
    end: Pulse,
    threads: Vec<JoinHandle<()>>,
    pub origin: String,
}

impl Served {
    pub fn of(site: &Site) -> Self {
        Self::behind(site, true)
    }

    /// Without TLS, for clients that ask a thousand times.
    pub fn plainly(site: &Site) -> Self {
        Self::behind(site, false)
    }

    fn behind(site: &Site, is_https: bool) -> Self {
        let paths = site.web.archive.paths().clone();
        std::fs::create_dir_all(&paths.spool).unwrap();
        let identity = Identity::open(&paths.keys, &[]).unwrap();
        let door = gate::bind("127.0.0.1:0").unwrap();
        let scheme = if is_https { "https" } else { "http" };
        let origin = format!("{scheme}://localhost:{}", door.local_addr().unwrap().port());
        let socket = server::listen(&paths.web).unwrap();
        let gate = Gate::new(paths.web, paths.spool.clone(), Arc::new(|| Ok(())));
        let gate = if is_https { gate.https(door, &identity).unwrap() } else { gate.http(door) };
        let end = Pulse::new();
        let (web, its_end) = (site.web.clone(), end.clone());
        let pages = thread::spawn(move || server::run(&web, socket, &paths.spool, &its_end).unwrap());
        let its_end = end.clone();
        let network = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(gate.run(&its_end)).unwrap();
        });
        Self { end, threads: vec![pages, network], origin }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end.cancel();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
