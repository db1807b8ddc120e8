//! Archives what comes in, as a fetch does: spooled, hashed and read while it comes, handed to the archive, acknowledged.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use archivista::archive::commit::{Folder, FolderNumber, Metadata, Outcome};
use archivista::archive::writer::{Booked, NewMessage, Task};
use archivista::archive::{Archive, Options};
use archivista::ingest::{Incoming, Spool};
use archivista::pulse::Pulse;

use crate::pipe;

/// UIDVALIDITY of every folder.
const VALIDITY: u32 = 7;

#[derive(Default)]
struct Counts {
    archived: u64,
    same: u64,
}

impl Counts {
    fn take(&mut self, booked: &Booked) -> anyhow::Result<()> {
        match &booked.outcome {
            Ok(Outcome::Archived(_)) => self.archived += 1,
            Ok(Outcome::Same(_)) => self.same += 1,
            Ok(other) => anyhow::bail!("a mail was not archived: {other:?}"),
            Err(error) => anyhow::bail!("a mail was not archived: {error}"),
        }
        Ok(())
    }
}

/// `first`: number of the first mail, which is its UID.
pub fn run(
    data: &Path,
    is_splitting: bool,
    (first, tells, is_dated): (u64, bool, bool),
    input: &mut impl Read,
) -> anyhow::Result<()> {
    let archive = Archive::open_with(data, &Pulse::new(), Options { is_splitting, ..Options::default() })?;
    let spool = Spool::new(archive.paths().spool.clone())?;
    let mut folders = HashMap::new();
    let (ticket, answers) = channel();
    let (mut mails, mut bytes, mut counts) = (0u64, 0u64, Counts::default());
    while let Some((mailbox, len)) = pipe::next(input)? {
        let mut incoming = Incoming::new(&spool);
        let copied = io::copy(&mut input.by_ref().take(len.into()), &mut incoming)?;
        anyhow::ensure!(copied == u64::from(len), "the input ends within a mail");
        let mut message = incoming.finish()?;
        let folder = match folders.get(&mailbox) {
            Some(folder) => *folder,
            None => *folders.entry(mailbox).or_insert(folder(&archive, mailbox)?),
        };
        let uid = u32::try_from(first + mails + 1)?;
        let metadata: Metadata = std::mem::take(&mut message.head).into();
        let received = metadata.date.filter(|_| is_dated).unwrap_or(1_772_438_400);
        let new = NewMessage {
            message,
            metadata,
            folder,
            remote: [VALIDITY.to_be_bytes(), uid.to_be_bytes()].concat(),
            received: Some(received),
            flags: vec!["\\Seen".into()],
            after_due: false,
            variant_of: None,
            brought_by: None,
            ticket: ticket.clone(),
        };
        archive.send(Task::Message(Box::new(new)))?;
        (mails, bytes) = (mails + 1, bytes + u64::from(len));
        settle(&answers, &mut counts, tells)?;
    }
    archive.flush()?;
    settle(&answers, &mut counts, tells)?;
    let Counts { archived, same } = counts;
    anyhow::ensure!(archived + same == mails, "{archived} and {same} of {mails} mails were settled");
    drop(archive);
    println!("{{\"mails\":{mails},\"bytes\":{bytes},\"archived\":{archived},\"same\":{same}}}");
    Ok(())
}

/// Takes the answers that are there.
fn settle(answers: &Receiver<Booked>, counts: &mut Counts, tells: bool) -> anyhow::Result<()> {
    while let Ok(booked) = answers.try_recv() {
        counts.take(&booked)?;
        let settled = counts.archived + counts.same;
        if tells && settled.is_multiple_of(1000) {
            println!("{settled}");
        }
    }
    Ok(())
}

fn folder(archive: &Archive, mailbox: u16) -> anyhow::Result<FolderNumber> {
    let mailbox = format!("person{mailbox}@muster.example");
    let folder = Folder {
        number: 0,
        definition: "office".into(),
        mailbox: mailbox.clone(),
        id: "INBOX".into(),
        name: "INBOX".into(),
        mailbox_name: mailbox,
    };
    Ok(archive.folder(folder)?)
}
