//! One record of a pack: a header, then the payload in chunks (docs/format.md, part 2).
//!
//! Invariant: a record is written and read in constant memory, whatever its size.

use std::io::{self, Read, Write};

use crate::hash::{Hashing, Sha256};
use crate::limits::{CHUNK, SPOOL_IN_MEMORY};

/// First bytes of every record. The first one cannot stand in text, so that a search for records stays quick.
pub const MAGIC: [u8; 4] = [0x89, b'A', b'V', b'R'];
/// Version of the header's layout.
const VERSION: u8 = 0;
/// Bytes of a header that is not sealed.
pub const HEADER_LEN: usize = 52;
/// Marks the last chunk in a chunk's length.
const LAST: u32 = 1 << 31;
const ZSTD_LEVEL: i32 = 3;
/// Frames that we write never need a larger window; one that asks for it is damaged.
const WINDOW_LOG: u32 = 23;

/// Sixteen random bytes that tell the packs of one archive from those of another.
pub type ArchiveId = [u8; 16];

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The raw bytes of a message or file.
    Message = 1,
    /// The metadata of one document (CBOR).
    Document = 3,
    /// Everything that the catalog learns from the records since the last commit (CBOR).
    Commit = 4,
}

impl Kind {
    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Message),
            3 => Some(Self::Document),
            4 => Some(Self::Commit),
            _ => None,
        }
    }
}

/// How the payload is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Codec {
    Stored = 0,
    /// One zstd frame (RFC 8878).
    Zstd = 1,
}

/// The head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub codec: Codec,
    /// Bytes of the payload when unpacked.
    pub plain_len: u64,
    /// Hash of the payload when unpacked.
    pub plain_sha256: Sha256,
}

