//! When which definition runs: each active one, its interval after its last run ended, one after the other. None while there
//! is something to wait for.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::Fetcher;
use super::progress::{Progress, Watch};
use super::wait::Wait;
use crate::archive::Archive;
use crate::clock;
use crate::language::Lang;
use crate::pulse::{Cancelled, Pulse};
use crate::settings;

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_millis(500);

/// Tells the log what a run says.
struct Log;

impl Watch for Log {
    fn progress(&mut self, _: &Progress) {}

    fn tell(&mut self, line: &str) {
        tracing::warn!("{line}");
    }
}

/// Runs what is due until it is cancelled.
pub fn run(archive: &Archive, fetcher: &Fetcher, pulse: &Pulse) -> Result<(), super::FetchError> {
    // Times of this process only: after a start everything is due, so that an outage is made up for at once.
    let mut next: HashMap<String, Instant> = HashMap::new();
    let mut told = HashSet::new();
    let mut waited = None;
    while let Ok(()) = pulse.go_on() {
        Fetcher::pace(archive);
        let wait = fetcher.waits(archive);
        let code = wait.map(Wait::code);
        if code != waited {
            waited = code;
            if let Some(wait) = wait {
                tracing::warn!("{}", wait.sentence(Lang::En));
            } else {
                tracing::info!("fetching goes on");
            }
        }
        if wait.is_some() {
            // What is due or asked for stays so.
            std::thread::sleep(TICK);
            continue;
        }
        let definitions = match settings::definitions(archive) {
            Ok(definitions) => definitions,
            Err(settings::SettingsError::Archive(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!("{error}");
                Vec::new()
            }
        };
        let good = definitions.iter().filter_map(|definition| match definition {
            Ok(definition) => Some(definition),
            Err(error) => {
                // Twice a second would fill the log.
                if told.insert(error.to_string()) {
                    tracing::error!("{error}");
                }
                None
            }
        });
        for definition in good {
            if !definition.is_fetched() {
                fetcher.board.set_next(&definition.name, None);
                fetcher.board.take_asked(&definition.name);
                continue;
            }
            let is_due = next.get(&definition.name).is_none_or(|at| *at <= Instant::now());
            let asked = fetcher.board.take_asked(&definition.name);
            if asked.is_none() && !is_due {
                continue;
            }
            let run = fetcher.run(archive, definition, asked.unwrap_or(false), pulse, &mut Log);
            tracing::info!(
                "{}: {} archived, {} same, {} left out, {} failed, {} unexplained",
                run.definition,
                run.archived,
                run.same,
                run.left_out,
                run.failed,
                run.unexplained
            );
            let pause = Duration::from_secs(60 * u64::from(definition.interval_minutes));
            next.insert(definition.name.clone(), Instant::now() + pause);
            let seconds = 60 * i64::from(definition.interval_minutes);
            fetcher.board.set_next(&definition.name, Some(clock::now() + seconds));
            if let Err(Cancelled) = pulse.go_on() {
                return Ok(());
            }
        }
        std::thread::sleep(TICK);
    }
    Ok(())
}
