//! A message while it arrives.

use std::io::{self, Write};

use super::{Head, Spool, SpoolFile, Walk};
use crate::hash::{Hasher, Sha256};
use crate::limits;

/// A message as it came in, with what could be read of it.
#[derive(Debug)]
pub struct Message {
    /// The message byte for byte.
    pub bytes: SpoolFile,
    /// Of the bytes.
    pub sha256: Sha256,
    /// Length in bytes.
    pub size: u64,
    pub head: Head,
}

/// Takes the bytes of one message: spools, hashes and reads them as they come, in constant memory.
pub struct Incoming {
    bytes: SpoolFile,
    hash: Hasher,
    /// Reads a mail; a file that somebody uploads is not looked into.
    walk: Option<Walk>,
    limit: u64,
}

impl Incoming {
    /// The beginning of a message.
    pub fn new(spool: &Spool) -> Self {
        Self { bytes: spool.file(), hash: Hasher::new(), walk: Some(Walk::new()), limit: limits::MESSAGE }
    }

    /// The beginning of a file that is no mail: its head stays empty.
    pub fn of_file(spool: &Spool) -> Self {
        Self { walk: None, ..Self::new(spool) }
    }

    /// All bytes have arrived.
    pub fn finish(self) -> io::Result<Message> {
        let head = self.walk.map(Walk::finish).unwrap_or_default();
        Ok(Message { size: self.bytes.len(), bytes: self.bytes, sha256: self.hash.finish(), head })
    }
}

impl Write for Incoming {
    /// An error is that of the spool (a full disk), or `FileTooLarge` past [`limits::MESSAGE`]; the message can then only be
    /// given up or, after a spool error, written on.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() as u64 > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let taken = self.bytes.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        if let Some(walk) = &mut self.walk {
            walk.push(&bytes[..taken]);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bytes.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn assert_send<T: Send>() {}

    #[test]
    fn bytes_hash_and_head_belong_together() {
        assert_send::<Message>();
        assert_send::<Incoming>();
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned()).unwrap();
        let mut mail = b"Subject: x\r\nDate: 1 Jan 2020 0:00 Z\r\n\r\n".to_vec();
        mail.extend(std::iter::repeat_n(b"abc\r\n", 100_000).flatten());
        let mut incoming = Incoming::new(&spool);
        mail.chunks(7777).for_each(|chunk| incoming.write_all(chunk).unwrap());
        let mut message = incoming.finish().unwrap();
        assert_eq!((message.size, message.head.subject.as_str()), (mail.len() as u64, "x"));
        assert_eq!(message.sha256, Sha256::of(&mail));
        let mut back = Vec::new();
        message.bytes.reader().unwrap().read_to_end(&mut back).unwrap();
        assert!(back == mail);
    }

    #[test]
    fn a_message_without_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::new(&Spool::new(folder.path().to_owned()).unwrap());
        incoming.limit = 10;
        incoming.write_all(b"0123456789").unwrap();
        assert_eq!(incoming.write_all(b"x").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
