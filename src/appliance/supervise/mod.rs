//! The verb `supervise`: the one process of a box that has root's rights, and the first that runs.
//!
//! One thread decides (this file): it carries out what is asked, keeps `serve` running and tells it how the box is. The
//! watchdog is fed by another one, as long as this thread, the network, the disk and `serve` show signs of life. What takes
//! long has a thread of its own, which beats a pulse of its own.
//!
//! - `begin`: watchdog, sockets and roles at the start; `asked`: what `serve` and people at the console ask for; `keeping`: `serve` as
//!   a child that is started again

mod asked;
mod begin;
mod keeping;

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::statvfs::{FsFlags, statvfs};

use super::channel::Notice;
use super::judge::{Sight, Verdict, judge};
use super::places::Places;
use super::serving::{Event, Serving};
use super::shared::{Answer, Asked, Shared};
use super::slots::{Slots, SlotsError};
use super::starts::Starts;
use super::state::{BoxState, Disk, PagesState, Power, Slot, Storage};
use super::time::Floor;
use super::watch::Watch;
use super::{disk, gpt, port, power, settings, slots, storage, wipe};
use crate::limits::{BOX_ASKS, BOX_BACK_OFF_FIRST, BOX_READ_ONLY, BOX_SERVE_DEADLINE, BOX_STEP_DEADLINE};
use crate::pulse::Pulse;

/// How often the deciding thread looks around.
const TICK: Duration = Duration::from_millis(200);
/// How long `serve` waits for the disk before it serves a page that says so.
const DISK_PATIENCE: Duration = Duration::from_secs(8);
/// For sockets and keys of a `serve` without an archive; in memory.
const RUN: &str = "/run/archivista";
/// There as soon as this start was counted: a `supervise` that is started again counts none.
const COUNTED: &str = "/run/archivista-start-counted";
/// Seconds since 1970 and release, as they were built.
const BUILD: &str = "/etc/archivista/build";

/// What the deciding thread waits for.
enum Happening {
    Serve(Event),
    Signal(Signal),
    Button,
    Storage(Storage),
    /// What else the disks of this machine tell: the slot of the next start, and where a box may be installed to.
    Disks {
        committed: Option<Slot>,
        targets: Vec<Disk>,
    },
    /// An action that took long is done.
    Done(Sender<Answer>, Answer),
}

/// How `serve` is.
enum Serve {
    /// To be started then, after so long a pause.
    Waiting {
        until: Instant,
    },
    Running {
        serving: Serving,
        since: Instant,
        had_data: bool,
    },
    /// Asked to end; killed then.
    Ending {
        serving: Serving,
        until: Instant,
    },
    /// Not to be started: the box ends.
    Stopped,
}

struct Supervisor {
    places: Places,
    shared: Arc<Shared>,
    watch: Arc<Watch>,
    events: SyncSender<Happening>,
    sockets: Vec<TcpListener>,
    serve: Serve,
    pause: Duration,
    serve_pulse: Pulse,
    told: BoxState,
    floor: Floor,
    starts: Option<Starts>,
    began: Instant,
    healthy_since: Option<Instant>,
    password_asked: Option<Sender<Answer>>,
    /// An answer to somebody at the console who had waited long enough; shown at the next look.
    password_late: Option<Answer>,
    /// The kernel was told that this release is on trial.
    is_trial: bool,
    /// Where the kernel counts errors of the archive's file system, and how many there were when it was mounted.
    disk_errors: Option<(PathBuf, u64)>,
    /// How the box ends once `serve` has ended.
    ending: Option<Power>,
    /// `init` ends the box itself.
    leaving: bool,
    /// All that was archived goes with it.
    wiping: bool,
}

