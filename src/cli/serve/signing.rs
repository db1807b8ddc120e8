//! A checkpoint each day, without anybody asking for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::archive::Archive;
use crate::clock;
use crate::fetch::Fetcher;
use crate::fetch::wait::Wait;
use crate::limits::{SIGN_EVERY, SIGN_FIRST, SIGN_SILENCE};
use crate::proof;
use crate::pulse::Pulse;
use crate::roles::Role;
use crate::settings::users::ITSELF;

const PAUSE: Duration = Duration::from_millis(500);

/// Signs what is due, a while after the start at first: a box that was off makes up for it then.
pub fn role(archive: &Arc<Archive>, fetcher: &Arc<Fetcher>) -> Role {
    let (archive, fetcher) = (archive.clone(), fetcher.clone());
    Role::new("sign", SIGN_SILENCE, move |pulse: &Pulse| {
        let mut next = Instant::now() + SIGN_FIRST;
        while pulse.go_on().is_ok() {
            if Instant::now() >= next {
                next = Instant::now() + SIGN_EVERY;
                // A time that the box does not know is none to sign.
                let knows_time = fetcher.waits(&archive) != Some(Wait::Clock);
                if knows_time
                    && proof::is_due(&archive, clock::now())?
                    && let Some(number) = proof::sign(&archive, ITSELF, pulse)?
                {
                    tracing::info!("checkpoint {number} is signed");
                }
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    })
}
