//! An archive at work, with what it has acknowledged marked on the tape of its disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use archivista::archive::commit::{Commit, Ending, Event, Folder, Happening, Metadata, Outcome, Setting};
use archivista::archive::disk::Disk;
use archivista::archive::start::Paths;
use archivista::archive::writer::{Booked, NewMessage, Task};
use archivista::archive::{Archive, Options};
use archivista::hash::Sha256;
use archivista::ingest::{Incoming, Spool};

use super::cuts::{Op, Tape};
use super::random::Random;
use super::small;

/// Something that was acknowledged.
#[derive(Clone, Debug)]
pub enum Mark {
    Document(u64, Sha256),
    Setting(u64),
    /// The note of a document; later ones are higher.
    Note(u64, u64),
    Folder(String, u32),
    /// A document may end from now on, and has ended.
    Ending(u64),
    Ended(u64),
    /// Pack and byte where the last commit ends.
    End(u32, u64),
}

/// All that was acknowledged up to some moment.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub documents: BTreeMap<u64, Sha256>,
    pub settings: BTreeSet<u64>,
    pub notes: BTreeMap<u64, u64>,
    pub folders: BTreeMap<String, u32>,
    /// Documents that may have ended, and whether they have for certain.
    pub ended: BTreeMap<u64, bool>,
    pub end: (u32, u64),
}

impl Known {
    pub fn learn(&mut self, op: &Op<Mark>) {
        let Op::Mark(mark) = op else { return };
        match mark.clone() {
            Mark::Document(number, sha256) => {
                let before = self.documents.insert(number, sha256);
                assert!(before.is_none_or(|before| before == sha256), "number {number} was given twice");
            }
            Mark::Setting(number) => drop(self.settings.insert(number)),
            Mark::Note(number, note) => drop(self.notes.insert(number, note)),
            Mark::Folder(id, number) => drop(self.folders.insert(id, number)),
            Mark::Ending(number) => {
                self.documents.remove(&number);
                self.notes.remove(&number);
                self.ended.insert(number, false);
            }
            Mark::Ended(number) => drop(self.ended.insert(number, true)),
            Mark::End(pack, end) => self.end = (pack, end),
        }
    }

    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        let documents = self.documents.iter().map(|(number, sha256)| Mark::Document(*number, *sha256));
        let settings = self.settings.iter().map(|number| Mark::Setting(*number));
        let notes = self.notes.iter().map(|(number, note)| Mark::Note(*number, *note));
        let folders = self.folders.iter().map(|(id, number)| Mark::Folder(id.clone(), *number));
        let ended = self.ended.iter().flat_map(|(number, is_certain)| {
            [Some(Mark::Ending(*number)), is_certain.then_some(Mark::Ended(*number))].into_iter().flatten()
        });
        documents.chain(settings).chain(notes).chain(folders).chain(ended).chain([Mark::End(self.end.0, self.end.1)])
    }
}

pub struct Work {
    pub archive: Archive,
    tape: Option<Arc<Tape<Mark>>>,
    folder: u32,
    /// Tells mails, settings and folders from each other.
    pub next: u64,
}

impl Work {
    /// Opens the archive in `root`, on the tape.
    pub fn open(root: &Path, tape: &Arc<Tape<Mark>>, pack_size: u64, next: u64) -> Self {
        let paths = Paths { disk: Disk::recorded(tape.clone()), ..Paths::new(root) };
        let archive = small::open_in(&paths, Options { pack_size, ..Options::default() }).unwrap();
        Self::over(archive, Some(tape.clone()), next)
    }

    pub fn over(archive: Archive, tape: Option<Arc<Tape<Mark>>>, next: u64) -> Self {
        let mut work = Self { archive, tape, folder: 0, next };
        work.folder();
        work
    }

    fn mark(&self, mark: Mark) {
        if let Some(tape) = &self.tape {
            tape.mark(mark);
        }
    }

    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn folder(&mut self) {
        let id = format!("folder {}", self.number());
        let folder = Folder {
            definition: "office".into(),
            mailbox: "anna".into(),
            id: id.clone(),
            name: id.clone(),
            mailbox_name: "anna".into(),
            ..Folder::default()
        };
        self.folder = self.archive.folder(folder).unwrap();
        self.mark(Mark::Folder(id, self.folder));
    }

