//! The verb `supervise`: the one process of a box that has root's rights, and the first that runs.
//!
//! One thread decides (this file): it carries out what is asked, keeps `serve` running and tells it how the box is. The
//! watchdog is fed by another one, as long as this thread, the network, the disk and `serve` show signs of life. What takes
//! long has a thread of its own, which beats a pulse of its own.

use std::fs::{File, OpenOptions};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::statvfs::{FsFlags, statvfs};

use super::channel::{Ask, Notice};
use super::judge::{Sight, Verdict, judge};
use super::kernel::Linux;
use super::places::Places;
use super::serving::{Event, Serving, spawn};
use super::shared::{Action, Answer, Asked, Shared};
use super::slots::{Slots, SlotsError};
use super::starts::Starts;
use super::state::{BoxSettings, BoxState, Disk, PagesState, Power, Slot, Storage, StorageTrouble};
use super::time::Floor;
use super::watch::Watch;
use super::{console, disk, gpt, install, network, port, power, serving, settings, slots, storage, watchdog, wipe};
use crate::language::Lang;
use crate::limits::{
    BOX_ASKS, BOX_BACK_OFF, BOX_BACK_OFF_FIRST, BOX_DISK_DEADLINE, BOX_FAREWELL, BOX_HEALTHY, BOX_READ_ONLY,
    BOX_SERVE_DEADLINE, BOX_SERVE_END, BOX_STEP_DEADLINE,
};
use crate::pulse::Pulse;
use crate::web::gate;

