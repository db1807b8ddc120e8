//! What is attached: told by a seed, made when it is needed.

use crate::chance::Chance;
use crate::words;

/// Bytes of the longest one.
const LONGEST: usize = 1_000_000;

#[derive(Clone, Copy)]
pub enum Kind {
    Pdf,
    Picture,
    /// Of an office program: a packed file.
    Office,
    /// A table as text.
    Table,
    Text,
}

#[derive(Clone, Copy)]
pub struct Attachment {
    seed: u64,
    kind: Kind,
    len: usize,
}

impl Attachment {
    /// From 3 kB to 1 MB, half of them shorter than some 70 kB; two in three cannot be packed any further.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let kind = match chance.below(100) {
            0..30 => Kind::Pdf,
            30..45 => Kind::Picture,
            45..65 => Kind::Office,
            65..85 => Kind::Table,
            _ => Kind::Text,
        };
        let doubled = (0..8).filter(|_| chance.percent(50)).count();
        let smallest = 3000 << doubled;
        let len = chance.within(smallest, 2 * smallest).min(LONGEST);
        Self { seed, kind, len }
    }

    /// The picture below the signatures of a department.
    pub fn logo(number: u64) -> Self {
        Self { seed: number, kind: Kind::Picture, len: 9000 + 2000 * usize::try_from(number % 3).unwrap_or(0) }
    }

    pub fn name(&self) -> String {
        let end = match self.kind {
            Kind::Pdf => "pdf",
            Kind::Picture => "jpg",
            Kind::Office => "docx",
            Kind::Table => "csv",
            Kind::Text => "txt",
        };
        format!("{:08x}.{end}", self.seed & 0xffff_ffff)
    }

    pub fn media_type(&self) -> &'static str {
        match self.kind {
            Kind::Pdf => "application/pdf",
            Kind::Picture => "image/jpeg",
            Kind::Office => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Kind::Table => "text/csv",
            Kind::Text => "text/plain",
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut chance = Chance::of(self.seed ^ 0xa77a_c4ed);
        let mut bytes = match self.kind {
            Kind::Pdf => b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n".to_vec(),
            Kind::Picture => b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec(),
            Kind::Office => b"PK\x03\x04\x14\0\x08\x08\x08\0".to_vec(),
            Kind::Table => b"Datum;Artikel;Menge;Preis;Betrag\r\n".to_vec(),
            Kind::Text => Vec::new(),
        };
        match self.kind {
            Kind::Text => bytes.extend(words::prose(&mut chance, self.len).into_bytes()),
            Kind::Table => {
                while bytes.len() < self.len {
                    let (day, article, count) = (chance.within(1, 28), chance.below(3000), chance.within(1, 40));
                    let price = chance.within(100, 90_000);
                    let sum = count * price;
                    let row = format!(
                        "2026-03-{day:02};Artikel {article};{count};{}.{:02};{}.{:02}\r\n",
                        price / 100,
                        price % 100,
                        sum / 100,
                        sum % 100
                    );
                    bytes.extend(row.into_bytes());
                }
            }
            _ => chance.noise(self.len.saturating_sub(bytes.len()), &mut bytes),
        }
        bytes.truncate(self.len);
        bytes
    }
}