    /// Archives mails in one commit; if the last one `breaks` off on its way into the archive, none of them. Tells their
    /// numbers.
    pub fn batch(&mut self, mails: &[Vec<u8>], breaks: bool) -> Vec<(u64, Sha256)> {
        let (ticket, answers) = channel();
        for (place, mail) in mails.iter().enumerate() {
            self.send(mail, breaks && place == mails.len() - 1, None, &ticket);
        }
        drop(ticket);
        self.archive.flush().unwrap();
        let mut given = Vec::new();
        for booked in answers {
            if breaks {
                booked.outcome.unwrap_err();
                continue;
            }
            let number = booked.outcome.unwrap().document().unwrap();
            let mut bytes = Vec::new();
            self.archive.read(number, &mut bytes).unwrap();
            assert!(mails.contains(&bytes));
            given.push((number, Sha256::of(&bytes)));
            self.mark(Mark::Document(number, Sha256::of(&bytes)));
        }
        let last = self.archive.view().unwrap().position().unwrap().unwrap();
        self.mark(Mark::End(last.pack, last.end));
        given
    }

    fn send(&mut self, mail: &[u8], breaks: bool, variant_of: Option<u64>, ticket: &Sender<Booked>) {
        let spool = Spool::new(self.archive.paths().spool.clone()).unwrap();
        let mut incoming = Incoming::new(&spool);
        incoming.write_all(mail).unwrap();
        let mut message = incoming.finish().unwrap();
        message.size += u64::from(breaks);
        let new = NewMessage {
            metadata: Metadata { title: message.head.subject.clone(), ..Metadata::default() },
            message,
            folder: self.folder,
            remote: self.number().to_be_bytes().to_vec(),
            received: Some(1_704_067_200),
            flags: Vec::new(),
            after_due: false,
            variant_of,
            brought_by: None,
            ticket: ticket.clone(),
        };
        self.archive.send(Task::Message(Box::new(new))).unwrap();
    }

    /// Archives another rendering of a document.
    pub fn variant(&mut self, mail: &[u8], of: u64) {
        let (ticket, answers) = channel();
        self.send(mail, false, Some(of), &ticket);
        self.archive.flush().unwrap();
        assert_eq!(answers.recv().unwrap().outcome.unwrap(), Outcome::Same(of));
    }

    pub fn mails(&mut self, count: usize) -> Vec<(u64, Sha256)> {
        let mails: Vec<_> = (0..count).map(|_| small::mail(self.number())).collect();
        self.batch(&mails, false)
    }

    /// A mail that fits into no buffer on its way.
    pub fn long_mail(&mut self) -> Vec<u8> {
        let number = self.number();
        let mut mail = small::mail(number);
        let mut random = Random::seeded(number);
        for _ in 0..6000 {
            let line = random.bytes(70);
            mail.extend(line.into_iter().map(|byte| b'0' + byte % 64).chain(*b"\r\n"));
        }
        mail
    }

    fn setting(&mut self) {
        let number = self.number();
        let setting = Setting { key: format!("cut/{number}"), value: Some(vec![1; 20]) };
        self.archive.commit(Commit { settings: vec![setting], ..Commit::default() }).unwrap();
        self.mark(Mark::Setting(number));
    }

    fn note(&mut self, number: u64) {
        let note = self.number();
        let change = move |metadata: &mut Metadata| {
            metadata.note = note.to_string();
            let what = Happening::FieldsChanged(number, vec!["note".into()]);
            vec![Event { time: 1_704_067_300, who: "anna".into(), what }]
        };
        self.archive.change(number, Box::new(change)).unwrap();
        self.mark(Mark::Note(number, note));
    }

    /// Ends documents, and takes them out of their packs.
    pub fn end(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.mark(Mark::Ending(*number));
        }
        let what = Happening::Deleted(numbers[0], numbers[numbers.len() - 1], numbers.len() as u64);
        let event = Event { time: 1_704_067_300, who: "retention".into(), what };
        self.archive.end(numbers.to_vec(), Ending::Term, vec![event]).unwrap();
        for number in numbers {
            self.mark(Mark::Ended(*number));
        }
    }

    /// Mails with two attachments, one of which all have.
    pub fn split_mails(&mut self, count: usize) -> Vec<(u64, Sha256)> {
        let mails: Vec<_> = (0..count)
            .map(|_| {
                let number = self.number();
                let own = Random::seeded(number).bytes(4500);
                small::with_attachments(number, &[&[7; 5000], &own], 76)
            })
            .collect();
        self.batch(&mails, false)
    }

    /// A bit of all that an archive does, in two commits a round.
    pub fn some(&mut self, rounds: u64) {
        for round in 0..rounds {
            let given = self.mails(1 + usize::try_from(round % 3).unwrap());
            match round % 5 {
                0 => self.setting(),
                1 => self.note(given[0].0),
                2 => self.folder(),
                3 => {
                    let twice = small::mail(self.number());
                    drop(self.batch(&[twice.clone(), twice], false));
                }
                _ => self.note(1),
            }
        }
    }
}
