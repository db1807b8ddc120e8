//! One record of a pack: a header, then the payload, packed, sealed and cut into chunks (docs/format.md, part 2).
//!
//! Invariants: a record is written and read in constant memory, whatever its size; nothing of a chunk is given out before it
//! was found to be what was sealed, in its place of its record.
//!
//! - `erased`: what stands in the place of one that was taken out

mod erased;

use std::cell::RefCell;
use std::io::{self, BufRead, Read, Write};

use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

pub use erased::Erased;

use super::keys::{self, Keys};
use crate::hash::{Hashing, Sha256};
use crate::limits::{CHUNK, RECORD_IN_MEMORY, SPOOL_IN_MEMORY};

/// First bytes of every record. The first one cannot stand in text, so that a search for records stays quick.
pub const MAGIC: [u8; 4] = [0x89, b'A', b'V', b'R'];
/// Version of the header's layout.
const VERSION: u8 = 1;
/// Bytes of a header.
pub const HEADER_LEN: usize = 44;
/// Bytes of what is sealed in front of the payload.
const CONTENTS_LEN: usize = 41;
/// Bytes of the tag at the end of a chunk (AES-GCM).
const TAG_LEN: usize = 16;
/// Marks the last chunk in a chunk's length.
const LAST: u32 = 1 << 31;
const ZSTD_LEVEL: i32 = 3;
/// Frames that we write never need a larger window; one that asks for it is damaged.
const WINDOW_LOG: u32 = 23;

/// Sixteen random bytes that tell the packs of one archive from those of another.
pub type ArchiveId = [u8; 16];

/// What the key of a record is derived with, random for each.
pub type RecordSalt = [u8; 32];

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The raw bytes of a message or file.
    Message = 1,
    /// Decoded bytes that several messages share.
    Part = 2,
    /// The metadata of one document (CBOR).
    Document = 3,
    /// Everything that the catalog learns from the records since the last commit (CBOR).
    Commit = 4,
    /// A split message: its plan, and what is left of it without its parts. See [`split`](super::split).
    Skeleton = 5,
}

impl Kind {
    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Message),
            2 => Some(Self::Part),
            3 => Some(Self::Document),
            4 => Some(Self::Commit),
            5 => Some(Self::Skeleton),
            _ => None,
        }
    }

    /// Whether it is short and says something about others; the rest is content of any size.
    pub fn is_metadata(self) -> bool {
        matches!(self, Self::Document | Self::Commit)
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

/// The head of a record: all that can be read without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub salt: RecordSalt,
}

