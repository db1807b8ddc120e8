//! Who has to show signs of life, and whether all do: what the feeding of the watchdog hangs on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::pulse::Pulse;

/// The pulses that are looked at.
#[derive(Default)]
pub struct Watch {
    watched: Mutex<Vec<Watched>>,
}

struct Watched {
    name: String,
    deadline: Duration,
    pulse: Pulse,
}

/// Who was silent for longer than its deadline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} was silent for {seconds} s")]
pub struct Silent {
    pub name: String,
    pub seconds: u64,
}

impl Watch {
    /// From now on `name` has to beat the pulse at least once in `deadline`.
    pub fn over(&self, name: &str, deadline: Duration) -> Pulse {
        let pulse = Pulse::new();
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|other| other.name != name);
        watched.push(Watched { name: name.into(), deadline, pulse: pulse.clone() });
        pulse
    }

    /// `name` has done its work.
    pub fn no_more(&self, name: &str) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| other.name != name);
    }

    /// The first one that is overdue.
    pub fn all_well(&self) -> Result<(), Silent> {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        match watched.iter().find(|one| one.pulse.age() > one.deadline) {
            Some(one) => Err(Silent { name: one.name.clone(), seconds: one.pulse.age().as_secs() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_silent_is_named_until_it_beats_or_is_done() {
        let watch = Watch::default();
        watch.over("network", Duration::from_mins(1));
        let pulse = watch.over("serve", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(watch.all_well().unwrap_err().name, "serve");
        let pulse_again = watch.over("serve", Duration::from_mins(1));
        pulse.beat();
        pulse_again.beat();
        assert_eq!(watch.all_well(), Ok(()));
        watch.over("disk", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(5));
        assert!(watch.all_well().is_err());
        watch.no_more("disk");
        assert_eq!(watch.all_well(), Ok(()));
    }
}
