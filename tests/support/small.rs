//! Small archives of known content, made through the library: no mail server, and packs as small as a test wants them.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use archivista::archive::commit::{Folder, Metadata, Outcome};
use archivista::archive::pack::{self, Depth};
use archivista::archive::pack::{Found, Scanner};
use archivista::archive::record::Kind;
use archivista::archive::start::Paths;
use archivista::archive::writer::{NewMessage, Task};
use archivista::archive::{Archive, ArchiveError, Options};
use archivista::ingest::{Incoming, Spool};
use archivista::pulse::Pulse;
use archivista::search::Index;

use super::archivista::program;

/// Opens `data` with packs of the usual size.
pub fn open(data: &Path) -> Archive {
    open_with(data, Options::default())
}

/// Opens `data` with packs that are closed after the commit that passes `pack_size`.
pub fn open_sized(data: &Path, pack_size: u64) -> Archive {
    open_with(data, Options { pack_size, ..Options::default() })
}

/// Opens `data` to be written in this way.
pub fn open_with(data: &Path, options: Options) -> Archive {
    open_in(&Paths::new(data), options).unwrap()
}

/// Opens a data folder whose disk may be recorded, and which may be refused.
pub fn open_in(paths: &Paths, options: Options) -> archivista::archive::Result<Archive> {
    // A child that another thread is just starting holds all open files for a moment, the lock among them.
    for _ in 0..500 {
        match Archive::open_in(paths.clone(), &Pulse::new(), options) {
            Err(ArchiveError::InUse { .. }) => thread::sleep(Duration::from_millis(10)),
            opened => return opened,
        }
    }
    panic!("{} stays in use", paths.data.display());
}

/// The index of words of an archive. Attachments are read by the program, which this one is not.
pub fn index(archive: &Archive) -> Index {
    Index::new(archive.paths().search.clone()).reading_with(program())
}

/// A mail that says its number, and how long it is.
pub fn mail(number: u64) -> Vec<u8> {
    let lines = format!("This is line one of mail {number}, and it goes on.\r\n").repeat(2);
    let head = format!(
        "From: Anna <anna@example.ch>\r\nTo: Beat <beat@example.ch>\r\nSubject: mail {number}\r\n\
         Date: Mon, 1 Jan 2024 09:00:00 +0100\r\nMessage-ID: <{number}@example.ch>\r\n\r\n"
    );
    (head + &lines).into_bytes()
}

/// Archives mails `from..=to` in one commit, in a folder of a mailbox; returns their document numbers.
pub fn archive(archive: &Archive, from: u64, to: u64) -> Vec<u64> {
    let mails = (from..=to).map(|number| (number, mail(number)));
    let outcomes = put(archive, "anna", mails.collect());
    let number = |outcome: Outcome| match outcome {
        Outcome::Archived(number) => number,
        other => panic!("{other:?}"),
    };
    outcomes.into_iter().map(number).collect()
}

/// Archives messages, each with its id on the server, in one commit, in the inbox of a mailbox; returns what became of them.
pub fn put(archive: &Archive, mailbox: &str, mails: Vec<(u64, Vec<u8>)>) -> Vec<Outcome> {
    let folder = Folder {
        number: 0,
        definition: "office".into(),
        mailbox: mailbox.into(),
        id: "INBOX".into(),
        name: "INBOX".into(),
        mailbox_name: mailbox.into(),
    };
    let folder = archive.folder(folder).unwrap();
    archive.flush().unwrap();
    let spool = Spool::new(archive.paths().spool.clone()).unwrap();
    let (ticket, answers) = channel();
    for (number, bytes) in mails {
        let mut incoming = Incoming::new(&spool);
        incoming.write_all(&bytes).unwrap();
        let message = incoming.finish().unwrap();
        let metadata = Metadata::from(message.head.clone());
        let new = NewMessage {
            message,
            metadata,
            folder,
            remote: number.to_be_bytes().to_vec(),
            received: Some(1_704_067_200),
            flags: vec!["\\Seen".into()],
            after_due: false,
            variant_of: None,
            brought_by: None,
            ticket: ticket.clone(),
        };
        archive.send(Task::Message(Box::new(new))).unwrap();
    }
    drop(ticket);
    archive.flush().unwrap();
    answers.into_iter().map(|booked| booked.outcome.unwrap()).collect()
}

/// A mail with its number and attachments in base64, in lines of `width` letters.
pub fn with_attachments(number: u64, attachments: &[&[u8]], width: usize) -> Vec<u8> {
    let mut mail = format!(
        "From: Anna <anna@example.ch>\r\nSubject: mail {number}\r\nMessage-ID: <{number}@example.ch>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n"
    );
    for (place, bytes) in attachments.iter().enumerate() {
        let letters = STANDARD.encode(bytes);
        let lines: Vec<&str> =
            letters.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        mail += &format!(
            "--b\r\nContent-Type: application/octet-stream; name={place}.bin\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        );
    }
    (mail + "--b--\r\n").into_bytes()
}

/// A record of a pack, by place; a commit with its link.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub kind: Kind,
    pub offset: u64,
    pub len: u64,
}

impl Place {
    pub fn end(self) -> u64 {
        self.offset + self.len
    }
}

/// All records of a pack that is whole.
pub fn records(data: &Path, number: u32) -> Vec<Place> {
    let (mut scanner, _) = Scanner::open(&Paths::new(data).packs, number, None).unwrap().unwrap();
    let mut places = Vec::new();
    while let Some(found) = scanner.next(Depth::Stored).unwrap() {
        let Found::Record { offset, kind, stored, .. } = found else { panic!("{found:?}") };
        places.push(Place { kind, offset, len: stored.len });
    }
    places
}

/// The commits of a pack.
pub fn commits(data: &Path, number: u32) -> Vec<Place> {
    records(data, number).into_iter().filter(|place| place.kind == Kind::Commit).collect()
}

/// The file of a pack.
pub fn pack(data: &Path, number: u32) -> std::path::PathBuf {
    pack::path(&Paths::new(data).packs, number)
}
