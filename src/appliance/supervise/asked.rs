//! What `supervise` is asked for, by `serve` over the channel and by people at the console.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;

use super::super::channel::{Ask, Notice};
use super::super::kernel::Linux;
use super::super::serving::spawn;
use super::super::shared::{Action, Answer};
use super::super::state::{BoxSettings, PagesState, Power, Storage};
use super::super::{install, settings};
use super::{Happening, Serve, Supervisor, with_slots};
use crate::language::Lang;
use crate::limits::BOX_STEP_DEADLINE;

impl Supervisor {
    /// What `serve` asks for.
    pub(super) fn asked(&mut self, ask: Ask) {
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
    pub(super) fn act(&mut self, action: Action, answer: Sender<Answer>) {
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
}
