//! The list of an export, `index.csv`: one line for each document.

use std::io::{self, Write};

use jiff::civil::DateTime;

use super::csv;
use crate::archive::commit::Number;
use crate::archive::rows::Document;
use crate::ingest::Spool;
use crate::ingest::spool::SpoolFile;

pub const NAME: &str = "index.csv";

/// Columns and sentences of one language.
#[derive(Debug)]
pub struct Words {
    /// Number, date, from, to, title, SHA-256, bytes, file, remark.
    pub columns: [&'static str; 9],
    pub damaged: &'static str,
    /// There was no room for this document and what follows.
    pub full: fn(Number) -> String,
}

/// Of `export` on the command line.
pub const ENGLISH: Words = Words {
    columns: ["number", "date", "from", "to", "subject", "sha256", "bytes", "file", "remark"],
    damaged: "damaged in the archive and not in this file; run archivista verify",
    full: |number| format!("the limit of one file is reached: from document {number} on the rest is not in it"),
};

/// The list as far as it is written.
pub struct Index<'a> {
    file: SpoolFile,
    crc: crc32fast::Hasher,
    words: &'a Words,
}

impl<'a> Index<'a> {
    pub fn new(spool: &Spool, words: &'a Words) -> io::Result<Self> {
        let mut index = Self { file: spool.file(), crc: crc32fast::Hasher::new(), words };
        index.put(csv::MARK)?;
        index.line(&words.columns)?;
        Ok(index)
    }

    pub fn row(&mut self, number: Number, document: &Document, time: DateTime, file: &str) -> io::Result<()> {
        self.document(number, document, time, file, "")
    }

    /// A document that cannot be had.
    pub fn damaged(&mut self, number: Number, document: &Document, time: DateTime) -> io::Result<()> {
        self.document(number, document, time, "", self.words.damaged)
    }

    /// There was no room for this one and all that follow.
    pub fn full(&mut self, number: Number) -> io::Result<()> {
        let what = (self.words.full)(number);
        self.line(&["", "", "", "", "", "", "", "", &what])
    }

    /// The whole list, and its check sum.
    pub fn finish(self) -> io::Result<(SpoolFile, u32)> {
        Ok((self.file, self.crc.finalize()))
    }

    fn document(
        &mut self,
        number: Number,
        document: &Document,
        time: DateTime,
        file: &str,
        remark: &str,
    ) -> io::Result<()> {
        let metadata = &document.metadata;
        let time = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let (number, sha256, size) = (number.to_string(), document.sha256.to_string(), document.size.to_string());
        let fields =
            [number.as_str(), &time, &metadata.from, &metadata.to, &metadata.title, &sha256, &size, file, remark];
        self.line(&fields)
    }

    fn line(&mut self, fields: &[&str; 9]) -> io::Result<()> {
        self.put(&csv::line(fields))
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.crc.update(text.as_bytes());
        self.file.write_all(text.as_bytes())
    }
}