impl Header {
    /// Layout, little endian: magic 4, version 1, kind 1, zero 2, salt 32, CRC-32 of the archive id and the 40 bytes before
    /// it. The check sum tells a header from bytes that look like one, where damage makes a reader search for the next.
    pub fn encode(&self, archive: ArchiveId) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.kind as u8;
        bytes[8..40].copy_from_slice(&self.salt);
        let crc = crc(archive, &bytes[..40]);
        bytes[40..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` where `bytes` are no header that this release knows.
    pub fn decode(bytes: &[u8; HEADER_LEN], archive: ArchiveId) -> Option<Self> {
        if bytes[..4] != MAGIC || bytes[4] != VERSION || bytes[6..8] != [0; 2] {
            return None;
        }
        let (head, recorded) = bytes.split_at(40);
        if crc(archive, head).to_le_bytes() != recorded {
            return None;
        }
        Some(Self { kind: Kind::from_code(bytes[5])?, salt: bytes[8..40].try_into().ok()? })
    }
}

fn crc(archive: ArchiveId, head: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&archive);
    crc.update(head);
    crc.finalize()
}

/// What a record says of its payload. Sealed with it: by length and hash a known mail would be recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    pub codec: Codec,
    /// Bytes of the payload when unpacked.
    pub len: u64,
    /// Hash of the payload when unpacked.
    pub sha256: Sha256,
}

impl Contents {
    /// Layout, little endian: codec 1, length 8, SHA-256 32.
    fn encode(&self) -> [u8; CONTENTS_LEN] {
        let mut bytes = [0; CONTENTS_LEN];
        bytes[0] = self.codec as u8;
        bytes[1..9].copy_from_slice(&self.len.to_le_bytes());
        bytes[9..].copy_from_slice(&self.sha256.0);
        bytes
    }

    fn decode(bytes: &[u8; CONTENTS_LEN]) -> Option<Self> {
        let codec = match bytes[0] {
            0 => Codec::Stored,
            1 => Codec::Zstd,
            _ => return None,
        };
        let len = u64::from_le_bytes(bytes[1..9].try_into().ok()?);
        Some(Self { codec, len, sha256: Sha256(bytes[9..].try_into().ok()?) })
    }
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
    keys: Keys,
    small: zstd::bulk::Compressor<'static>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl RecordWriter {
    pub fn new(archive: ArchiveId, keys: Keys) -> io::Result<Self> {
        let small = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        Ok(Self { archive, keys, small, plain: Vec::new(), packed: Vec::new() })
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
        let mut salt = RecordSalt::default();
        keys::random(&mut salt)?;
        self.write_salted(out, Header { kind, salt }, plain_len, plain_sha256, payload)
    }

    /// [`Self::write`] with a salt that was never used before: key and nonces follow from it.
    fn write_salted(
        &mut self,
        out: &mut impl Write,
        header: Header,
        plain_len: u64,
        plain_sha256: Sha256,
        payload: &mut dyn Read,
    ) -> io::Result<Stored> {
        let mut out = Hashing::new(out);
        let seal = Seal::new(&self.keys, self.archive, &header);
        let mut contents = Contents { codec: Codec::Zstd, len: plain_len, sha256: plain_sha256 };
        if plain_len <= SPOOL_IN_MEMORY as u64 {
            let (codec, bytes) = self.pack(&contents, payload)?;
            contents.codec = codec;
            let mut chunks = Sealing::begin(&mut out, seal, &contents)?;
            chunks.write_all(bytes)?;
            chunks.finish()?;
        } else {
            let chunks = Sealing::begin(&mut out, seal, &contents)?;
            let mut encoder = zstd::stream::write::Encoder::new(chunks, ZSTD_LEVEL)?;
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

    /// A short payload, packed unless that makes it longer.
    fn pack(&mut self, contents: &Contents, payload: &mut dyn Read) -> io::Result<(Codec, &[u8])> {
        self.plain.clear();
        payload.take(contents.len + 1).read_to_end(&mut self.plain)?;
        if self.plain.len() as u64 != contents.len || Sha256::of(&self.plain) != contents.sha256 {
            return Err(changed_on_its_way());
        }
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        self.small.compress_to_buffer(&self.plain, &mut self.packed)?;
        let is_packed = self.packed.len() < self.plain.len();
        Ok(if is_packed { (Codec::Zstd, &self.packed) } else { (Codec::Stored, &self.plain) })
    }
}

fn changed_on_its_way() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the bytes changed between their hash and the archive")
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What the chunks of one record are sealed with: AES-256-GCM, with a key for this record alone and its header as
/// additional data.
struct Seal {
    key: LessSafeKey,
    header: [u8; HEADER_LEN],
    chunks: u64,
}

impl Seal {
    fn new(keys: &Keys, archive: ArchiveId, header: &Header) -> Self {
        Self { key: keys.record(&header.salt), header: header.encode(archive), chunks: 0 }
    }

    /// The place of the next chunk, and whether it is the last: none can be left out, swapped, or cut off the end.
    fn nonce(&mut self, is_last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.chunks.to_le_bytes());
        nonce[8] = u8::from(is_last);
        self.chunks += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Cuts what is written into chunks and seals each, led by its length; the last one is marked.
struct Sealing<W: Write> {
    out: W,
    seal: Seal,
    chunk: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Writes the header, and what is sealed in front of the payload.
    fn begin(mut out: W, seal: Seal, contents: &Contents) -> io::Result<Self> {
        out.write_all(&seal.header)?;
        let mut chunks = Self { out, seal, chunk: Vec::new() };
        chunks.write_all(&contents.encode())?;
        Ok(chunks)
    }

    fn put(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = self.seal.nonce(is_last);
        let header = Aad::from(&self.seal.header);
        let sealed = self.seal.key.seal_in_place_append_tag(nonce, header, &mut self.chunk);
        sealed.map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        let len = u32::try_from(self.chunk.len()).map_err(io::Error::other)?;
        self.out.write_all(&(if is_last { len | LAST } else { len }).to_le_bytes())?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.put(true)
    }
}

impl<W: Write> Write for Sealing<W> {
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

/// Reads the length of a chunk: its stored bytes, and whether it is the last one.
pub fn chunk_len(input: &mut impl Read) -> io::Result<(usize, bool)> {
    let mut len = [0; 4];
    input.read_exact(&mut len)?;
    let len = u32::from_le_bytes(len);
    let bytes = usize::try_from(len & !LAST).map_err(io::Error::other)?;
    if !(TAG_LEN..=CHUNK + TAG_LEN).contains(&bytes) {
        return Err(damaged("a chunk claims a length that no chunk has"));
    }
    Ok((bytes, len & LAST != 0))
}

/// Reads all chunks of one record without opening them; `input` stands behind its header.
pub fn pass(input: &mut impl Read) -> io::Result<()> {
    loop {
        let (len, is_last) = chunk_len(input)?;
        if io::copy(&mut input.by_ref().take(len as u64), &mut io::sink())? < len as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Opens the chunks of one record and reads them as one stream; ends after the last chunk.
struct Opening<R: Read> {
    input: R,
    seal: Seal,
    chunk: Vec<u8>,
    at: usize,
    is_last: bool,
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            if self.is_last {
                return Ok(0);
            }
            let (len, is_last) = chunk_len(&mut self.input)?;
            self.chunk.resize(len, 0);
            self.input.read_exact(&mut self.chunk)?;
            let nonce = self.seal.nonce(is_last);
            let opened = self.seal.key.open_in_place(nonce, Aad::from(&self.seal.header), &mut self.chunk);
            let len = opened.map_err(|_| damaged("a chunk is not what was sealed"))?.len();
            self.chunk.truncate(len);
            (self.at, self.is_last) = (0, is_last);
        }
        let count = into.len().min(self.chunk.len() - self.at);
        into[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Opens and unpacks the payload behind `header` into `out` and checks length and hash; `input` stands behind the last chunk
/// then. `Err(InvalidData)`, `UnexpectedEof` or (of zstd) `Other` where the record is damaged; what was written to `out`
/// until then is worth nothing.
pub fn open(
    keys: &Keys,
    archive: ArchiveId,
    header: &Header,
    input: &mut dyn Read,
    out: &mut dyn Write,
) -> io::Result<Contents> {
    let seal = Seal::new(keys, archive, header);
    let mut chunks = Opening { input, seal, chunk: Vec::new(), at: 0, is_last: false };
    let mut head = [0; CONTENTS_LEN];
    chunks.read_exact(&mut head)?;
    let contents = Contents::decode(&head).ok_or_else(|| damaged("the payload is packed in an unknown way"))?;
    if header.kind.is_metadata() && contents.len > RECORD_IN_MEMORY {
        return Err(damaged("a metadata record of impossible size"));
    }
    let at_most = contents.len.saturating_add(1);
    let mut out = Hashing::new(out);
    let is_at_its_end = match contents.codec {
        Codec::Stored => {
            io::copy(&mut chunks.by_ref().take(at_most), &mut out)?;
            chunks.read(&mut [0])? == 0
        }
        Codec::Zstd if contents.len <= SPOOL_IN_MEMORY as u64 => {
            let len = usize::try_from(contents.len).map_err(io::Error::other)?;
            let mut packed = Vec::new();
            chunks.by_ref().take(zstd::zstd_safe::compress_bound(len) as u64).read_to_end(&mut packed)?;
            out.write_all(&unpack(&packed, len)?)?;
            chunks.read(&mut [0])? == 0
        }
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(&mut chunks)?;
            decoder.window_log_max(WINDOW_LOG)?;
            let mut decoder = decoder.single_frame();
            io::copy(&mut decoder.by_ref().take(at_most), &mut out)?;
            decoder.finish().fill_buf()?.is_empty()
        }
    };
    if !is_at_its_end || out.count() != contents.len || out.finish().1 != contents.sha256 {
        return Err(damaged("the unpacked bytes do not have the recorded hash"));
    }
    Ok(contents)
}

thread_local! {
    /// Its tables are costlier to make than a small record is to unpack.
    static SMALL: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Unpacks one frame of at most so many plain bytes.
fn unpack(packed: &[u8], len: usize) -> io::Result<Vec<u8>> {
    // A second frame behind it would be unpacked too.
    if zstd::zstd_safe::find_frame_compressed_size(packed).ok() != Some(packed.len()) {
        return Err(damaged("the payload is no zstd frame"));
    }
    SMALL.with_borrow_mut(|small| {
        let unpacking = match small {
            Some(unpacking) => unpacking,
            None => small.insert(zstd::bulk::Decompressor::new()?),
        };
        unpacking.decompress(packed, len)
    })
}

#[cfg(test)]
mod tests {
    use super::erased::ERASED_LEN;
    use super::*;
    use crate::hash::{hex, unhex};

    const ARCHIVE: ArchiveId = [7; 16];

    fn keys() -> Keys {
        Keys::of([1; 32])
    }

    fn writer() -> RecordWriter {
        RecordWriter::new(ARCHIVE, keys()).unwrap()
    }

    fn written(plain: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let sha256 = Sha256::of(plain);
        let stored = writer().write(&mut bytes, Kind::Message, plain.len() as u64, sha256, &mut &plain[..]).unwrap();
        assert_eq!(stored, Stored { len: bytes.len() as u64, sha256: Sha256::of(&bytes) });
        bytes
    }

    fn head(bytes: &[u8]) -> Option<Header> {
        Header::decode(bytes[..HEADER_LEN].try_into().unwrap(), ARCHIVE)
    }

    /// The payload, and what is left behind the record.
    fn read<'a>(bytes: &'a [u8], keys: &Keys) -> io::Result<(Vec<u8>, &'a [u8])> {
        let header = head(bytes).ok_or_else(|| damaged("no header"))?;
        let (mut rest, mut plain) = (&bytes[HEADER_LEN..], Vec::new());
        let contents = open(keys, ARCHIVE, &header, &mut rest, &mut plain)?;
        assert_eq!((contents.len, contents.sha256), (plain.len() as u64, Sha256::of(&plain)));
        Ok((plain, rest))
    }

    fn round_trip(plain: &[u8]) -> Vec<u8> {
        let mut bytes = written(plain);
        bytes.extend(b"next");
        assert_eq!(read(&bytes, &keys()).unwrap(), (plain.to_vec(), &b"next"[..]));
        let mut rest = &bytes[HEADER_LEN..];
        pass(&mut rest).unwrap();
        assert_eq!(rest, b"next");
        bytes.truncate(bytes.len() - 4);
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
        for len in [0, 1, 100, CHUNK - CONTENTS_LEN, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1_000_000] {
            round_trip(&noise(len));
            round_trip(&vec![b'x'; len]);
        }
    }

    #[test]
    fn what_does_not_shrink_is_as_long_as_before() {
        assert_eq!(round_trip(&noise(1000)).len(), HEADER_LEN + 4 + CONTENTS_LEN + 1000 + TAG_LEN);
    }

    #[test]
    fn equal_payloads_look_different_and_open_with_their_key_only() {
        let plain = noise(300);
        let (one, other) = (written(&plain), written(&plain));
        let differing = one.iter().zip(&other).skip(8).filter(|(one, other)| one != other).count();
        assert!(differing > one.len() * 9 / 10);
        assert!(!one.windows(8).any(|window| window == &plain[..8] || window == &Sha256::of(&plain).0[..8]));
        assert!(read(&one, &Keys::of([2; 32])).is_err());
        assert_eq!(Header::decode(one[..HEADER_LEN].try_into().unwrap(), [8; 16]), None);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        for plain in [noise(300), vec![b'x'; 300], Vec::new()] {
            let bytes = written(&plain);
            for bit in 0..bytes.len() * 8 {
                let mut broken = bytes.clone();
                broken[bit / 8] ^= 1 << (bit % 8);
                assert!(read(&broken, &keys()).is_err(), "bit {bit}");
                assert!(bit / 8 >= HEADER_LEN || head(&broken).is_none(), "header bit {bit}");
            }
            for cut in HEADER_LEN..bytes.len() {
                assert!(read(&bytes[..cut], &keys()).is_err(), "cut at {cut}");
                assert!(pass(&mut &bytes[HEADER_LEN..cut]).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn chunks_stay_in_their_place() {
        let bytes = written(&noise(3 * CHUNK));
        let mut chunks = Vec::new();
        let mut rest = &bytes[HEADER_LEN..];
        while !rest.is_empty() {
            let before = rest;
            let (len, is_last) = chunk_len(&mut rest).unwrap();
            chunks.push(before[..4 + len].to_vec());
            rest = &rest[len..];
            assert_eq!(is_last, rest.is_empty());
        }
        assert_eq!(chunks.len(), 4);
        let put = |chunks: &[&[u8]]| [&bytes[..HEADER_LEN], &chunks.concat()].concat();
        let [a, b, c, d] = &chunks[..] else { panic!() };
        assert!(read(&put(&[a, b, c, d]), &keys()).is_ok());
        // The third chunk marked as the last one.
        let mut end = c.clone();
        end[3] |= 0x80;
        let another = written(&noise(3 * CHUNK));
        let foreign = &another[HEADER_LEN..][..a.len()];
        for wrong in
            [&[&a[..], c, b, d][..], &[a, b, d], &[b, c, d], &[a, a, b, c, d], &[a, b, &end], &[foreign, b, c, d]]
        {
            assert!(read(&put(wrong), &keys()).is_err());
        }
    }

    /// The record of docs/format.md, part 2.
    #[test]
    fn the_format_is_frozen() {
        let keys = Keys::of(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let archive = std::array::from_fn(|n| 0xa0 + u8::try_from(n).unwrap());
        let salt = std::array::from_fn(|n| 0xc0 + u8::try_from(n).unwrap());
        let plain = "Grüezi".as_bytes();
        let mut bytes = Vec::new();
        let mut writer = RecordWriter::new(archive, keys.clone()).unwrap();
        let header = Header { kind: Kind::Message, salt };
        writer.write_salted(&mut bytes, header, plain.len() as u64, Sha256::of(plain), &mut &*plain).unwrap();
        let format = include_str!("../../../docs/format.md");
        let lines: Vec<String> =
            hex(&bytes).as_bytes().chunks(120).map(|line| String::from_utf8_lossy(line).into()).collect();
        let vector = lines.iter().fold(String::new(), |text, line| format!("{text}    {line}\n"));
        assert!(format.contains(&vector), "{vector}");
        // A packed one, written by another release of zstd, is read for ever.
        let packed = format.split("packed:\n\n").nth(1).unwrap().split("\n\n").next().unwrap();
        let packed: String = packed.split_whitespace().collect();
        let packed = unhex(&packed).unwrap();
        let header = Header::decode(packed[..HEADER_LEN].try_into().unwrap(), archive).unwrap();
        let mut plain = Vec::new();
        open(&keys, archive, &header, &mut &packed[HEADER_LEN..], &mut plain).unwrap();
        assert_eq!((header.kind, plain), (Kind::Document, "Grüezi mitenand. ".repeat(8).into_bytes()));
    }

    /// It is unpacked in memory, so its claim is not taken for granted; content of any length is.
    #[test]
    fn a_metadata_record_that_claims_too_much_is_refused() {
        let claim = Contents { codec: Codec::Stored, len: RECORD_IN_MEMORY + 1, sha256: Sha256::of(b"") };
        for (kind, sentence) in [(Kind::Commit, "impossible size"), (Kind::Message, "recorded hash")] {
            let header = Header { kind, salt: [3; 32] };
            let mut bytes = Vec::new();
            let chunks = Sealing::begin(&mut bytes, Seal::new(&keys(), ARCHIVE, &header), &claim).unwrap();
            chunks.finish().unwrap();
            let error = open(&keys(), ARCHIVE, &header, &mut &bytes[HEADER_LEN..], &mut io::sink()).unwrap_err();
            assert!(error.to_string().contains(sentence), "{error}");
        }
    }

    /// Sealed, so nobody but ourselves could have written it; all the same it is not taken for its beginning.
    #[test]
    fn what_stands_behind_a_packed_payload_is_refused() {
        let plain = vec![b'x'; 300];
        let frame = zstd::bulk::compress(&plain, ZSTD_LEVEL).unwrap();
        let contents = Contents { codec: Codec::Zstd, len: 300, sha256: Sha256::of(&plain) };
        let header = Header { kind: Kind::Message, salt: [3; 32] };
        let read = |packed: &[u8]| {
            let mut bytes = Vec::new();
            let mut chunks = Sealing::begin(&mut bytes, Seal::new(&keys(), ARCHIVE, &header), &contents).unwrap();
            chunks.write_all(packed).unwrap();
            chunks.finish().unwrap();
            let mut opened = Vec::new();
            open(&keys(), ARCHIVE, &header, &mut &bytes[HEADER_LEN..], &mut opened).map(|_| opened)
        };
        assert_eq!(read(&frame).unwrap(), plain);
        let empty = zstd::bulk::compress(b"", ZSTD_LEVEL).unwrap();
        for behind in [&b"x"[..], &empty, &frame, &[0; 2000]] {
            read(&[&frame, behind].concat()).unwrap_err();
        }
        read(&frame[..frame.len() - 1]).unwrap_err();
        read(b"").unwrap_err();
    }

    #[test]
    fn no_record_is_too_short_to_be_erased() {
        assert!(written(b"").len() >= ERASED_LEN);
    }

    #[test]
    fn a_payload_that_is_not_what_was_hashed_is_refused() {
        for len in [10usize, 300_000] {
            let plain = noise(len);
            let write = |len: usize, sha256| {
                writer().write(&mut Vec::new(), Kind::Message, len as u64, sha256, &mut &plain[..]).is_err()
            };
            assert!(write(len, Sha256::of(b"other")));
            assert!(write(len + 1, Sha256::of(&plain)));
        }
    }
}