/// Supervises until the box ends.
pub fn run() -> anyhow::Result<()> {
    let places = Places::default();
    // Neither this process nor a child ever gains a right by a file that it starts.
    prctl::set_no_new_privs()?;
    let _ = std::fs::write("/proc/self/oom_score_adj", "-1000");
    let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    signals.thread_block()?;
    std::fs::create_dir_all(RUN)?;
    std::os::unix::fs::chown(RUN, Some(storage::ARCHIVISTA), Some(storage::ARCHIVISTA))?;
    let slot = slots::running(&places.command_line());
    let state = BoxState { release: env!("CARGO_PKG_VERSION").into(), slot, ..BoxState::default() };
    let (shared, asked) = Shared::new(state);
    let shared = Arc::new(shared);
    if let Some(port) = port::open(&places.sys, &places.dev) {
        shared.log_to(port);
    }
    shared.log(&format!("archivista {} supervises", env!("CARGO_PKG_VERSION")));
    if let Some(slot) = slot {
        shared.log(&format!("it runs from slot {slot}"));
    }
    let watch = Arc::new(Watch::default());
    let own = watch.over("supervise", BOX_STEP_DEADLINE);
    let serve_pulse = watch.over("serve", BOX_SERVE_DEADLINE);
    begin::arm(&places, &watch, &shared);
    // Bounded: who asks for more than is carried out waits, and takes no memory from the one process that must not end.
    let (events, happenings) = mpsc::sync_channel(BOX_ASKS);
    let mut supervisor = Supervisor {
        floor: Floor::of_build(Path::new(BUILD)),
        sockets: begin::listen(&shared, &own)?,
        serve: Serve::Waiting { until: Instant::now() + DISK_PATIENCE },
        pause: BOX_BACK_OFF_FIRST,
        told: shared.state(),
        starts: None,
        began: Instant::now(),
        healthy_since: None,
        password_asked: None,
        password_late: None,
        is_trial: slots::is_trial(&places.command_line()),
        disk_errors: None,
        ending: None,
        leaving: false,
        wiping: false,
        places,
        shared,
        watch,
        events,
        serve_pulse,
    };
    supervisor.hold_clock(true);
    supervisor.start_roles(signals)?;
    supervisor.decide(&own, &happenings, &asked);
    Ok(())
}

impl Supervisor {
    fn archive(&self) -> PathBuf {
        self.places.data.join("archive")
    }

    fn settings(&self) -> PathBuf {
        self.places.data.join("box/settings.json")
    }

    fn starts(&self) -> PathBuf {
        self.places.data.join("box/starts.json")
    }