impl Header {
    /// Layout, little endian: magic 4, version 1, kind 1, codec 1, sealing 1, plain length 8, plain SHA-256 32,
    /// CRC-32 of the archive id and the 48 bytes before it. The id never leaves the box, so a mail cannot carry a record
    /// that would be taken for one of this archive where damage makes a reader search for the next header.
    pub fn encode(&self, archive: ArchiveId) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.kind as u8;
        bytes[6] = self.codec as u8;
        bytes[7] = 0; // not sealed; sealed records carry a salt before the CRC
        bytes[8..16].copy_from_slice(&self.plain_len.to_le_bytes());
        bytes[16..48].copy_from_slice(&self.plain_sha256.0);
        let crc = crc(archive, &bytes[..48]);
        bytes[48..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` where `bytes` are no header that this release knows.
    pub fn decode(bytes: &[u8; HEADER_LEN], archive: ArchiveId) -> Option<Self> {
        if bytes[..4] != MAGIC || bytes[4] != VERSION || bytes[7] != 0 {
            return None;
        }
        let (head, recorded) = bytes.split_at(48);
        if crc(archive, head).to_le_bytes() != recorded {
            return None;
        }
        let codec = match bytes[6] {
            0 => Codec::Stored,
            1 => Codec::Zstd,
            _ => return None,
        };
        Some(Self {
            kind: Kind::from_code(bytes[5])?,
            codec,
            plain_len: u64::from_le_bytes(bytes[8..16].try_into().ok()?),
            plain_sha256: Sha256(bytes[16..48].try_into().ok()?),
        })
    }
}

fn crc(archive: ArchiveId, head: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&archive);
    crc.update(head);
    crc.finalize()
}

/// What is known of a record once it is written or was read: its bytes on disk, header included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub len: u64,
    pub sha256: Sha256,
}

/// Writes records. Keeps its compressor, whose tables are costlier to make than a small mail is to pack.
pub struct RecordWriter {
    archive: ArchiveId,
    small: zstd::bulk::Compressor<'static>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl RecordWriter {
    pub fn new(archive: ArchiveId) -> io::Result<Self> {
        Ok(Self { archive, small: zstd::bulk::Compressor::new(ZSTD_LEVEL)?, plain: Vec::new(), packed: Vec::new() })
    }

    /// Appends one record to `out`. `payload` must give exactly `plain_len` bytes with `plain_sha256`: a reader that does
    /// not keep this word costs an error, never a wrong record.
    pub fn write(
        &mut self,
        out: &mut impl Write,
        kind: Kind,
        plain_len: u64,
        plain_sha256: Sha256,
        payload: &mut dyn Read,
    ) -> io::Result<Stored> {
        let mut out = Hashing::new(out);
        if kind == Kind::Commit {
            write_stored(&mut out, self.archive, kind, plain_len, plain_sha256, payload)?;
        } else if plain_len <= SPOOL_IN_MEMORY as u64 {
            self.write_small(&mut out, kind, plain_len, plain_sha256, payload)?;
        } else {
            let header = Header { kind, codec: Codec::Zstd, plain_len, plain_sha256 };
            out.write_all(&header.encode(self.archive))?;
            let mut encoder = zstd::stream::write::Encoder::new(ChunkWriter::new(&mut out), ZSTD_LEVEL)?;
            encoder.set_pledged_src_size(Some(plain_len))?;
            encoder.include_contentsize(true)?;
            let mut plain = Hashing::new(payload);
            let copied = io::copy(&mut plain, &mut encoder)?;
            let chunks = encoder.finish()?;
            if copied != plain_len || plain.finish().1 != plain_sha256 {
                return Err(changed_on_its_way());
            }
            chunks.finish()?;
        }
        let len = out.count();
        Ok(Stored { len, sha256: out.finish().1 })
    }

    fn write_small(
        &mut self,
        out: &mut impl Write,
        kind: Kind,
        plain_len: u64,
        plain_sha256: Sha256,
        payload: &mut dyn Read,
    ) -> io::Result<()> {
        self.plain.clear();
        payload.take(plain_len + 1).read_to_end(&mut self.plain)?;
        if self.plain.len() as u64 != plain_len || Sha256::of(&self.plain) != plain_sha256 {
            return Err(changed_on_its_way());
        }
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        self.small.compress_to_buffer(&self.plain, &mut self.packed)?;
        let (codec, bytes) = if self.packed.len() < self.plain.len() {
            (Codec::Zstd, &self.packed)
        } else {
            (Codec::Stored, &self.plain)
        };
        out.write_all(&Header { kind, codec, plain_len, plain_sha256 }.encode(self.archive))?;
        let mut chunks = ChunkWriter::new(out);
        chunks.write_all(bytes)?;
        chunks.finish()
    }
}

/// Writes a record as it is. The stored bytes of a commit are named by nobody, so its plain hash has to speak for each of
/// them: a packed frame has bits that unpack to the same.
fn write_stored(
    out: &mut impl Write,
    archive: ArchiveId,
    kind: Kind,
    plain_len: u64,
    plain_sha256: Sha256,
    payload: &mut dyn Read,
) -> io::Result<()> {
    out.write_all(&Header { kind, codec: Codec::Stored, plain_len, plain_sha256 }.encode(archive))?;
    let mut chunks = ChunkWriter::new(out);
    let mut plain = Hashing::new(payload);
    let copied = io::copy(&mut plain, &mut chunks)?;
    if copied != plain_len || plain.finish().1 != plain_sha256 {
        return Err(changed_on_its_way());
    }
    chunks.finish()
}

fn changed_on_its_way() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the bytes changed between their hash and the archive")
}

/// Cuts what is written into chunks, each led by its length; the last one is marked.
struct ChunkWriter<W: Write> {
    out: W,
    chunk: Vec<u8>,
}

impl<W: Write> ChunkWriter<W> {
    fn new(out: W) -> Self {
        Self { out, chunk: Vec::new() }
    }

    fn put(&mut self, last: bool) -> io::Result<()> {
        let len = u32::try_from(self.chunk.len()).map_err(io::Error::other)?;
        self.out.write_all(&(if last { len | LAST } else { len }).to_le_bytes())?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.put(true)
    }
}

impl<W: Write> Write for ChunkWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK {
            self.put(false)?;
        }
        let count = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the chunks of one record as one stream; ends after the last chunk.
pub struct ChunkReader<R: Read> {
    input: R,
    left: usize,
    last: bool,
}

impl<R: Read> ChunkReader<R> {
    /// `input` stands behind a header.
    pub fn new(input: R) -> Self {
        Self { input, left: 0, last: false }
    }
}

impl<R: Read> Read for ChunkReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            if self.last {
                return Ok(0);
            }
            let mut len = [0; 4];
            self.input.read_exact(&mut len)?;
            let len = u32::from_le_bytes(len);
            self.last = len & LAST != 0;
            self.left = usize::try_from(len & !LAST).map_err(io::Error::other)?;
            if self.left > CHUNK {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk claims more bytes than a chunk holds"));
            }
        }
        let count = into.len().min(self.left);
        let count = self.input.read(&mut into[..count])?;
        if count == 0 && !into.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count;
        Ok(count)
    }
}

/// Unpacks the payload behind `header` into `out` and checks length and hash. `Err(InvalidData)` or `UnexpectedEof` where
/// the record is damaged; what was written to `out` until then is worth nothing.
pub fn unpack(header: &Header, chunks: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Hashing::new(out);
    match header.codec {
        Codec::Stored => {
            io::copy(&mut chunks.take(header.plain_len.saturating_add(1)), &mut out)?;
        }
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(chunks)?;
            decoder.window_log_max(WINDOW_LOG)?;
            io::copy(&mut decoder.single_frame().take(header.plain_len.saturating_add(1)), &mut out)?;
        }
    }
    let len = out.count();
    if len != header.plain_len || out.finish().1 != header.plain_sha256 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the unpacked bytes do not have the recorded hash"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(plain: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = RecordWriter::new([7; 16]).unwrap();
        let sha256 = Sha256::of(plain);
        let stored = writer.write(&mut bytes, Kind::Message, plain.len() as u64, sha256, &mut &plain[..]).unwrap();
        assert_eq!(stored, Stored { len: bytes.len() as u64, sha256: Sha256::of(&bytes) });
        let header = Header::decode(bytes[..HEADER_LEN].try_into().unwrap(), [7; 16]).unwrap();
        assert_eq!(Header::decode(bytes[..HEADER_LEN].try_into().unwrap(), [8; 16]), None);
        let mut back = Vec::new();
        unpack(&header, &mut ChunkReader::new(&bytes[HEADER_LEN..]), &mut back).unwrap();
        assert_eq!(back, plain);
        bytes
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1u32;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(len)
        .collect()
    }

    #[test]
    fn payloads_of_every_size_come_back() {
        for len in [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1_000_000] {
            round_trip(&noise(len));
            round_trip(&vec![b'x'; len]);
        }
    }

    #[test]
    fn what_does_not_shrink_is_stored_as_it_is() {
        let plain = noise(1000);
        let bytes = round_trip(&plain);
        assert_eq!(&bytes[HEADER_LEN + 4..], plain);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let plain = noise(300);
        let bytes = round_trip(&plain);
        for bit in 0..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            let read = Header::decode(broken[..HEADER_LEN].try_into().unwrap(), [7; 16]).map(|header| {
                let mut back = Vec::new();
                unpack(&header, &mut ChunkReader::new(&broken[HEADER_LEN..]), &mut back).map(|()| back)
            });
            assert!(!matches!(&read, Some(Ok(back)) if *back != plain), "bit {bit}");
            assert!(bit / 8 >= HEADER_LEN || read.is_none(), "header bit {bit}");
        }
    }

    #[test]
    fn a_payload_that_is_not_what_was_hashed_is_refused() {
        for len in [10usize, 200_000] {
            let plain = noise(len);
            let mut writer = RecordWriter::new([7; 16]).unwrap();
            let wrong = Sha256::of(b"other");
            assert!(writer.write(&mut Vec::new(), Kind::Message, len as u64, wrong, &mut &plain[..]).is_err());
            let short =
                writer.write(&mut Vec::new(), Kind::Message, len as u64 + 1, Sha256::of(&plain), &mut &plain[..]);
            assert!(short.is_err());
        }
    }
}
