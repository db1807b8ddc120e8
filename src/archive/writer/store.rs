//! How the bytes of a message come into the log: attachments apart, once each, or whole.
//!
//! Invariant: what was split was read back as any reader would, and had its hash, before the commit that names it.

use std::collections::HashSet;
use std::io::{self, Write};

use super::super::commit::{NewPart, Split};
use super::super::error::{ArchiveError, Result};
use super::super::pack::Appender;
use super::super::read::{self, Packs};
use super::super::record::Kind;
use super::super::split::{PartReader, Plan, Reference, Sink, SkeletonReader, Splitter};
use super::super::view::View;
use super::{Beating, Writer};
use crate::hash::Sha256;
use crate::ingest::{self, SpoolFile};
use crate::limits::SPLIT_PART;
use crate::pulse::Pulse;

impl Writer {
    /// Appends the bytes of a message, split where it can be.
    pub(super) fn store(&mut self, view: &View, message: &mut ingest::Message) -> Result<u32> {
        if self.options.is_splitting
            && message.size >= SPLIT_PART as u64
            && let Some(place) = self.store_split(view, message)?
        {
            return Ok(place);
        }
        let mut bytes = message.bytes.reader().map_err(ArchiveError::io(&self.paths.spool))?;
        self.append(Kind::Message, message.size, message.sha256, &mut bytes)
    }

    /// Appends what is not there yet of the parts of a message, and its skeleton; `None` where it has no parts, or does not come
    /// back bit for bit.
    fn store_split(&mut self, view: &View, message: &mut ingest::Message) -> Result<Option<u32>> {
        let in_spool = || ArchiveError::io(&self.paths.spool);
        let reader = message.bytes.reader().map_err(in_spool())?;
        let mut splitter = Splitter::new(Nowhere);
        io::copy(&mut Beating { payload: &mut { reader }, pulse: &self.pulse }, &mut splitter).map_err(in_spool())?;
        let (Nowhere, plan) = splitter.finish().map_err(in_spool())?;
        if plan.parts.is_empty() {
            return Ok(None);
        }
        self.open_pack()?;
        // A second time without the parts that are there: one of them may have been damaged since.
        for trusts_stored in [true, false] {
            let before = self.mark();
            let place = self.append_split(view, message, &plan, trusts_stored)?;
            if self.comes_back(view, place, message)? {
                let mut parts: Vec<Sha256> = plan.parts.iter().map(|part| part.sha256).collect();
                parts.sort_unstable();
                parts.dedup();
                self.batch.commit.splits.push(Split { message: place, parts });
                return Ok(Some(place));
            }
            self.take_back(&before)?;
        }
        Ok(None)
    }

    fn append_split(
        &mut self,
        view: &View,
        message: &mut ingest::Message,
        plan: &Plan,
        trusts_stored: bool,
    ) -> Result<u32> {
        let spool = self.paths.spool.clone();
        let mut added = HashSet::new();
        for place in plan.places() {
            let Reference { sha256, len, .. } = place.reference;
            let is_there = self.batch.parts.contains_key(&sha256) || view.part(&sha256)?.is_some();
            if is_there && trusts_stored || !added.insert(sha256) {
                continue;
            }
            let raw = message.bytes.reader().map_err(ArchiveError::io(&spool))?;
            let mut part = PartReader::new(raw, &place).map_err(ArchiveError::io(&spool))?;
            let record = self.append(Kind::Part, len, sha256, &mut part)?;
            self.batch.commit.parts.push(NewPart { sha256, size: len, part: record });
            if let Some(offset) = self.batch.offsets.last().copied().flatten() {
                self.batch.parts.insert(sha256, offset);
            }
        }
        let size = message.size;
        let skeleton = |bytes: &mut SpoolFile| -> io::Result<Sha256> {
            Sha256::of_reader(&mut SkeletonReader::new(bytes.reader()?, plan, size))
        };
        let sha256 = skeleton(&mut message.bytes).map_err(ArchiveError::io(&spool))?;
        let raw = message.bytes.reader().map_err(ArchiveError::io(&spool))?;
        let mut bytes = SkeletonReader::new(raw, plan, size);
        let len = bytes.total();
        self.append(Kind::Skeleton, len, sha256, &mut bytes)
    }

    /// Whether a message that was just appended can be read back as it was.
    fn comes_back(&mut self, view: &View, place: u32, message: &ingest::Message) -> Result<bool> {
        let Some(appender) = &mut self.appender else { return Ok(false) };
        appender.flush()?;
        let number = appender.number();
        let Some(offset) = self.batch.offsets.get(place as usize).copied().flatten() else { return Ok(false) };
        let find = |hash: &Sha256| match self.batch.parts.get(hash) {
            Some(offset) => Ok(Some((number, *offset))),
            None => view.part(hash),
        };
        let packs = Packs { folder: &self.paths.packs, archive: self.archive, keys: &self.keys };
        let mut out = Beat(&self.pulse);
        let read = read::message(packs, (number, offset), message.size, &find, &mut out)?;
        Ok(read.is_ok_and(|sha256| sha256 == message.sha256))
    }

    fn mark(&self) -> Mark {
        Mark {
            end: self.appender.as_ref().map_or(0, Appender::end),
            records: self.batch.offsets.len(),
            parts: self.batch.commit.parts.len(),
        }
    }

    /// Takes back what was appended since `before`.
    fn take_back(&mut self, before: &Mark) -> Result<()> {
        self.batch.offsets.truncate(before.records);
        self.batch.commit.records.truncate(before.records);
        for part in self.batch.commit.parts.drain(before.parts..) {
            self.batch.parts.remove(&part.sha256);
        }
        self.appender.as_mut().map_or(Ok(()), |appender| appender.cut(before.end))
    }
}

/// How far a batch was, to go back there.
struct Mark {
    end: u64,
    records: usize,
    parts: usize,
}

/// A splitter that is asked for its plan alone.
struct Nowhere;

impl Sink for Nowhere {
    fn skeleton(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn part(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn end_part(&mut self, _: Sha256, _: u64) -> io::Result<()> {
        Ok(())
    }
}

/// What is read back is progress, and is kept by nobody.
struct Beat<'a>(&'a Pulse);

impl Write for Beat<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.beat();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
