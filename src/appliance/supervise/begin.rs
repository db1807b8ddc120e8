//! What `supervise` begins with: the watchdog, the sockets, and its roles.

use std::fs::File;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::SigSet;

use super::super::kernel::Linux;
use super::super::places::Places;
use super::super::serving::spawn;
use super::super::shared::Shared;
use super::super::state::{Storage, StorageTrouble};
use super::super::watch::Watch;
use super::super::{console, install, network, power, storage, watchdog};
use super::{Happening, Supervisor, TICK, with_slots};
use crate::limits::{BOX_DISK_DEADLINE, BOX_FAREWELL, BOX_SERVE_END, BOX_STEP_DEADLINE};
use crate::pulse::Pulse;
use crate::web::gate;

/// A role that ended is started again after this.
const ROLE_PAUSE: Duration = Duration::from_secs(2);
/// How long drivers have to bring a watchdog of hardware.
const WATCHDOG_PATIENCE: Duration = Duration::from_secs(3);

/// Opens the watchdog: one of hardware as soon as its driver is there, else the kernel's own.
pub fn arm(places: &Places, watch: &Arc<Watch>, shared: &Arc<Shared>) {
    let class = watchdog::class(&places.sys);
    let since = Instant::now();
    let is_there = || std::fs::read_dir(&class).is_ok_and(|mut devices| devices.next().is_some());
    while !is_there() && since.elapsed() < WATCHDOG_PATIENCE {
        std::thread::sleep(TICK);
    }
    if !is_there() {
        quietly("modprobe", &["softdog"]);
    }
    let opened = watchdog::open(&class, &places.dev).or_else(|error| {
        shared.log(&format!("watchdog: {error}"));
        quietly("modprobe", &["softdog"]);
        watchdog::open(&class, &places.dev)
    });
    match opened {
        Ok(Some((dog, watchdog))) => {
            shared.log(&format!(
                "watchdog: {}, {} s{}",
                watchdog.identity,
                watchdog.timeout,
                if watchdog.caused_start { "; it caused this start" } else { "" }
            ));
            shared.change(|state| state.watchdog = Some(watchdog));
            if let Err(error) = dog.keep(watch.clone(), shared.clone()) {
                shared.log(&format!("watchdog: {error}"));
            }
        }
        Ok(None) => shared.log("watchdog: there is none"),
        Err(error) => shared.log(&format!("watchdog: {error}")),
    }
}

fn quietly(program: &str, arguments: &[&str]) {
    let _ =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// Ports 443 and 80, in this order, for IPv4 as well. The sockets stay open however often `serve` is started; one that an
/// earlier `supervise` has left behind may have them a little longer.
pub fn listen(shared: &Shared, own: &Pulse) -> std::io::Result<Vec<TcpListener>> {
    let bind = |port: u16| {
        let since = Instant::now();
        loop {
            own.beat();
            let bound = gate::bind(&format!("[::]:{port}")).or_else(|_| gate::bind(&format!("0.0.0.0:{port}")));
            match bound {
                Ok(socket) => return Ok(socket),
                Err(error) if since.elapsed() >= BOX_SERVE_END + BOX_FAREWELL => {
                    shared.log(&error.to_string());
                    return Err(std::io::Error::other(error.to_string()));
                }
                Err(_) => std::thread::sleep(TICK),
            }
        }
    };
    [443, 80].into_iter().map(bind).collect()
}

impl Supervisor {
    pub(super) fn start_roles(&self, signals: SigSet) -> anyhow::Result<()> {
        let events = self.events.clone();
        spawn("signals", move || {
            while let Ok(signal) = signals.wait() {
                let _ = events.send(Happening::Signal(signal));
            }
        })?;
        self.role("network", {
            let shared = self.shared.clone();
            move |pulse| Ok(network::run(&shared, &network::Places::of_the_box(), pulse)?)
        })?;
        for tty in console::ttys(&self.places.sys, &self.places.dev) {
            let (shared, name) = (self.shared.clone(), format!("console-{}", tty.display()));
            // Nobody's health hangs on it: a terminal may be held with Ctrl+S.
            let unwatched = Pulse::new();
            kept(&name, self.shared.clone(), move || Ok(console::run_tty(&shared, &tty, &unwatched)?))?;
        }
        for button in power::buttons(&self.places.sys, &self.places.dev) {
            let events = self.events.clone();
            spawn("button", move || {
                let Ok(mut device) = File::open(&button) else { return };
                while power::pressed(&mut device) {
                    let _ = events.send(Happening::Button);
                }
            })?;
        }
        let (places, shared, watch, events) =
            (self.places.clone(), self.shared.clone(), self.watch.clone(), self.events.clone());
        let pulse = watch.over("disk", BOX_DISK_DEADLINE);
        spawn("disk", move || {
            pulse.adopt();
            let prepared =
                catch_unwind(AssertUnwindSafe(|| storage::prepare(&places, &Linux, &pulse, &|line| shared.log(line))));
            let state = prepared.unwrap_or_else(|_| {
                Storage::Trouble(StorageTrouble::NotMounted {
                    partition: String::new(),
                    what: "the check panicked".into(),
                })
            });
            watch.no_more("disk");
            let _ = events.send(Happening::Storage(state));
            // Another disk of this machine may take minutes to say that it cannot be read: nobody waits for that.
            let committed = with_slots(&places, |slots| Ok(slots.committed()));
            let committed = committed.map_err(|error| shared.log(&format!("slots: {error}"))).ok();
            let _ = events.send(Happening::Disks { committed, targets: install::targets(&places) });
        })?;
        Ok(())
    }

    /// A role whose pulse the watchdog hangs on.
    fn role(&self, name: &str, work: impl Fn(&Pulse) -> anyhow::Result<()> + Send + 'static) -> std::io::Result<()> {
        let pulse = self.watch.over(name, BOX_STEP_DEADLINE);
        kept(name, self.shared.clone(), move || {
            pulse.beat();
            work(&pulse)
        })
    }
}

/// Runs `work` in a thread, again whenever it ends or panics.
fn kept(
    name: &str,
    shared: Arc<Shared>,
    work: impl Fn() -> anyhow::Result<()> + Send + 'static,
) -> std::io::Result<()> {
    let own_name = name.to_string();
    spawn(name, move || {
        loop {
            let reason = match catch_unwind(AssertUnwindSafe(&work)) {
                Ok(Ok(())) => "done".to_string(),
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => "it panicked".into(),
            };
            shared.log(&format!("{own_name} ended: {reason}"));
            std::thread::sleep(ROLE_PAUSE);
        }
    })
}
