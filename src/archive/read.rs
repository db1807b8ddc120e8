//! Reading a message back: a record that holds it whole, or a skeleton into which its parts are put.
//!
//! Invariant: constant memory; what comes out was checked record by record, and its caller holds the whole against the hash of the
//! message.

use std::io::{self, Write};
use std::path::Path;

use super::error::Result;
use super::keys::Keys;
use super::pack;
use super::record::{ArchiveId, Kind};
use super::split::{FRAME_HEAD, Joiner, Plan, Reference};
use crate::hash::{Hashing, Sha256};

/// Whose records are read, and where they lie.
#[derive(Clone, Copy)]
pub struct Packs<'a> {
    pub folder: &'a Path,
    pub archive: ArchiveId,
    pub keys: &'a Keys,
}

/// Says where the record of a part stands: its pack and byte.
pub type Find<'a> = dyn Fn(&Sha256) -> Result<Option<(u32, u64)>> + 'a;

/// Writes the `size` raw bytes of the message whose record stands at `offset` of pack `number` to `out`, and gives their hash.
/// `Ok(Err(what))` where something of it is damaged or missing; what was written until then is worth nothing.
pub fn message(
    packs: Packs<'_>,
    (number, offset): (u32, u64),
    size: u64,
    find: &Find<'_>,
    out: &mut dyn Write,
) -> Result<std::result::Result<Sha256, String>> {
    let closed = match pack::at(packs.folder, packs.archive, number, offset)? {
        Ok(closed) => closed,
        Err(what) => return Ok(Err(what)),
    };
    match closed.kind() {
        Kind::Message => Ok(closed.open(packs.keys, out)?.map(|whole| whole.sha256)),
        Kind::Skeleton => {
            let mut out = Hashing::new(out);
            let mut trouble = None;
            let mut joining = Joining::new(packs, size, find, &mut out, &mut trouble);
            let opened = closed.open(packs.keys, &mut joining).map(|opened| (opened, joining.finish()));
            // Reading a part has errors of its own: a disk that fails is no damage.
            if let Some(error) = trouble {
                return Err(error);
            }
            let (opened, joined) = opened?;
            Ok(match (opened, joined) {
                (Err(what), _) => Err(what),
                (Ok(_), Err(error)) => Err(error.to_string()),
                (Ok(_), Ok(())) => Ok(out.finish().1),
            })
        }
        _ => Ok(Err("its record is not one of a message".into())),
    }
}

/// Takes the payload of a skeleton record: the length of the plan, the plan, the skeleton.
enum Joining<'a> {
    Plan {
        packs: Packs<'a>,
        size: u64,
        find: &'a Find<'a>,
        out: &'a mut dyn Write,
        trouble: Trouble<'a>,
        head: Vec<u8>,
    },
    Joiner(Joiner<'a, Parts<'a>>),
    /// Something went wrong.
    Ended,
}

type Parts<'a> = Box<dyn FnMut(&Reference, &mut dyn Write) -> io::Result<()> + 'a>;
type Trouble<'a> = &'a mut Option<super::ArchiveError>;

impl<'a> Joining<'a> {
    fn new(packs: Packs<'a>, size: u64, find: &'a Find<'a>, out: &'a mut dyn Write, trouble: Trouble<'a>) -> Self {
        Self::Plan { packs, size, find, out, trouble, head: Vec::new() }
    }

    /// The plan is there as far as `head` has it: goes on to the skeleton once it is whole.
    fn begin(&mut self) -> io::Result<()> {
        let Self::Plan { head, .. } = self else { return Ok(()) };
        if Plan::frame_len(head)? != Some(head.len()) {
            return Ok(());
        }
        let plan = Plan::of_frame(head)?;
        let Self::Plan { packs, size, find, out, trouble, .. } = std::mem::replace(self, Self::Ended) else {
            return Ok(());
        };
        let parts = move |reference: &Reference, out: &mut dyn Write| {
            let read = find(&reference.sha256).and_then(|place| match place {
                Some((number, offset)) => {
                    pack::read(packs.folder, packs.archive, packs.keys, number, offset, out).map(|read| match read {
                        Ok(whole) if whole.sha256 == reference.sha256 => Ok(()),
                        Ok(_) => Err("a part of it is not what it was".to_string()),
                        Err(what) => Err(format!("a part of it: {what}")),
                    })
                }
                None => Ok(Err("a part of it is missing".to_string())),
            });
            match read {
                Ok(read) => read.map_err(|what| io::Error::new(io::ErrorKind::InvalidData, what)),
                Err(error) => {
                    *trouble = Some(error);
                    Err(io::Error::new(io::ErrorKind::InvalidData, "a part of it cannot be read"))
                }
            }
        };
        *self = Self::Joiner(Joiner::new(plan, size, Box::new(parts), out));
        Ok(())
    }

    /// Bytes that are still wanted before the skeleton begins.
    fn wanted(&self) -> io::Result<usize> {
        let Self::Plan { head, .. } = self else { return Ok(0) };
        Ok(Plan::frame_len(head)?.unwrap_or(FRAME_HEAD).saturating_sub(head.len()))
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Joiner(joiner) => joiner.finish(),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the plan of a split message is not whole")),
        }
    }
}

impl Write for Joining<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let wanted = self.wanted()?;
        match self {
            Self::Plan { head, .. } => {
                let count = wanted.min(bytes.len());
                head.extend_from_slice(&bytes[..count]);
                self.begin()?;
                Ok(count)
            }
            Self::Joiner(joiner) => joiner.write(bytes),
            Self::Ended => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
