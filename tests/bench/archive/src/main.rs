//! What `make bench-archive`, `bench-search` and `bench-rights` start. One of the first four is piped into one of the next two, so that each
//! process is measured alone:
//!
//! ```text
//! archive-bench office N        the mails of a company, as they come into its mailboxes
//! archive-bench small N FROM    mails of one short text, the FROMth and those behind it
//! archive-bench files DIR       the mails below DIR, as they would come from a server
//! archive-bench letters N FROM  mails of many words, over ten years
//! archive-bench archive DATA [--whole] [--from N] [--tell] [--dated]
//!                               archives what comes in; --whole: without splitting, --from: number of the first mail,
//!                               --tell: a line for each thousand that is safe, --dated: received when they say so
//! archive-bench maildir DIR [--plain]
//!                               keeps what comes in as a Maildir of messages packed with zstd, or as they are
//! archive-bench queries N OF    N questions about the first OF letters, ours and notmuch's
//! archive-bench index DATA      makes the search index of an archive anew
//! archive-bench text DATA N     bytes of its text, from every Nth document
//! archive-bench ask DATA [--relevance] [--reader MAILBOX]
//!                               asks the questions that come in, and says how long each took; --reader: as who may
//!                               read this mailbox only
//! ```
//!
//! Same arguments, same mails. At the end a line of JSON on standard output (standard error of the first four) says how many
//! mails and bytes it was.

mod archive;
mod attachment;
mod chance;
mod files;
mod letter;
mod letters;
mod maildir;
mod office;
mod pipe;
mod search;
mod small;
mod words;

use std::io::{self, BufReader, BufWriter, Write};

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

fn main() -> anyhow::Result<()> {
    let mut words = Vec::new();
    let (mut is_splitting, mut first, mut tells) = (true, 0, false);
    let (mut is_dated, mut is_plain, mut by_relevance) = (false, false, false);
    let mut reader = None;
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(word) => words.push(word.string()?),
            Arg::Long("whole") => is_splitting = false,
            Arg::Long("from") => first = parser.value()?.parse()?,
            Arg::Long("tell") => tells = true,
            Arg::Long("dated") => is_dated = true,
            Arg::Long("plain") => is_plain = true,
            Arg::Long("relevance") => by_relevance = true,
            Arg::Long("reader") => reader = Some(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u64>().with_context(|| format!("{word} is no number"));
    let mut input = BufReader::with_capacity(256 * 1024, io::stdin().lock());
    let told = match words[..] {
        ["office", count] => give(office::Office::new().take(usize::try_from(number(count)?)?))?,
        ["small", count, from] => give(small::mails(number(from)?).take(usize::try_from(number(count)?)?))?,
        ["files", dir] => give(files::mails(dir.as_ref())?)?,
        ["archive", data] => return archive::run(data.as_ref(), is_splitting, (first, tells, is_dated), &mut input),
        ["letters", count, from] => give(letters::mails(number(from)?).take(usize::try_from(number(count)?)?))?,
        ["maildir", dir] => return maildir::run(dir.as_ref(), is_plain, &mut input),
        ["queries", count, of] => {
            let mut out = BufWriter::new(io::stdout().lock());
            for query in letters::queries(number(of)?).take(usize::try_from(number(count)?)?) {
                writeln!(out, "{query}")?;
            }
            return Ok(out.flush()?);
        }
        ["index", data] => return search::index(data.as_ref()),
        ["text", data, every] => return search::text(data.as_ref(), number(every)?.max(1)),
        ["ask", data] => return search::ask(data.as_ref(), by_relevance, reader.as_deref(), &mut input),
        _ => bail!("see the head of tests/bench/archive/src/main.rs"),
    };
    eprintln!("{told}");
    Ok(())
}

fn give(mails: impl Iterator<Item = pipe::Mail>) -> anyhow::Result<String> {
    let mut out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    let (mut count, mut bytes) = (0u64, 0u64);
    for mail in mails {
        pipe::give(&mail, &mut out)?;
        (count, bytes) = (count + 1, bytes + mail.bytes.len() as u64);
    }
    out.flush()?;
    Ok(format!("{{\"mails\":{count},\"bytes\":{bytes}}}"))
}
