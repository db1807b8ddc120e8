//! The office mix: people of a company write to each other, attach, answer, forward and send once more; what comes out is
//! what lies in their mailboxes, a copy for each recipient.
//!
//! As in the experiment that reversible splitting was decided on, three mails in ten have an attachment and go to one to six
//! people, three in ten of these are forwarded to as many, and fifteen in a hundred have the logo of a signature. Besides, one
//! attachment in five is a document that the company sends again and again.

use std::rc::Rc;

use crate::attachment::Attachment;
use crate::chance::Chance;
use crate::letter::Letter;
use crate::pipe::Mail;
use crate::words;

const PEOPLE: u16 = 200;
/// Documents that are sent again and again: price lists, forms, terms.
const STANDING: usize = 300;
const LOGOS: usize = 4;
/// Copies that wait to come, so that those of one letter come apart, as those of different mailboxes do.
const UNDER_WAY: usize = 2000;
/// 2 March 2026.
const BEGIN: i64 = 1_772_438_400;

pub struct Office {
    chance: Chance,
    letters: u64,
    waiting: Vec<(Rc<Letter>, u16)>,
}

impl Office {
    pub fn new() -> Self {
        Self { chance: Chance::of(7), letters: 0, waiting: Vec::new() }
    }

    /// A letter and what follows from it.
    fn begin(&mut self) {
        let from = self.person();
        let subject = words::title(&mut self.chance);
        let attachments: Vec<Attachment> = if self.chance.percent(30) { vec![self.attachment()] } else { Vec::new() };
        let most = if attachments.is_empty() { 1 } else { 6 };
        let to = self.others(from, most);
        let first = self.post(from, to, subject.clone(), &attachments, None);
        if self.chance.percent(25) {
            // An answer goes back without what was attached, and sometimes brings it along, or a new version.
            let answered = match self.chance.below(10) {
                0 => attachments.clone(),
                1 if !attachments.is_empty() => vec![self.attachment()],
                _ => Vec::new(),
            };
            let by = first.to[0];
            let to = if self.chance.percent(30) { without(&first.to, by, from) } else { vec![from] };
            self.post(by, to, format!("AW: {subject}"), &answered, Some(&first));
        }
        if attachments.is_empty() {
            return;
        }
        if self.chance.percent(30) {
            let by = first.to[self.chance.below(first.to.len())];
            let to = self.others(by, 6);
            self.post(by, to, format!("WG: {subject}"), &attachments, Some(&first));
        }
        if self.chance.percent(5) {
            self.post(from, first.to.clone(), subject, &attachments, None);
        }
    }

    fn post(
        &mut self,
        from: u16,
        to: Vec<u16>,
        subject: String,
        attachments: &[Attachment],
        before: Option<&Letter>,
    ) -> Rc<Letter> {
        self.letters += 1;
        let len = self.chance.within(200, 4000);
        let mut text = words::prose(&mut self.chance, len);
        if let Some(before) = before {
            text.push_str("\nVon: Person\n");
            before.text.lines().for_each(|line| text.push_str(&format!("> {line}\n")));
        }
        let mut attachments = attachments.to_vec();
        if self.chance.percent(15) {
            attachments.push(Attachment::logo(u64::from(from) % LOGOS as u64));
        }
        let sent = BEGIN + i64::try_from(self.letters).unwrap_or(0) * 60;
        let answers = before.map(|before| before.id);
        let letter = Rc::new(Letter { id: self.chance.next(), from, to, subject, text, attachments, sent, answers });
        self.waiting.extend(letter.to.iter().map(|person| (letter.clone(), *person)));
        letter
    }

    fn person(&mut self) -> u16 {
        u16::try_from(self.chance.below(usize::from(PEOPLE))).unwrap_or(0)
    }

    /// One to `most` people, each once.
    fn others(&mut self, from: u16, most: usize) -> Vec<u16> {
        let mut others = Vec::new();
        let count = self.chance.within(1, most);
        while others.len() < count {
            let person = self.person();
            if person != from && !others.contains(&person) {
                others.push(person);
            }
        }
        others
    }

    fn attachment(&mut self) -> Attachment {
        let seed = if self.chance.percent(20) { self.chance.below(STANDING) as u64 } else { self.chance.next() };
        Attachment::of(seed)
    }
}

impl Iterator for Office {
    type Item = Mail;

    fn next(&mut self) -> Option<Mail> {
        while self.waiting.len() < UNDER_WAY {
            self.begin();
        }
        let place = self.chance.below(self.waiting.len());
        let (letter, mailbox) = self.waiting.swap_remove(place);
        Some(Mail { mailbox, bytes: letter.copy(mailbox) })
    }
}

/// To all that had the letter, and to the one who wrote it.
fn without(to: &[u16], by: u16, from: u16) -> Vec<u16> {
    to.iter().copied().filter(|person| *person != by).chain([from]).collect()
}
