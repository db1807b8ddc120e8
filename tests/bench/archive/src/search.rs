//! Indexes an archive and asks it questions, as `serve` does.

use std::fs;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use archivista::archive::Archive;
use archivista::archive::view::Reads;
use archivista::limits::PAGE_DOCUMENTS;
use archivista::pulse::Pulse;
use archivista::search::index::{self, Index};
use archivista::search::text::Body;
use archivista::search::{Ask, IndexError, Order, Query, Searchable, Sort, find};
use jiff::tz::TimeZone;

/// Brings the index up to the archive.
pub fn index(data: &Path) -> anyhow::Result<()> {
    let archive = Archive::open(data, &Pulse::new())?;
    let index = Index::new(archive.paths().search.clone());
    index::once(&archive, &index, true, &Pulse::new())?;
    println!("{{\"commits\":{}}}", index.progress().through.sequence);
    Ok(())
}

/// Bytes of the text that is indexed, of every `every`th document, times that.
pub fn text(data: &Path, every: u64) -> anyhow::Result<()> {
    let archive = Archive::open(data, &Pulse::new())?;
    let (mut bytes, mut count) = (0, 0u64);
    archive.documents(|_, number, document| {
        count += 1;
        if number % every == 0 {
            let mut body = Body::default();
            body.read(&archive, number, document)?;
            let metadata = &document.metadata;
            let head = metadata.title.len() + metadata.from.len() + metadata.to.len() + metadata.cc.len();
            bytes += (head + body.texts.iter().map(String::len).sum::<usize>()) as u64;
        }
        anyhow::Ok(true)
    })?;
    println!("{{\"documents\":{count},\"text\":{}}}", bytes * every);
    Ok(())
}

/// Nanoseconds that this thread ran.
fn ran() -> anyhow::Result<u64> {
    let said = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(said.split(' ').next().unwrap_or_default().parse()?)
}

/// Asks each question of standard input (up to its tab) for its first page, and says what each found, how long it took and how long of
/// that it ran, in microseconds.
///
/// `reader`: as who may read this mailbox only; `None`: as who may read all of them.
pub fn ask(data: &Path, by_relevance: bool, reader: Option<&str>, input: &mut impl BufRead) -> anyhow::Result<()> {
    let archive = Archive::open(data, &Pulse::new())?;
    let index = Index::new(archive.paths().search.clone());
    index::once(&archive, &index, false, &Pulse::new())?;
    let reads = match reader {
        None => Reads::All,
        Some(mailbox) => {
            let folders = archive.view()?.folders()?;
            let places: Vec<_> =
                folders.iter().filter(|row| row.folder.mailbox == mailbox).map(|row| row.place).collect();
            anyhow::ensure!(!places.is_empty(), "there is no mailbox {mailbox}");
            Reads::Places(places)
        }
    };
    let (mut times, mut ran_for, mut found_by, mut given_up) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for line in input.lines() {
        let line = line?;
        let question = line.split('\t').next().unwrap_or_default();
        let (ran_before, began) = (ran()?, Instant::now());
        let view = archive.view()?;
        let query = Query::parse(question, &TimeZone::UTC, &Searchable::default());
        let order = Order { sort: if by_relevance { Sort::Relevance } else { Sort::Date }, descending: true };
        let ask = Ask { query: &query, order, at: None, back: false, most: PAGE_DOCUMENTS };
        let found = find(&index, &view, &reads, ask, |number, _| number);
        times.push(u64::try_from(began.elapsed().as_micros())?);
        ran_for.push((ran()? - ran_before) / 1000);
        if matches!(found, Err(IndexError::TooMany | IndexError::TooLong)) {
            given_up += 1;
            found_by.push(0);
            continue;
        }
        found_by.push(found?.rows.len());
    }
    println!("{{\"found\":{found_by:?},\"given_up\":{given_up},\"microseconds\":{times:?},\"ran\":{ran_for:?}}}");
    Ok(())
}
