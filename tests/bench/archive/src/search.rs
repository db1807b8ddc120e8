//! Indexes an archive and asks it questions, as `serve` does.

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

/// Asks each question of standard input (up to its tab) for its first page, and says how long each took, in microseconds.
pub fn ask(data: &Path, by_relevance: bool, input: &mut impl BufRead) -> anyhow::Result<()> {
    let archive = Archive::open(data, &Pulse::new())?;
    let index = Index::new(archive.paths().search.clone());
    index::once(&archive, &index, false, &Pulse::new())?;
    let (mut times, mut hits, mut empty, mut given_up) = (Vec::new(), 0, 0, 0);
    for line in input.lines() {
        let line = line?;
        let question = line.split('\t').next().unwrap_or_default();
        let began = Instant::now();
        let view = archive.view()?;
        let query = Query::parse(question, &TimeZone::UTC, &Searchable::default());
        let order = Order { sort: if by_relevance { Sort::Relevance } else { Sort::Date }, descending: true };
        let ask = Ask { query: &query, order, at: None, back: false, most: PAGE_DOCUMENTS };
        let found = find(&index, &view, &Reads::All, ask, |number, _| number);
        times.push(u64::try_from(began.elapsed().as_micros())?);
        if matches!(found, Err(IndexError::TooMany | IndexError::TooLong)) {
            given_up += 1;
            continue;
        }
        let found = found?.rows.len();
        hits += found;
        empty += usize::from(found == 0);
    }
    println!("{{\"hits\":{hits},\"empty\":{empty},\"given_up\":{given_up},\"microseconds\":{times:?}}}");
    Ok(())
}
