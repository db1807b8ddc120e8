//! Roles: what `serve` does all the time, each a named OS thread with a pulse, watched by one tokio runtime that does
//! nothing else.
//!
//! A role that returns an error or panics is started again after a pause that grows from one second to ten minutes. A role
//! whose pulse is overdue is asked to end; if it stays silent, `serve` ends with a named reason, so that whoever started it
//! (init on the box) starts it afresh.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::limits::ROLE_STACK;
use crate::pulse::Pulse;

/// Pause before a role's first restart, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// A role that ran so long begins again with the first pause.
const HEALTHY: Duration = Duration::from_hours(1);
/// How long a role that was asked to end may stay silent.
const GRACE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(500);

/// What a role does; returns when its pulse is cancelled, or with the reason why it cannot go on.
pub type Work = std::sync::Arc<dyn Fn(&Pulse) -> anyhow::Result<()> + Send + Sync>;

/// A role and how long it may stay silent.
pub struct Role {
    pub name: &'static str,
    pub deadline: Duration,
    pub work: Work,
    /// Beats as long as the role's own pulse does: for whoever asks how the process is.
    pub health: Pulse,
}

impl Role {
    pub fn new(
        name: &'static str,
        deadline: Duration,
        work: impl Fn(&Pulse) -> anyhow::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { name, deadline, work: std::sync::Arc::new(work), health: Pulse::new() }
    }
}

/// A role that neither works nor ends.
#[derive(Debug, thiserror::Error)]
#[error("role {name} was silent for {seconds} s and did not end when asked to")]
pub struct Stuck {
    pub name: &'static str,
    pub seconds: u64,
}

/// Runs one role, started again as often as needed, until `end` is cancelled.
pub async fn keep(role: &Role, end: &Pulse) -> Result<(), Stuck> {
    let mut pause = FIRST_PAUSE;
    while !end.is_cancelled() {
        let began = Instant::now();
        let reason = run(role, end).await?;
        if end.is_cancelled() {
            break;
        }
        if began.elapsed() >= HEALTHY {
            pause = FIRST_PAUSE;
        }
        tracing::error!("role {} ended: {reason}; started again in {} s", role.name, pause.as_secs());
        let until = Instant::now() + pause;
        while Instant::now() < until && !end.is_cancelled() {
            // Waiting between two starts is no silence: a role that fails again and again is no reason to start the box again.
            role.health.beat();
            sleep(LOOK).await;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// Keeps all of them, until each has ended or one is stuck.
pub async fn keep_all(roles: &[Role], end: &Pulse) -> Result<(), Stuck> {
    let mut kept: Vec<_> = roles.iter().map(|role| Box::pin(keep(role, end))).collect();
    poll_fn(|context| {
        let mut stuck = None;
        kept.retain_mut(|one| match one.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => false,
            Poll::Ready(Err(error)) => {
                stuck = Some(error);
                false
            }
        });
        match stuck {
            Some(stuck) => Poll::Ready(Err(stuck)),
            None if kept.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}

/// Runs a role once. Returns why it ended.
async fn run(role: &Role, end: &Pulse) -> Result<String, Stuck> {
    let pulse = Pulse::new();
    let (done, mut ended) = oneshot::channel();
    let (work, its_pulse) = (role.work.clone(), pulse.clone());
    let thread = std::thread::Builder::new().name(role.name.into()).stack_size(ROLE_STACK).spawn(move || {
        its_pulse.adopt();
        let reason = match catch_unwind(AssertUnwindSafe(|| work(&its_pulse))) {
            Ok(Ok(())) => "done".to_string(),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "it panicked".to_string(),
        };
        let _ = done.send(reason);
    });
    if let Err(error) = thread {
        return Ok(format!("no thread: {error}"));
    }
    let mut asked: Option<Instant> = None;
    loop {
        tokio::select! {
            reason = &mut ended => return Ok(reason.unwrap_or_else(|_| "it vanished".into())),
            () = sleep(LOOK) => {}
        }
        if pulse.age() < role.deadline {
            role.health.beat();
        }
        if asked.is_none() && (end.is_cancelled() || pulse.age() > role.deadline) {
            pulse.cancel();
            asked = Some(Instant::now());
        }
        if let Some(since) = asked
            && since.elapsed() > GRACE
            && pulse.age() > GRACE
        {
            return Err(Stuck { name: role.name, seconds: pulse.age().as_secs() });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn a_role_that_fails_or_panics_is_started_again() {
        let runs = Arc::new(AtomicU32::new(0));
        let end = Pulse::new();
        let work = {
            let (runs, end) = (runs.clone(), end.clone());
            move |_: &Pulse| match runs.fetch_add(1, Ordering::SeqCst) {
                0 => anyhow::bail!("no luck"),
                1 => panic!("worse"),
                _ => {
                    end.cancel();
                    Ok(())
                }
            }
        };
        let role = Role::new("test", Duration::from_mins(1), work);
        block_on(keep(&role, &end)).unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_role_that_fails_at_once_is_not_silent_between_its_starts() {
        let end = Pulse::new();
        let role = Role::new("test", Duration::from_mins(1), |_: &Pulse| anyhow::bail!("no luck"));
        let oldest = block_on(async {
            let look = async {
                let mut oldest = Duration::ZERO;
                // Over the pauses of one and of two seconds.
                for _ in 0..60 {
                    sleep(Duration::from_millis(50)).await;
                    oldest = oldest.max(role.health.age());
                }
                end.cancel();
                oldest
            };
            let (kept, oldest) = tokio::join!(keep(&role, &end), look);
            kept.unwrap();
            oldest
        });
        assert!(oldest < 2 * LOOK, "{oldest:?}");
    }

    #[test]
    fn a_role_that_is_overdue_is_asked_to_end() {
        let end = Pulse::new();
        let seen = end.clone();
        let work = move |pulse: &Pulse| {
            while !pulse.is_cancelled() {
                std::thread::sleep(Duration::from_millis(10));
            }
            seen.cancel();
            Ok(())
        };
        let role = Role::new("test", Duration::from_millis(100), work);
        block_on(keep(&role, &end)).unwrap();
        assert!(end.is_cancelled());
    }
}
