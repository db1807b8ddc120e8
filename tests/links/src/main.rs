//! Proof that all C code of the box links statically and runs: SQLite with full-text search, zstd, ring.

use std::error::Error;

use ring::digest::{SHA256, digest};
use rusqlite::Connection;

fn main() -> Result<(), Box<dyn Error>> {
    let database = Connection::open_in_memory()?;
    database
        .execute_batch("CREATE VIRTUAL TABLE mails USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')")?;
    database.execute("INSERT INTO mails VALUES ('Grüsse aus Zürich')", [])?;
    let found: String =
        database.query_row("SELECT text FROM mails WHERE mails MATCH 'zurich'", [], |row| row.get(0))?;
    assert_eq!(found, "Grüsse aus Zürich");

    let packed = zstd::encode_all(found.as_bytes(), 3)?;
    assert_eq!(zstd::decode_all(&*packed)?, found.as_bytes());

    let hash = digest(&SHA256, b"abc");
    assert!(hash.as_ref().starts_with(&[0xba, 0x78, 0x16, 0xbf]), "{hash:?}");

    println!("SQLite {}, zstd and ring work on {}", rusqlite::version(), std::env::consts::ARCH);
    Ok(())
}