    fn decide(&mut self, own: &Pulse, happenings: &Receiver<Happening>, asked: &Receiver<Asked>) {
        loop {
            own.beat();
            match happenings.recv_timeout(TICK) {
                Ok(happening) => self.happened(happening),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(Asked { action, answer }) = asked.try_recv() {
                self.act(action, answer);
            }
            self.keep_serve();
            self.judge();
            self.tell();
            if matches!(self.serve, Serve::Stopped) && self.leaving {
                return;
            }
            if matches!(self.serve, Serve::Stopped)
                && let Some(how) = self.ending
            {
                if std::mem::take(&mut self.wiping) {
                    wipe::wipe(&self.places.data, own, &|line| self.shared.log(line));
                }
                self.shared.log("the box ends");
                let error = power::end(how, &self.places.data);
                self.shared.log(&format!("the box cannot end: {error}"));
                self.ending = None;
                self.serve = Serve::Waiting { until: Instant::now() };
            }
        }
    }

    fn happened(&mut self, happening: Happening) {
        match happening {
            Happening::Serve(Event::Asked(ask)) => self.asked(ask),
            Happening::Serve(Event::Ended) => {}
            Happening::Signal(signal) => {
                self.shared.log(&format!("signal {signal}"));
                if signal == Signal::SIGINT {
                    self.end(Power::Restart);
                } else {
                    self.leaving = true;
                    self.stop_serve();
                }
            }
            Happening::Button => {
                self.shared.log("the power button was pressed");
                self.end(Power::Off);
            }
            Happening::Storage(storage) => self.storage_is(storage),
            Happening::Disks { committed, targets } => self.shared.change(|state| {
                state.committed = committed;
                state.install_targets = targets;
            }),
            Happening::Done(answer, said) => {
                let _ = answer.send(said);
            }
        }
    }

    fn storage_is(&mut self, storage: Storage) {
        self.shared.log(&format!("disk: {storage:?}"));
        let log = |line: &str| self.shared.log(line);
        if matches!(storage, Storage::Ready { .. }) {
            let by_watchdog = self.shared.state().watchdog.is_some_and(|watchdog| watchdog.caused_start);
            let is_counted = Path::new(COUNTED).exists();
            let starts =
                if is_counted { Starts::open(&self.starts()) } else { Starts::count(&self.starts(), by_watchdog, log) };
            let _ = std::fs::write(COUNTED, "");
            self.disk_errors = errors_of_data(&self.places).and_then(|file| Some((file.clone(), number_in(&file)?)));
            let (count, paused) = (starts.by_watchdog(), starts.are_too_many());
            if count > 0 && !by_watchdog {
                log("watchdog: the device does not tell, but it caused this start");
            }
            self.starts = Some(starts);
            let settings = settings::load(&self.settings(), &log);
            self.shared.change(|state| {
                state.watchdog_starts = count;
                if let Some(watchdog) = &mut state.watchdog {
                    watchdog.caused_start = count > 0;
                }
                state.fetching_is_paused = paused;
                state.settings = settings;
            });
        }
        self.shared.change(|state| state.storage = storage);
        if let Serve::Waiting { until } = &mut self.serve {
            *until = Instant::now();
        }
    }

    fn hold_clock(&mut self, is_first: bool) {
        let known = if is_first { super::state::Clock::Own } else { self.shared.state().clock };
        match self.floor.hold(&known) {
            Ok(clock) => self.shared.change(|state| state.clock = clock),
            Err(error) => self.shared.log(&format!("clock: {error}")),
        }
    }

    fn end(&mut self, how: Power) {
        self.ending = Some(how);
        self.starve(false);
        self.stop_serve();
    }

    /// Notes silence while there is time, forgets bad starts after an hour of health, and ends a trial that came to nothing.
    fn judge(&mut self) {
        let state = self.shared.state();
        let well = self.watch.all_well();
        if let Err(silent) = &well {
            self.note(&silent.to_string());
        }
        if self.ending.is_none() {
            self.starve(well.is_err());
        }
        let is_healthy = well.is_ok() && state.pages.state == PagesState::Ready;
        if !is_healthy {
            self.healthy_since = None;
        }
        let healthy_for = is_healthy.then(|| self.healthy_since.get_or_insert_with(Instant::now).elapsed());
        if self.ending.is_some() {
            return;
        }
        let sight = Sight {
            since_start: self.began.elapsed(),
            healthy_for,
            is_trial: self.is_trial,
            is_committed: state.slot.is_none() || state.slot == state.committed,
            waits_for_disk: state.storage == Storage::Preparing,
            is_read_only: self.began.elapsed() >= BOX_READ_ONLY
                && matches!(state.storage, Storage::Ready { .. })
                && self.is_read_only(),
        };
        match judge(sight) {
            Verdict::GoOn => {}
            Verdict::Forget => {
                if let Some(starts) = &mut self.starts {
                    starts.forget(|line| self.shared.log(line));
                }
            }
            Verdict::CheckDisk => {
                self.shared.log("the disk cannot be written to any more; it is checked at a new start");
                self.end(Power::Restart);
            }
            Verdict::GiveUpTrial => {
                self.shared.log("this release did not come up; back to the one before");
                self.end(Power::Restart);
            }
        }
    }

    /// Whether the kernel lets nothing be written to the archive's file system any more, after an error of the disk. Kernels of
    /// late do not show that among the flags of a mount (since 6.12, and in later ones of 6.1); that errors were counted tells.
    fn is_read_only(&self) -> bool {
        let counted = self
            .disk_errors
            .as_ref()
            .is_some_and(|(file, at_mount)| number_in(file).is_some_and(|now| now > *at_mount));
        counted || statvfs(&self.places.data).is_ok_and(|found| found.flags().contains(FsFlags::ST_RDONLY))
    }

    fn starve(&mut self, starved: bool) {
        if let Some(starts) = &mut self.starts {
            starts.starve(starved, |line| self.shared.log(line));
        }
    }

    fn note(&mut self, silent: &str) {
        if let Some(starts) = &mut self.starts {
            starts.note(silent, |line| self.shared.log(line));
        }
    }

    fn tell(&mut self) {
        let state = self.shared.state();
        // What `serve` said itself need not come back.
        let is_new = BoxState { pages: self.told.pages.clone(), ..state.clone() } != self.told;
        if is_new {
            self.tell_serve(&Notice::State(Box::new(state.clone())));
            self.told = state;
        }
    }

    fn tell_serve(&self, notice: &Notice) {
        if let Serve::Running { serving, .. } = &self.serve {
            serving.tell(notice);
        }
    }

    fn refuse(&self, reason: &str) {
        self.shared.log(reason);
        self.tell_serve(&Notice::Refused(reason.into()));
    }
}

/// Does something with GRUB's environment on the disk that this system runs from.
fn with_slots<T>(places: &Places, work: impl FnOnce(&mut Slots<'_>) -> Result<T, SlotsError>) -> anyhow::Result<T> {
    let own = disk::own(places)?;
    let esp = own.disk.partition(storage::ESP).context("the disk has no ESP")?;
    let mut device = OpenOptions::new().read(true).write(true).open(own.disk.path(places))?;
    let mut slots = Slots::find(&mut device, esp.start, esp.length, &|| {})?;
    Ok(work(&mut slots)?)
}

/// Where the kernel counts the errors of the data file system (Linux, Documentation/ABI/testing/sysfs-fs-ext4).
fn errors_of_data(places: &Places) -> Option<PathBuf> {
    let own = disk::own(places).ok()?;
    let partition = own.disk.partition(gpt::DATA)?;
    Some(places.sys.join("fs/ext4").join(&partition.name).join("errors_count"))
}

fn number_in(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}
