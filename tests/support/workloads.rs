//! What an archive does while the power goes, each on a tape of its disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use archivista::archive::pack;
use archivista::archive::record::Kind;
use archivista::hash::Sha256;

use super::cuts::{Tape, scratch};
use super::small;
use super::work::{Mark, Work};

/// What is done to an archive while the power goes.
pub struct Workload {
    pub name: &'static str,
    /// Fills the folder before the tape runs.
    before: fn(&Path),
    during: fn(&Path, &Arc<Tape<Mark>>),
    pub cuts: usize,
}

/// Whatever else changes packs is cut by one more entry here.
pub static WORKLOADS: [Workload; 6] = [
    Workload { name: "archiving", before: |_| {}, during: archiving, cuts: 300 },
    Workload { name: "sealing packs", before: |_| {}, during: sealing, cuts: 300 },
    Workload { name: "rebuilding the catalog", before: filled, during: rebuilding, cuts: 150 },
    Workload { name: "starting without a catalog", before: without_catalog, during: starting, cuts: 50 },
    Workload { name: "putting an unfinished end aside", before: unfinished, during: starting, cuts: 50 },
    Workload { name: "erasing", before: |_| {}, during: erasing, cuts: 200 },
];
/// So that packs change with almost every commit.
const TINY: u64 = 3000;
pub const LARGE: u64 = 1 << 28;

fn archiving(root: &Path, tape: &Arc<Tape<Mark>>) {
    let mut work = Work::open(root, tape, LARGE, 0);
    work.some(20);
    let long = work.long_mail();
    work.batch(&[long], false);
    // The short one is taken back with the one that breaks off.
    let broken = [small::mail(work.number()), work.long_mail()];
    work.batch(&broken, true);
    work.some(10);
    let broken = [work.long_mail()];
    work.batch(&broken, true);
    let next = work.next;
    drop(work);
    let mut work = Work::open(root, tape, LARGE, next);
    work.some(10);
    let broken = [small::mail(work.number())];
    work.batch(&broken, true);
    work.some(4);
}

fn sealing(root: &Path, tape: &Arc<Tape<Mark>>) {
    let mut work = Work::open(root, tape, TINY, 0);
    work.some(30);
    let broken = [small::mail(work.number()), small::mail(work.number())];
    work.batch(&broken, true);
    let next = work.next;
    drop(work);
    Work::open(root, tape, TINY, next).some(10);
}

fn erasing(root: &Path, tape: &Arc<Tape<Mark>>) {
    let mut work = Work::open(root, tape, 20_000, 0);
    let mut given = Vec::new();
    for round in 0..6 {
        given.extend(work.split_mails(2).into_iter().map(|(number, _)| number));
        work.some(1);
        // Some at once, and some after others came; the first one is not the last one of a pack that goes.
        if round % 2 == 1 {
            let numbers = [given.remove(0), given.remove(given.len() / 2)];
            work.end(&numbers);
            assert!(work.archive.erase(&mut || Ok(())).unwrap() > 0);
        }
    }
    work.end(&given);
    work.archive.erase(&mut || Ok(())).unwrap();
    work.some(2);
}

fn filled(root: &Path) {
    let archive = small::open_sized(root, TINY);
    for batch in 0..10 {
        small::archive(&archive, 3 * batch + 1, 3 * batch + 3);
    }
}

fn without_catalog(root: &Path) {
    filled(root);
    fs::remove_file(root.join("catalog.redb")).unwrap();
}

fn unfinished(root: &Path) {
    filled(root);
    let numbers = pack::numbers(&root.join("packs")).unwrap();
    let path = small::pack(root, *numbers.last().unwrap());
    // A whole commit would be another thing.
    let message = small::records(root, 1).into_iter().find(|place| place.kind == Kind::Message).unwrap();
    let range = usize::try_from(message.offset).unwrap()..usize::try_from(message.end() - 20).unwrap();
    let record = &fs::read(small::pack(root, 1)).unwrap()[range];
    fs::write(&path, [fs::read(&path).unwrap(), record.to_vec()].concat()).unwrap();
}

fn starting(root: &Path, tape: &Arc<Tape<Mark>>) {
    acknowledged(tape);
    Work::open(root, tape, TINY, 1000).some(2);
}

fn rebuilding(root: &Path, tape: &Arc<Tape<Mark>>) {
    acknowledged(tape);
    let mut work = Work::open(root, tape, TINY, 1000);
    for _ in 0..3 {
        assert!(work.archive.rebuild_catalog().unwrap().is_empty());
        work.some(3);
    }
}

/// An archive that is made, up to its first mail.
pub fn begun() -> Arc<Tape<Mark>> {
    let root = scratch();
    let tape = Arc::new(Tape::of(root.path()));
    Work::open(root.path(), &tape, LARGE, 0).mails(1);
    tape
}

/// What [`filled`] archived.
fn acknowledged(tape: &Tape<Mark>) {
    for number in 1..=30 {
        tape.mark(Mark::Document(number, Sha256::of(&small::mail(number))));
    }
}

impl Workload {
    pub fn tape(&self) -> Arc<Tape<Mark>> {
        let root = scratch();
        (self.before)(root.path());
        let tape = Arc::new(Tape::of(root.path()));
        (self.during)(root.path(), &tape);
        tape
    }

    pub fn pack_size(&self) -> u64 {
        if self.name == "archiving" { LARGE } else { TINY }
    }
}
