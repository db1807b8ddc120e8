//! The whole proof as files: every checkpoint with its signature, the histories made anew from the log, the device keys.
//!
//! Constant memory: a history waits in the spool until it is whole, for its hash and its length stand before it elsewhere.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::{ProofError, Result, readme, sign};
use crate::archive::checkpoint::{Checkpoint, Kept};
use crate::archive::commit::Happening;
use crate::archive::history::{self, Mark, Of};
use crate::archive::log::ReadCommit;
use crate::archive::{Archive, ArchiveError};
use crate::hash::{Hashing, Sha256};
use crate::ingest::Spool;
use crate::ingest::spool::SpoolFile;
use crate::pulse::Pulse;

/// Takes one file by its name within the folder.
pub type Put<'a> = dyn FnMut(&str, &mut SpoolFile) -> io::Result<()> + 'a;

/// What was handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandedOut {
    /// Number of the last checkpoint.
    pub last: u64,
    /// Checkpoints that do not fit the log, each with what is wrong.
    pub wrong: Vec<(u64, &'static str)>,
}

/// Signs what is not signed yet, notes it in the journal, and hands everything out. A checkpoint that does not fit the log is
/// named, in the file of problems too, and costs no other.
pub fn hand_out(archive: &Archive, who: &str, pulse: &Pulse, put: &mut Put<'_>) -> Result<HandedOut> {
    match sign(archive, who, pulse) {
        // What was signed before can be handed out all the same, and is: that is what proves which part is wrong.
        Err(error @ (ProofError::Unread { .. } | ProofError::Wrong { .. })) => tracing::error!("{error}"),
        signed => {
            signed?;
        }
    }
    let view = archive.view()?;
    let last = Kept::last(&view)?.ok_or(ProofError::Nothing)?;
    let position = view.position()?.unwrap_or_default();
    drop(view);
    archive.journal(who, Happening::ProofExported(last.number))?;
    let spool = Spool::new(archive.paths().spool.clone()).map_err(ProofError::Out)?;
    let mut folder = Folder {
        archive,
        spool: &spool,
        put,
        sums: spool.file(),
        keys: BTreeSet::new(),
        out: HandedOut { last: last.number, ..HandedOut::default() },
        history: Hashing::new(spool.file()),
        next: 0,
        checkpoint: None,
        wrong: None,
    };
    for (name, text) in [(readme::NAME, readme::text()), (readme::SCRIPT, readme::script())] {
        folder.text(name, text.as_bytes())?;
    }
    folder.advance()?;
    let of = Of { paths: archive.paths(), archive: position.archive, keys: archive.keys() };
    let mut failed = None;
    let until = position.sequence;
    let walked = history::walk(of, Mark::default(), until, pulse, &mut |read| {
        folder.commit(read).map_err(|error| {
            let what = error.to_string();
            failed = Some(error);
            ArchiveError::Stopped { what }
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    walked?;
    // Their commits are missing.
    while folder.next <= folder.out.last {
        folder.finish()?;
    }
    folder.close()
}

struct Folder<'a, 'p> {
    archive: &'a Archive,
    spool: &'a Spool,
    put: &'a mut Put<'p>,
    sums: SpoolFile,
    /// Fingerprints of the keys that were handed out.
    keys: BTreeSet<Sha256>,
    out: HandedOut,
    /// The history of the next checkpoint.
    history: Hashing<SpoolFile>,
    /// Number of the next checkpoint, what it says as far as that can be read, and what is wrong with it.
    next: u64,
    checkpoint: Option<Checkpoint>,
    wrong: Option<&'static str>,
}

impl Folder<'_, '_> {
    fn file(&mut self, name: &str, file: &mut SpoolFile) -> Result<()> {
        let sha256 = file.reader().and_then(|mut reader| Sha256::of_reader(&mut reader)).map_err(ProofError::Out)?;
        writeln!(self.sums, "{sha256}  {name}").and_then(|()| (self.put)(name, file)).map_err(ProofError::Out)
    }

    fn text(&mut self, name: &str, text: &[u8]) -> Result<()> {
        let mut file = self.spool.file();
        file.write_all(text).map_err(ProofError::Out)?;
        self.file(name, &mut file)
    }

    /// Looks up the next checkpoint.
    fn advance(&mut self) -> Result<()> {
        self.next += 1;
        let kept = Kept::get(&self.archive.view()?, self.next)?;
        self.checkpoint = kept.as_ref().and_then(|kept| Checkpoint::parse(&kept.signed.text));
        self.wrong = kept.as_ref().map_or(Some("it is missing"), |kept| kept.signed.check().err());
        let Some(kept) = kept else { return Ok(()) };
        let name = format!("checkpoints/{:06}", self.next);
        self.text(&format!("{name}.txt"), kept.signed.text.as_bytes())?;
        self.text(&format!("{name}.sig"), &kept.signed.signature())?;
        if let Some(key) = kept.signed.public()
            && self.keys.insert(key.fingerprint())
        {
            self.text(&format!("device-{}.pem", key.fingerprint()), key.pem().as_bytes())?;
        }
        Ok(())
    }

    fn commit(&mut self, read: &ReadCommit) -> Result<()> {
        // The commit up to which it speaks is missing, or that is not even known.
        while self.next <= self.out.last && self.until() < read.commit.sequence {
            self.finish()?;
        }
        if self.next > self.out.last {
            return Ok(());
        }
        history::write(&read.commit, &read.link, &mut self.history).map_err(ProofError::Out)?;
        if read.commit.sequence == self.until() { self.finish() } else { Ok(()) }
    }

    /// The last commit that the next checkpoint speaks for.
    fn until(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.commit)
    }

    /// The history of the next checkpoint is whole.
    fn finish(&mut self) -> Result<()> {
        let history = std::mem::replace(&mut self.history, Hashing::new(self.spool.file()));
        let (mut history, sha256) = history.finish();
        let is_same = self.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.history == sha256);
        let another = (!is_same).then_some("the history that it speaks for is another one now");
        self.out.wrong.extend(self.wrong.or(another).map(|what| (self.next, what)));
        self.file(&format!("history/{:06}.txt", self.next), &mut history)?;
        if self.next < self.out.last {
            return self.advance();
        }
        self.next += 1;
        Ok(())
    }

    fn close(mut self) -> Result<HandedOut> {
        if !self.out.wrong.is_empty() {
            let lines = self.out.wrong.iter().map(|(number, what)| format!("checkpoint {number}: {what}\n"));
            let text: String = lines.collect();
            self.text(readme::PROBLEMS, text.as_bytes())?;
        }
        (self.put)(readme::SUMS, &mut self.sums).map_err(ProofError::Out)?;
        Ok(self.out)
    }
}
