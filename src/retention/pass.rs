//! One look at all documents: what is due ends.
//!
//! Two brakes keep a wrong clock or a wrong rule from emptying an archive: very many, for the first time since anything was shortened,
//! wait for a person; and so does whatever is due when the clock is far ahead of the pass before.

use std::sync::Mutex;

use super::{Clock, Terms};
use crate::archive::commit::{Ending, Event, Happening, Number};
use crate::archive::{Archive, ArchiveError};
use crate::limits::{RETENTION_BATCH, RETENTION_GAP, RETENTION_MOST, RETENTION_PART};
use crate::pulse;
use crate::settings::Result;
use crate::settings::retention::{self, Retention};
use crate::settings::retention_passes::{self as passes, Doubt, Pass, Waits};
use crate::settings::users::ITSELF;

static ONE: Mutex<()> = Mutex::new(());

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Documents whose term is over are kept: nobody wants them to end.
    Off,
    /// The box does not know what time it is.
    NoClock,
    /// The clock is behind the last commit, of this time.
    Behind(i64),
    Done(Pass),
}

/// Called on every step; its error ends the work.
pub type GoOn<'a> = &'a mut dyn FnMut() -> std::result::Result<(), ArchiveError>;

/// Ends what is due. One pass at a time; a second one waits.
pub fn run(archive: &Archive, clock: &dyn Clock, go_on: GoOn<'_>) -> Result<Outcome> {
    let _one = pulse::turn(&ONE, go_on)?;
    let set = Retention::read(archive)?;
    if !set.deletes {
        return Ok(Outcome::Off);
    }
    if !clock.is_right() {
        return Ok(Outcome::NoClock);
    }
    let now = clock.now();
    let last_commit = archive.last_commit()?.unwrap_or_default();
    if now < last_commit {
        return Ok(Outcome::Behind(last_commit));
    }
    {
        let _turn = retention::turn();
        set.remember(archive)?;
    }
    let view = archive.view()?;
    let (before, sure, all) = (passes::last(&view)?, passes::sure(archive)?, view.count()?);
    drop(view);
    // The last time that nobody doubted.
    let known = before.map_or(last_commit, |before| before.known);
    let confirmed = sure.as_ref().map_or(known, |sure| known.max(sure.until));
    let mut pass = Pass { time: now, known: now, ..Pass::default() };

    let mut due = 0;
    look(archive, now, &mut pass, go_on, |_| {
        due += 1;
        Ok(true)
    })?;
    let is_many = due > RETENTION_MOST || due.saturating_mul(RETENTION_PART) > all;
    let doubt = if due > 0 && now.saturating_sub(confirmed) > RETENTION_GAP {
        pass.known = known;
        Some(Doubt::Clock)
    } else if is_many && sure.is_none() {
        Some(Doubt::Many)
    } else {
        None
    };
    pass.waits = doubt.map(|why| Waits { why, due });
    if due > 0 && doubt.is_none() {
        let ended = end(archive, clock, &set, &mut pass, go_on);
        pass.is_cut = !matches!(ended, Ok(true));
        // Before anything else can go wrong: what ended is told.
        passes::note(archive, &pass)?;
        ended?;
        retention::sweep(archive)?;
        pass.freed = archive.erase(go_on)?;
    }
    passes::note(archive, &pass)?;
    Ok(Outcome::Done(pass))
}

/// Calls `each` with every document that is due and under no hold, until it says stop (`false`).
fn look(
    archive: &Archive,
    now: i64,
    pass: &mut Pass,
    go_on: GoOn<'_>,
    mut each: impl FnMut(Number) -> Result<bool>,
) -> Result<()> {
    let terms = Terms::read(&archive.view()?)?;
    archive.documents(|view, number, document| {
        go_on()?;
        pass.looked += 1;
        if !terms.are_over(view, number, document, now)? {
            return Ok(true);
        }
        if !terms.holds(view, number)?.is_empty() {
            pass.held += 1;
            return Ok(true);
        }
        each(number)
    })
}

/// Whether all of them were looked at to the end.
fn end(archive: &Archive, clock: &dyn Clock, set: &Retention, pass: &mut Pass, go_on: GoOn<'_>) -> Result<bool> {
    let (now, mut ended, mut goes_on) = (pass.time, 0, true);
    let mut batch = Vec::with_capacity(RETENTION_BATCH);
    // What is looked at was counted before.
    let looked = look(archive, now, &mut Pass::default(), go_on, |number| {
        batch.push(number);
        if batch.len() == RETENTION_BATCH {
            goes_on = end_batch(archive, clock, now, set, std::mem::take(&mut batch), &mut ended)?;
        }
        Ok(goes_on)
    });
    let rest = looked.and_then(|()| {
        if goes_on && !batch.is_empty() {
            goes_on = end_batch(archive, clock, now, set, batch, &mut ended)?;
        }
        Ok(goes_on)
    });
    pass.ended = ended;
    rest
}

/// Ends those of these documents that are still due, and counts them; not (`false`) where what holds, or the clock, is another one
/// than when the pass began.
fn end_batch(
    archive: &Archive,
    clock: &dyn Clock,
    now: i64,
    set: &Retention,
    numbers: Vec<Number>,
    ended: &mut u64,
) -> Result<bool> {
    // Nobody sets a hold or a term in between; and a place that is just being archived counts too, up to the last moment.
    let _turn = retention::turn();
    archive.flush()?;
    let view = archive.view()?;
    let terms = Terms::read(&view)?;
    if terms.set != *set || !clock.is_right() || clock.now() < now {
        return Ok(false);
    }
    let mut due = Vec::with_capacity(numbers.len());
    for number in numbers {
        if let Some(document) = view.document(number)?
            && terms.are_over(&view, number, &document, now)?
            && terms.holds(&view, number)?.is_empty()
        {
            due.push(number);
        }
    }
    let decided = view.position()?.unwrap_or_default().sequence;
    drop(view);
    let (Some(first), Some(last)) = (due.first(), due.last()) else { return Ok(true) };
    let count = due.len() as u64;
    let event = Event { time: now, who: ITSELF.into(), what: Happening::Deleted(*first, *last, count) };
    match archive.end_decided(decided, due, Ending::Term, vec![event]) {
        // The next pass looks at it anew.
        Err(ArchiveError::SeenAgain { .. }) => return Ok(true),
        ended => ended?,
    }
    *ended += count;
    Ok(true)
}
