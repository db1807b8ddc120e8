//! Where the bytes of a message lie. A message is read when it is asked for and never kept: a mail of 150 MB costs no more
//! memory than one of a kilobyte.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use crate::generate;

/// A message's bytes, wherever they are.
#[derive(Clone, Debug)]
pub enum Source {
    File(Arc<PathBuf>),
    /// A piece of an mbox.
    Slice {
        path: Arc<PathBuf>,
        start: u64,
        length: u64,
    },
    Memory(Arc<[u8]>),
    /// Written while it is read, the same every time.
    Generated {
        seed: u64,
        user: u32,
        number: u32,
    },
}

impl Source {
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path.as_path())?),
            Self::Slice { path, start, length } => {
                let mut file = File::open(path.as_path())?;
                file.seek(SeekFrom::Start(*start))?;
                Box::new(file.take(*length))
            }
            Self::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::Generated { seed, user, number } => Box::new(Cursor::new(generate::mail(*seed, *user, *number))),
        })
    }

    /// The first bytes, enough for the header of any sane message.
    pub fn head(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.open()?.take(64 << 10).read_to_end(&mut head)?;
        Ok(head)
    }

    pub fn whole(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub fn length(&self) -> io::Result<u64> {
        Ok(match self {
            Self::File(path) => std::fs::metadata(path.as_path())?.len(),
            Self::Slice { length, .. } => *length,
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Generated { .. } => self.whole()?.len() as u64,
        })
    }
}
