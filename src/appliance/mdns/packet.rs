//! Multicast DNS as bytes (RFC 1035, section 4; RFC 6762, section 18): what of a packet concerns us, and what we say. No socket
//! in here; what others send is hostile.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::limits::{MDNS_NAME, MDNS_PACKET, MDNS_RECORDS};

/// Types of records.
pub const A: u16 = 1;
pub const PTR: u16 = 12;
pub const TXT: u16 = 16;
pub const AAAA: u16 = 28;
pub const SRV: u16 = 33;
pub const NSEC: u16 = 47;
pub const ANY: u16 = 255;

const INTERNET: u16 = 1;
const ANY_CLASS: u16 = 255;
/// In a question: answer to me alone. In a record: forget what you knew of it.
const TOP_BIT: u16 = 0x8000;
/// Flags: an answer, with authority (section 18.2 and 18.4).
const ANSWER: u16 = 0x8400;
const IS_ANSWER: u16 = 0x8000;
/// Any other kind of request, or an error.
const OPCODE_AND_ERROR: u16 = 0x780f;
const HEAD: usize = 12;

/// A name, label by label, in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<Vec<u8>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: Name,
    pub kind: u16,
    /// It asks to be answered alone (QU).
    pub alone: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: Name,
    /// Nobody else has a record of this name and type.
    pub is_ours_alone: bool,
    /// Seconds that it may be remembered; 0: forget it.
    pub ttl: u32,
    pub data: Data,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Ptr(Name),
    /// Port and host.
    Srv(u16, Name),
    /// Without any words.
    Txt,
    /// The only types that there are of this name.
    Nsec(Name, Vec<u16>),
    /// Of no concern to us: type.
    Other(u16),
}

/// A packet, as far as it concerns us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    pub id: u16,
    pub is_answer: bool,
    pub questions: Vec<Question>,
    pub answers: Vec<Record>,
    /// In a probe: what the sender wants to have of a name.
    pub authorities: Vec<Record>,
    pub additional: Vec<Record>,
}

impl Name {
    /// From text such as `archivista.local`; a label is cut at 63 bytes.
    pub fn of(text: &str) -> Self {
        let label = |label: &str| label.bytes().take(63).map(|byte| byte.to_ascii_lowercase()).collect();
        Self(text.split('.').filter(|label| !label.is_empty()).map(label).collect())
    }

    /// The name with one more label in front, which may hold dots.
    #[must_use]
    pub fn under(&self, label: &str) -> Self {
        let first: Vec<u8> = label.bytes().take(63).map(|byte| byte.to_ascii_lowercase()).collect();
        Self([vec![first], self.0.clone()].concat())
    }

    fn write(&self, out: &mut Vec<u8>) {
        for label in &self.0 {
            out.push(u8::try_from(label.len()).unwrap_or(63));
            out.extend_from_slice(label);
        }
        out.push(0);
    }
}

impl Data {
    pub fn kind(&self) -> u16 {
        match self {
            Self::A(_) => A,
            Self::Aaaa(_) => AAAA,
            Self::Ptr(_) => PTR,
            Self::Srv(..) => SRV,
            Self::Txt => TXT,
            Self::Nsec(..) => NSEC,
            Self::Other(kind) => *kind,
        }
    }

    /// As it stands in a record, without compression.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::A(address) => out.extend_from_slice(&address.octets()),
            Self::Aaaa(address) => out.extend_from_slice(&address.octets()),
            Self::Ptr(name) => name.write(&mut out),
            Self::Srv(port, host) => {
                // Priority and weight are of no use here.
                out.extend_from_slice(&[0; 4]);
                out.extend_from_slice(&port.to_be_bytes());
                host.write(&mut out);
            }
            // One empty string (RFC 6763, section 6.1).
            Self::Txt => out.push(0),
            Self::Nsec(name, kinds) => {
                name.write(&mut out);
                // Block 0 of the map: types below 256 (RFC 4034, section 4.1.2; RFC 6762, section 6.1).
                let mut map = [0_u8; 32];
                for kind in kinds.iter().filter(|kind| **kind < 256) {
                    map[usize::from(kind / 8)] |= 0x80 >> (kind % 8);
                }
                let length = map.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
                out.extend_from_slice(&[0, u8::try_from(length).unwrap_or(32)]);
                out.extend_from_slice(&map[..length]);
            }
            Self::Other(_) => {}
        }
        out
    }
}

