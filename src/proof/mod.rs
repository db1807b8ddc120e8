//! The proof for others: checkpoints that are signed, and all of it as a folder that a stranger verifies with `sha256sum` and
//! `openssl` alone.
//!
//! Rules of the room: it reads the log and commits checkpoints; what they are and how they are held against the log is
//! `archive`'s. Whoever calls it says in whose name.
//!
//! - `export`: the folder, `readme`: what it says of itself

pub mod export;
pub mod readme;

use std::io;

use crate::archive::checkpoint::{Checkpoint, Kept, key};
use crate::archive::commit::{Commit, Event, Happening, Setting};
use crate::archive::history::{self, Mark, Of};
use crate::archive::rows::Position;
use crate::archive::view::View;
use crate::archive::{Archive, ArchiveError};
use crate::clock;
use crate::hash::Hashing;
use crate::limits::SIGN_ROUNDS;
use crate::pulse::Pulse;

/// Why there is no checkpoint, or no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("commit {commit}, the last one, cannot be read; nothing was signed, run `archivista verify`")]
    Unread { commit: u64 },
    #[error("checkpoint {number}: {what}; nothing is signed behind it, run `archivista verify`")]
    Wrong { number: u64, what: &'static str },
    #[error("there is nothing to prove yet: nothing was archived")]
    Nothing,
    #[error("the proof cannot be written: {0}")]
    Out(#[source] io::Error),
}

/// Result of everything in this room.
pub type Result<T> = std::result::Result<T, ProofError>;

/// The last checkpoint and what it says.
pub fn last(view: &View) -> Result<Option<(Kept, Checkpoint)>> {
    let Some(kept) = Kept::last(view)? else { return Ok(None) };
    let checkpoint = kept.signed.check().map_err(|what| ProofError::Wrong { number: kept.number, what })?;
    Ok(Some((kept, checkpoint)))
}

/// Whether something was committed that no checkpoint speaks for.
pub fn is_behind(view: &View) -> Result<bool> {
    let position = view.position()?.unwrap_or_default().sequence;
    Ok(last(view)?.map_or(position > 0, |(kept, checkpoint)| kept.has_more(&checkpoint, position)))
}

/// Whether a checkpoint is to be signed at `now` (Unix seconds): one for each day, in UTC, on which something is there to be
/// signed. What counts is that the day is another one, so a clock that was set back costs none.
pub fn is_due(archive: &Archive, now: i64) -> Result<bool> {
    let view = archive.view()?;
    let day = |time: i64| time.div_euclid(86_400);
    let is_signed = last(&view)?.is_some_and(|(_, checkpoint)| day(checkpoint.time) == day(now));
    Ok(!is_signed && is_behind(&view)?)
}

/// Signs all that was committed; the number of the new checkpoint, `None` where nothing was committed since the last one.
/// Reads the log from the last checkpoint on; the archive takes messages meanwhile.
pub fn sign(archive: &Archive, who: &str, pulse: &Pulse) -> Result<Option<u64>> {
    let _turn = archive.signing(pulse)?;
    let view = archive.view()?;
    if !is_behind(&view)? {
        return Ok(None);
    }
    let before = last(&view)?;
    drop(view);
    let before = before.as_ref();
    let mut stretch = Stretch {
        mark: before.map(|(kept, checkpoint)| kept.mark(checkpoint)).unwrap_or_default(),
        documents: before.map_or(0, |(_, checkpoint)| checkpoint.documents),
        history: Hashing::new(io::sink()),
    };
    for _ in 0..SIGN_ROUNDS {
        let position = archive.view()?.position()?.unwrap_or_default();
        if stretch.mark.sequence == position.sequence {
            break;
        }
        stretch.read(archive, position, pulse)?;
    }
    let Stretch { mark, documents, history } = stretch;
    let device = archive.device()?;
    let checkpoint = Checkpoint {
        archive: archive.view()?.position()?.unwrap_or_default().archive,
        number: before.map_or(0, |(kept, _)| kept.number) + 1,
        time: clock::now(),
        commit: mark.sequence,
        link: mark.link,
        documents,
        history: history.finish().1,
        before: before.map(|(kept, _)| kept.signed.sha256()).unwrap_or_default(),
        device: device.public().fingerprint(),
        device_before: before.map(|(_, checkpoint)| checkpoint.device),
    };
    let number = checkpoint.number;
    let value =
        serde_json::to_vec(&checkpoint.sign(&device, mark.pack)).map_err(|error| ProofError::Out(error.into()))?;
    let event = Event { time: checkpoint.time, who: who.into(), what: Happening::Signed(number) };
    let setting = Setting { key: key(number), value: Some(value) };
    archive.commit(Commit { settings: vec![setting], journal: vec![event], ..Commit::default() })?;
    Ok(Some(number))
}

/// What the next checkpoint speaks for, as far as it was read.
struct Stretch {
    mark: Mark,
    documents: u64,
    history: Hashing<io::Sink>,
}

impl Stretch {
    /// Reads on up to the commit at `position`.
    fn read(&mut self, archive: &Archive, position: Position, pulse: &Pulse) -> Result<()> {
        let of = Of { paths: archive.paths(), archive: position.archive, keys: archive.keys() };
        history::walk(of, self.mark, position.sequence, pulse, &mut |read| {
            history::write(&read.commit, &read.link, &mut self.history).map_err(ArchiveError::io("history"))?;
            self.documents += read.commit.documents.len() as u64;
            self.mark = Mark { sequence: read.commit.sequence, link: read.link, pack: read.pack, end: read.end };
            Ok(())
        })?;
        // Where the end cannot be read, nothing says that what was read is all.
        if (self.mark.sequence, self.mark.link) == (position.sequence, position.commit) {
            Ok(())
        } else {
            Err(ProofError::Unread { commit: position.sequence })
        }
    }
}