/// How often the deciding thread looks around.
const TICK: Duration = Duration::from_millis(200);
/// How long `serve` waits for the disk before it serves a page that says so.
const DISK_PATIENCE: Duration = Duration::from_secs(8);
/// A role that ended is started again after this.
const ROLE_PAUSE: Duration = Duration::from_secs(2);
/// For sockets and keys of a `serve` without an archive; in memory.
const RUN: &str = "/run/archivista";
/// There as soon as this start was counted: a `supervise` that is started again counts none.
const COUNTED: &str = "/run/archivista-start-counted";
/// Seconds since 1970 and release, as they were built.
const BUILD: &str = "/etc/archivista/build";
/// How long drivers have to bring a watchdog of hardware.
const WATCHDOG_PATIENCE: Duration = Duration::from_secs(3);

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
    arm(&places, &watch, &shared);
    // Bounded: who asks for more than is carried out waits, and takes no memory from the one process that must not end.
    let (events, happenings) = mpsc::sync_channel(BOX_ASKS);
    let mut supervisor = Supervisor {
        floor: Floor::of_build(Path::new(BUILD)),
        sockets: listen(&shared, &own)?,
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

/// Opens the watchdog: one of hardware as soon as its driver is there, else the kernel's own.
fn arm(places: &Places, watch: &Arc<Watch>, shared: &Arc<Shared>) {
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
fn listen(shared: &Shared, own: &Pulse) -> std::io::Result<Vec<TcpListener>> {
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
    fn archive(&self) -> PathBuf {
        self.places.data.join("archive")
    }

    fn settings(&self) -> PathBuf {
        self.places.data.join("box/settings.json")
    }

    fn starts(&self) -> PathBuf {
        self.places.data.join("box/starts.json")
    }

    fn start_roles(&self, signals: SigSet) -> anyhow::Result<()> {
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

    /// What `serve` asks for.
    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Beat(pages) => {
                self.serve_pulse.beat();
                self.shared.change(|state| state.pages = pages);
            }
            Ask::Silent { role } => {
                self.shared.log(&format!("serve: {role} is silent"));
                self.note(&format!("{role} was silent"));
            }
            Ask::Floor { seconds } => {
                self.floor.lift(seconds);
                self.hold_clock(false);
            }
            // Right already: only where that is known from is new.
            Ask::SetClock { by: 0, clock } => self.shared.change(|state| state.clock = clock),
            Ask::SetClock { by, clock } => match self.floor.correct(by) {
                Ok(()) => {
                    self.shared.log(&format!("clock corrected by {} ms", by / 1000));
                    self.shared.change(|state| state.clock = clock);
                }
                Err(error) => self.refuse(&error.to_string()),
            },
            Ask::Resume => {
                if let Some(starts) = &mut self.starts {
                    starts.forget(|line| self.shared.log(line));
                }
                self.shared.change(|state| {
                    state.watchdog_starts = 0;
                    state.fetching_is_paused = false;
                });
            }
            Ask::Proved => self.commit_slot(),
            Ask::Password(answer) => {
                let unheard = match self.password_asked.take() {
                    Some(asked) => asked.send(answer).err().map(|unheard| unheard.0),
                    None => Some(answer),
                };
                self.password_late = unheard;
            }
            Ask::Settings(settings) => {
                if let Err(reason) = self.set(settings) {
                    self.refuse(&reason);
                }
            }
            Ask::Power(how) => self.end(how),
            Ask::Log => self.tell_serve(&Notice::Log(self.shared.logged())),
        }
    }

    /// What somebody at the console asks for.
    fn act(&mut self, action: Action, answer: Sender<Answer>) {
        let said = match action {
            Action::ResetPassword => {
                if let Some(late) = self.password_late.take() {
                    let _ = answer.send(late);
                    return;
                }
                let is_ready = self.shared.state().pages.state == PagesState::Ready;
                if is_ready && let Serve::Running { serving, .. } = &self.serve {
                    serving.tell(&Notice::Password);
                    self.password_asked = Some(answer);
                    return;
                }
                Err("Not while the archive is closed. / Nicht, solange das Archiv geschlossen ist.".into())
            }
            Action::Settings(settings) => self.set(settings).map(|()| "Saved. / Gespeichert.".into()),
            Action::Power(how) => {
                self.end(how);
                Ok("The box ends. / Die Box wird beendet.".into())
            }
            Action::FactoryReset if !matches!(self.shared.state().storage, Storage::Ready { .. }) => Err(
                "The disk is not ready: nothing was deleted. / Die Disk ist nicht bereit: Es wurde nichts gelöscht."
                    .into(),
            ),
            Action::FactoryReset => {
                self.wiping = true;
                self.end(Power::Restart);
                Ok("Everything is being deleted. / Alles wird gelöscht.".into())
            }
            Action::Install { disk } => {
                self.install(disk, answer);
                return;
            }
        };
        let _ = answer.send(said);
    }

    fn install(&self, disk: String, answer: Sender<Answer>) {
        let pulse = self.watch.over("install", BOX_STEP_DEADLINE);
        let (places, shared, watch, events) =
            (self.places.clone(), self.shared.clone(), self.watch.clone(), self.events.clone());
        let started = spawn("install", move || {
            let progress = |done: u64, all: u64| {
                let percent = done.saturating_mul(100) / all.max(1);
                shared.change(|state| state.pages.fetching = format!("installing: {percent} %"));
            };
            let done = catch_unwind(AssertUnwindSafe(|| {
                install::install(&places, &Linux, &disk, &pulse, &progress).map_err(|error| error.to_string())
            }));
            watch.no_more("install");
            let said = done.unwrap_or_else(|_| Err("the installation panicked; the log says more".into()));
            let said = said.map(|()| {
                "Installed. Power off, remove this disk, start. / Installiert. Ausschalten, diesen Datenträger entfernen, starten."
                    .to_string()
            });
            let _ = events.send(Happening::Done(answer, said));
        });
        if let Err(error) = started {
            self.watch.no_more("install");
            self.shared.log(&error.to_string());
        }
    }

    fn set(&mut self, wanted: BoxSettings) -> Result<(), String> {
        let mistakes: Vec<String> =
            settings::validate(&wanted).iter().map(|mistake| mistake.sentence(Lang::En)).collect();
        if !mistakes.is_empty() {
            return Err(mistakes.join(" "));
        }
        settings::save(&self.settings(), &wanted).map_err(|error| {
            self.shared.log(&format!("settings: {error}"));
            format!("The disk does not take the settings: {error}")
        })?;
        self.shared.change(|state| state.settings = wanted);
        Ok(())
    }

    /// The release that runs becomes the committed one.
    fn commit_slot(&self) {
        let state = self.shared.state();
        let Some(slot) = state.slot else { return };
        if state.committed == Some(slot) {
            return;
        }
        match with_slots(&self.places, |slots| slots.commit(slot)) {
            Ok(()) => {
                self.shared.log(&format!("slot {slot} is committed"));
                self.shared.change(|state| state.committed = Some(slot));
            }
            Err(error) => self.shared.log(&format!("slot {slot} cannot be committed: {error}")),
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

    fn stop_serve(&mut self) {
        self.serve = match std::mem::replace(&mut self.serve, Serve::Stopped) {
            Serve::Running { serving, .. } => {
                serving.terminate();
                Serve::Ending { serving, until: Instant::now() + BOX_SERVE_END }
            }
            Serve::Waiting { .. } => Serve::Stopped,
            other => other,
        };
    }

    /// Starts `serve`, notices its end, starts it again after a pause that grows.
    fn keep_serve(&mut self) {
        let now = Instant::now();
        let serve = std::mem::replace(&mut self.serve, Serve::Stopped);
        self.serve = match serve {
            Serve::Waiting { until } if now >= until && self.is_named() => self.start_serve(),
            Serve::Waiting { until } => {
                self.serve_pulse.beat();
                Serve::Waiting { until }
            }
            Serve::Running { mut serving, since, had_data } => match serving.ended() {
                None => Serve::Running { serving, since, had_data },
                Some(how) => {
                    self.shared.log(&format!("serve ended: {how}"));
                    self.shared.change(|state| state.pages.state = PagesState::Starting);
                    // The one that showed a page while the disk was looked for makes room for the one with an archive.
                    let is_wanted = !had_data && matches!(self.shared.state().storage, Storage::Ready { .. });
                    if is_wanted || since.elapsed() >= BOX_HEALTHY {
                        self.pause = BOX_BACK_OFF_FIRST;
                    }
                    let until = if is_wanted { now } else { now + self.pause };
                    self.pause = (self.pause * 2).min(BOX_BACK_OFF);
                    Serve::Waiting { until }
                }
            },
            Serve::Ending { mut serving, until } => {
                self.serve_pulse.beat();
                if serving.ended().is_some() {
                    Serve::Stopped
                } else if now >= until {
                    self.shared.log("serve did not end when asked to");
                    serving.kill();
                    Serve::Stopped
                } else {
                    Serve::Ending { serving, until }
                }
            }
            Serve::Stopped => {
                self.serve_pulse.beat();
                Serve::Stopped
            }
        };
    }

    /// Whether the certificate can name the box; a machine without any network interface is served all the same.
    fn is_named(&self) -> bool {
        !self.shared.state().name.is_empty() || self.began.elapsed() >= DISK_PATIENCE
    }

    fn start_serve(&mut self) -> Serve {
        self.serve_pulse.beat();
        let state = self.shared.state();
        let had_data = matches!(state.storage, Storage::Ready { .. });
        let (sender, events) = mpsc::sync_channel(BOX_ASKS);
        let started = std::env::current_exe().and_then(|program| {
            let forward = self.events.clone();
            spawn("serve-events", move || {
                while let Ok(event) = events.recv() {
                    if forward.send(Happening::Serve(event)).is_err() {
                        return;
                    }
                }
            })?;
            let archive = self.archive();
            Serving::start(&program, &archive, Path::new(RUN), &state, &self.sockets, &sender, &self.shared)
        });
        self.told = state;
        match started {
            Ok(serving) => Serve::Running { serving, since: Instant::now(), had_data },
            Err(error) => {
                self.shared.log(&format!("serve cannot be started: {error}"));
                let until = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(BOX_BACK_OFF);
                Serve::Waiting { until }
            }
        }
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

/// Runs `work` in a thread, again whenever it ends or panics.
fn kept(
    name: &str,
    shared: Arc<Shared>,
    work: impl Fn() -> anyhow::Result<()> + Send + 'static,
) -> std::io::Result<()> {
    let own_name = name.to_string();
    serving::spawn(name, move || {
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