impl Packet {
    /// Reads a packet; `None` where it is none, or has more than we look at.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MDNS_PACKET {
            return None;
        }
        let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let flags = number(2)?;
        let counts = [number(4)?, number(6)?, number(8)?, number(10)?].map(usize::from);
        if flags & OPCODE_AND_ERROR != 0 || counts.iter().sum::<usize>() > MDNS_RECORDS {
            return None;
        }
        let mut reader = Reader { bytes, at: HEAD };
        let questions: Vec<Question> =
            (0..counts[0]).map(|_| reader.question()).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        let mut records = |count: usize| -> Option<Vec<Record>> {
            let all = (0..count).map(|_| reader.record()).collect::<Option<Vec<_>>>()?;
            Some(all.into_iter().flatten().collect())
        };
        Some(Self {
            id: number(0)?,
            is_answer: flags & IS_ANSWER != 0,
            questions,
            answers: records(counts[1])?,
            authorities: records(counts[2])?,
            additional: records(counts[3])?,
        })
    }

    /// Whether the sender asks because it wants to have the name (RFC 6762, section 8.1).
    pub fn is_probe(&self) -> bool {
        let wanted = |record: &Record| self.questions.iter().any(|question| question.name == record.name);
        !self.is_answer && self.authorities.iter().any(wanted)
    }

    /// As it goes over the network; names are not compressed, for we have few.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&(if self.is_answer { ANSWER } else { 0 }).to_be_bytes());
        for count in [self.questions.len(), self.answers.len(), self.authorities.len(), self.additional.len()] {
            out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
        }
        for question in &self.questions {
            question.name.write(&mut out);
            out.extend_from_slice(&question.kind.to_be_bytes());
            out.extend_from_slice(&(INTERNET | if question.alone { TOP_BIT } else { 0 }).to_be_bytes());
        }
        for record in self.answers.iter().chain(&self.authorities).chain(&self.additional) {
            record.name.write(&mut out);
            out.extend_from_slice(&record.data.kind().to_be_bytes());
            out.extend_from_slice(&(INTERNET | if record.is_ours_alone { TOP_BIT } else { 0 }).to_be_bytes());
            out.extend_from_slice(&record.ttl.to_be_bytes());
            let data = record.data.bytes();
            out.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(&data);
        }
        out
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    /// A name, also one that goes on elsewhere (RFC 1035, section 4.1.4). Each part lies before the one that leads to it, so
    /// there is no circle.
    fn name(&mut self) -> Option<Name> {
        let (mut labels, mut length) = (Vec::new(), 0);
        let (mut at, mut begin, mut end) = (self.at, self.at, None);
        loop {
            let first = usize::from(*self.bytes.get(at)?);
            match first >> 6 {
                0 if first == 0 => {
                    self.at = end.unwrap_or(at + 1);
                    return Some(Name(labels));
                }
                0 => {
                    length += first + 1;
                    if length > MDNS_NAME {
                        return None;
                    }
                    labels.push(self.bytes.get(at + 1..at + 1 + first)?.to_ascii_lowercase());
                    at += 1 + first;
                }
                3 => {
                    let target = (first & 0x3f) << 8 | usize::from(*self.bytes.get(at + 1)?);
                    if target >= begin {
                        return None;
                    }
                    end = end.or(Some(at + 2));
                    (at, begin) = (target, target);
                }
                _ => return None,
            }
        }
    }

    /// The inner one is `None` for a question that does not concern us.
    #[allow(clippy::option_option)]
    fn question(&mut self) -> Option<Option<Question>> {
        let (name, kind, class) = (self.name()?, self.number()?, self.number()?);
        let is_ours = matches!(class & !TOP_BIT, INTERNET | ANY_CLASS);
        Some(is_ours.then_some(Question { name, kind, alone: class & TOP_BIT != 0 }))
    }

    #[allow(clippy::option_option)]
    fn record(&mut self) -> Option<Option<Record>> {
        let (name, kind, class) = (self.name()?, self.number()?, self.number()?);
        let ttl = u32::from_be_bytes(self.take()?);
        let length = usize::from(self.number()?);
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let data = match (kind, length) {
            (A, 4) => Data::A(self.take::<4>()?.into()),
            (AAAA, 16) => Data::Aaaa(self.take::<16>()?.into()),
            // The name may be compressed, so its length is not looked at.
            (PTR, _) => Data::Ptr(self.name()?),
            _ => Data::Other(kind),
        };
        self.at = end;
        let is_ours = class & !TOP_BIT == INTERNET;
        Some(is_ours.then_some(Record { name, is_ours_alone: class & TOP_BIT != 0, ttl, data }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A head with these counts.
    fn head(flags: u16, counts: [u16; 4]) -> Vec<u8> {
        let numbers = [7, flags].into_iter().chain(counts);
        numbers.flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn a_question_is_read_whatever_its_letters() {
        let mut bytes = head(0, [2, 0, 0, 0]);
        bytes.extend(b"\x0aARCHIVISTA\x05Local\0\x00\x01\x80\x01");
        // Compressed: `archivista-4f2a.` and the second label of the first name.
        bytes.extend(b"\x0farchivista-4f2a\xc0\x17\x00\xff\x00\x01");
        let packet = Packet::read(&bytes).unwrap();
        let question = |name: &str, kind, alone| Question { name: Name::of(name), kind, alone };
        assert_eq!(
            packet.questions,
            [question("archivista.local", A, true), question("archivista-4f2a.local", ANY, false)]
        );
        assert!(!packet.is_answer && packet.id == 7);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let name = Name::of("archivista-4f2a.local");
        let record = |data| Record { name: name.clone(), is_ours_alone: true, ttl: 120, data };
        let packet = Packet {
            id: 0,
            is_answer: true,
            questions: vec![Question { name: name.clone(), kind: ANY, alone: true }],
            answers: vec![
                record(Data::A([192, 168, 1, 20].into())),
                record(Data::Aaaa("fe80::1".parse().unwrap())),
                Record { is_ours_alone: false, ..record(Data::Ptr(name.under("A. b"))) },
            ],
            authorities: vec![record(Data::Other(SRV))],
            additional: vec![],
        };
        assert_eq!(Packet::read(&packet.write()).unwrap(), packet);
        assert_eq!(Data::Nsec(Name::of("a"), vec![A, AAAA]).bytes(), b"\x01a\0\0\x04\x40\0\0\x08");
        assert_eq!(Data::Srv(443, Name::of("a")).bytes(), b"\0\0\0\0\x01\xbb\x01a\0");
    }

    #[test]
    fn hostile_packets_are_none() {
        let with = |name: &[u8]| [&head(0, [1, 0, 0, 0])[..], name, b"\0\x01\0\x01"].concat();
        for (what, bytes) in [
            ("nothing", vec![]),
            ("half a head", head(0, [0; 4])[..11].to_vec()),
            ("more records than bytes", head(0, [1, 0, 0, 0])),
            ("65535 of each", head(0, [65535; 4])),
            ("an error", head(0x8403, [0; 4])),
            ("a status request", head(0x1000, [0; 4])),
            ("a name that leads to itself", with(b"\xc0\x0c")),
            ("a name that leads ahead", with(b"\xc0\x0e\0")),
            ("two names in a circle", with(b"\x01a\xc0\x10\x01b\xc0\x0c")),
            ("a label that goes beyond the end", with(b"\x3fabc")),
            ("a label of a kind that nobody uses", with(b"\x41a\0")),
            (
                "a name of 256 bytes",
                with(&[&[b"\x3f".to_vec(), vec![b'a'; 63]].concat().repeat(4)[..], b"\0"].concat()),
            ),
            ("too long", vec![0; MDNS_PACKET + 1]),
            (
                "data beyond the end",
                [&head(0x8400, [0, 1, 0, 0])[..], b"\0\0\x01\0\x01\0\0\0\x01\0\x05\x01\x02\x03\x04"].concat(),
            ),
        ] {
            assert_eq!(Packet::read(&bytes), None, "{what}");
        }
        // A long chain of names within names is bounded by the length of a name.
        let mut bytes = head(0, [1, 0, 0, 0]);
        bytes.push(0);
        for step in 0..400_u16 {
            let target = if step == 0 { 12 } else { 13 + 4 * (step - 1) };
            bytes.extend([&[1, b'a'][..], &(0xc000 | target).to_be_bytes()].concat());
        }
        assert_eq!(Reader { bytes: &bytes, at: 13 + 4 * 399 }.name(), None);
        assert!(Reader { bytes: &bytes, at: 13 + 4 * 100 }.name().is_some());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), counts: [u8; 4]) {
            let _ = Packet::read(&bytes);
            let counts = counts.map(|count| u16::from(count % 4));
            let _ = Packet::read(&[&head(0x8400, counts)[..], &bytes].concat());
        }

        #[test]
        fn bent_packets_do_not_either(place in 0_usize..200, byte: u8) {
            let name = Name::of("archivista-4f2a.local");
            let record = |data| Record { name: name.clone(), is_ours_alone: true, ttl: 120, data };
            let answers = vec![record(Data::A([1, 2, 3, 4].into())), record(Data::Ptr(name.clone())), record(Data::Srv(443, name.clone()))];
            let mut bytes = Packet { is_answer: true, answers, ..Packet::default() }.write();
            let place = place % bytes.len();
            bytes[place] = byte;
            if let Some(packet) = Packet::read(&bytes) {
                let _ = packet.write();
            }
        }
    }
}
