//! Keeping `serve` running: started, noticed when it ends, started again after a pause that grows.

use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use super::super::serving::{Serving, spawn};
use super::super::state::{PagesState, Storage};
use super::{DISK_PATIENCE, Happening, RUN, Serve, Supervisor};
use crate::limits::{BOX_ASKS, BOX_BACK_OFF, BOX_BACK_OFF_FIRST, BOX_HEALTHY, BOX_SERVE_END};

impl Supervisor {
    pub(super) fn stop_serve(&mut self) {
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
    pub(super) fn keep_serve(&mut self) {
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
}
