//! Promise: whenever the power goes, nothing that was acknowledged is lost or moved, and all goes on. Where a disk forgets what
//! it said was safe, what is missing is named.
//!
//! What lies on disk is cut at a thousand moments; see [`cuts`](crate::support::cuts) for what a cut leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::cuts::{Disk, Tape, scratch};
use crate::support::random::Random;
use crate::support::small;
use crate::support::work::{Known, Mark, Work};
use archivista::archive::log::Findings;
use archivista::archive::start::{self, Paths};
use archivista::archive::verify::{self, Report};
use archivista::archive::{Archive, ArchiveError, Options, pack};
use archivista::hash::Sha256;
use archivista::pulse::Pulse;

/// What is done to an archive while the power goes.
struct Workload {
    name: &'static str,
    /// Fills the folder before the tape runs.
    before: fn(&Path),
    during: fn(&Path, &Arc<Tape<Mark>>),
    cuts: usize,
}

/// Whatever else changes packs is cut by one more entry here.
const WORKLOADS: [Workload; 5] = [
    Workload { name: "archiving", before: |_| {}, during: archiving, cuts: 300 },
    Workload { name: "sealing packs", before: |_| {}, during: sealing, cuts: 300 },
    Workload { name: "rebuilding the catalog", before: filled, during: rebuilding, cuts: 150 },
    Workload { name: "starting without a catalog", before: without_catalog, during: starting, cuts: 50 },
    Workload { name: "putting an unfinished end aside", before: unfinished, during: starting, cuts: 50 },
];
/// Archives that were cut and are cut again while they start, at so many moments each.
const AGAIN: (usize, usize) = (75, 2);
/// Cuts of disks that lie, of each of the first two workloads.
const LIES: usize = 150;

/// So that packs change with almost every commit.
const TINY: u64 = 3000;
const LARGE: u64 = 1 << 28;

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
    let first = small::records(root, 1)[0];
    let record = &fs::read(small::pack(root, 1)).unwrap()[usize::try_from(first.offset).unwrap()..][..300];
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

/// What [`filled`] archived.
fn acknowledged(tape: &Tape<Mark>) {
    for number in 1..=30 {
        tape.mark(Mark::Document(number, Sha256::of(&small::mail(number))));
    }
}

impl Workload {
    fn tape(&self) -> Arc<Tape<Mark>> {
        let root = scratch();
        (self.before)(root.path());
        let tape = Arc::new(Tape::of(root.path()));
        (self.during)(root.path(), &tape);
        tape
    }

    fn pack_size(&self) -> u64 {
        if self.name == "archiving" { LARGE } else { TINY }
    }
}

/// What a cut left, and what had been acknowledged by then.
struct Cut {
    root: tempfile::TempDir,
    known: Known,
    what: String,
}

impl Cut {
    fn of(disk: &Disk, known: &Known, mut random: Random, what: String) -> Self {
        let root = scratch();
        disk.cut(root.path(), &mut random);
        Self { root, known: known.clone(), what }
    }

    fn path(&self) -> &Path {
        self.root.path()
    }
}

/// Cuts `tape` at moments by chance. A disk that lies honours no sync from some moment before the cut on.
fn cut(tape: &Tape<Mark>, name: &str, cuts: usize, seed: u64, lies: bool, mut check: impl FnMut(Cut)) {
    let ops = tape.ops();
    let mut random = Random::seeded(seed);
    let mut moments: Vec<usize> = (0..cuts).map(|_| random.index(ops.len() + 1)).collect();
    moments.sort_unstable();
    let mut disk = tape.start();
    let mut known = Known::default();
    let mut done = 0;
    for moment in moments {
        for op in &ops[done..moment] {
            disk.apply(op, false);
            known.learn(op);
        }
        done = moment;
        let mut random = Random::seeded(random.next());
        let what = format!("{name}, cut after {moment} of {} changes: {:?}", ops.len(), ops[..moment].last());
        if lies {
            let honest = random.index(moment + 1);
            let mut disk = tape.start();
            ops[..moment].iter().enumerate().for_each(|(at, op)| disk.apply(op, at >= honest));
            check(Cut::of(&disk, &known, random, format!("a lie from {honest} on, {what}")));
        } else {
            check(Cut::of(&disk, &known, random, what));
        }
    }
}

/// Runs `each` for two halves of what there is to do, side by side.
fn side_by_side(each: impl Fn(u64) + Sync) {
    std::thread::scope(|scope| {
        let first = scope.spawn(|| each(0));
        each(1);
        first.join().unwrap();
    });
}

fn open(root: &Path, pack_size: u64) -> Result<Archive, ArchiveError> {
    small::open_in(&Paths::new(root), Options { pack_size, ..Options::default() })
}

fn closed(root: &Path) -> Result<Report, ArchiveError> {
    verify::closed(&Paths::new(root), false, &mut |_, _| Ok(()))
}

fn lines(findings: &Findings) -> Vec<String> {
    findings.lines().collect()
}

fn read(archive: &Archive, number: u64) -> Result<Sha256, ArchiveError> {
    let mut bytes = Vec::new();
    archive.read(number, &mut bytes)?;
    Ok(Sha256::of(&bytes))
}

/// All packs, byte for byte.
fn packs(root: &Path) -> BTreeMap<u32, Vec<u8>> {
    let numbers = pack::numbers(&root.join("packs")).unwrap_or_default();
    numbers.into_iter().map(|number| (number, fs::read(small::pack(root, number)).unwrap())).collect()
}

/// Unfinished ends in `recovered/`, by pack and byte.
fn tails(root: &Path) -> BTreeMap<(u32, u64), Vec<u8>> {
    let mut tails = BTreeMap::new();
    for path in fs::read_dir(root.join("recovered")).into_iter().flatten().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(place) = name.strip_suffix(".tail") {
            let mut place = place.split('-').map(|number| number.parse().unwrap());
            let place = (u32::try_from(place.next().unwrap()).unwrap(), place.next().unwrap());
            tails.insert(place, fs::read(&path).unwrap());
        }
    }
    tails
}

/// Nothing of `before` is gone: it is where it was, or in `recovered/` if nobody had ever been told of it.
fn nothing_is_destroyed(cut: &Cut, before: &BTreeMap<u32, Vec<u8>>) {
    let (now, tails) = (packs(cut.path()), tails(cut.path()));
    for (number, bytes) in before {
        let kept = now.get(number).map_or(0, Vec::len).min(bytes.len());
        assert!(kept == 0 || now[number][..kept] == bytes[..kept], "{}", cut.what);
        if kept < bytes.len() {
            let place = (*number, kept as u64);
            assert!(tails.get(&place).is_some_and(|tail| *tail == bytes[kept..]), "{}: {place:?}", cut.what);
            assert!(place >= cut.known.end, "{}: {place:?} was acknowledged up to {:?}", cut.what, cut.known.end);
        }
    }
}

/// All that was acknowledged is there.
fn is_complete(archive: &Archive, known: &Known, what: &str) {
    let view = archive.view().unwrap();
    for (&number, sha256) in &known.documents {
        assert_eq!(read(archive, number).unwrap(), *sha256, "{what}: document {number}");
        let document = view.document(number).unwrap().unwrap();
        assert_eq!(document.sha256, *sha256, "{what}: document {number}");
        let note: u64 = document.metadata.note.parse().unwrap_or(0);
        assert!(note >= known.notes.get(&number).copied().unwrap_or(0), "{what}: the note of document {number}");
    }
    for number in &known.settings {
        assert!(view.setting_row(&format!("cut/{number}")).unwrap().is_some(), "{what}: setting {number}");
    }
    for (id, number) in &known.folders {
        assert_eq!(view.folder_number("office", "anna", id).unwrap(), Some(*number), "{what}: {id}");
    }
}

fn survives(mut cut: Cut, pack_size: u64) {
    let what = cut.what.clone();
    let before = packs(cut.path());
    let proof = closed(cut.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
    // A catalog that was just being made is the one thing that may be missed.
    let damage: Vec<_> = lines(&proof.findings);
    let damage: Vec<_> = damage.iter().filter(|line| !line.contains("catalog.redb: missing")).collect();
    assert!(damage.is_empty(), "{what}: {damage:?}");

    let archive = open(cut.path(), pack_size).unwrap_or_else(|error| panic!("{what}: {error}"));
    let healed = lines(archive.findings());
    assert!(healed.iter().all(|line| line.contains("an unfinished end of")), "{what}: {healed:?}");
    is_complete(&archive, &cut.known, &what);
    nothing_is_destroyed(&cut, &before);
    // And goes on.
    let mut work = Work::over(archive, None, 1_000_000);
    for _ in 0..2 {
        for (number, sha256) in work.mails(2) {
            assert_eq!(cut.known.documents.insert(number, sha256), None, "{what}: number {number} was given twice");
        }
    }
    let proof = verify::open(&work.archive, false, &mut |_, _| Ok(())).unwrap();
    assert!(proof.findings.is_empty() && proof.notes.is_empty(), "{what}: {proof:?}");
    drop(work);
    let proof = closed(cut.path()).unwrap();
    assert!(proof.findings.is_empty() && proof.notes.is_empty(), "{what}: {proof:?}");
    let archive = open(cut.path(), pack_size).unwrap();
    assert!(archive.findings().is_empty(), "{what}: {:?}", archive.findings());
    is_complete(&archive, &cut.known, &what);
}

fn shared(name: &str, seed: u64) -> Random {
    Random::seeded(name.bytes().fold(seed, |seed, byte| seed.rotate_left(7) ^ u64::from(byte)))
}

#[test]
fn at_a_thousand_moments() {
    let seed = Random::fresh().next();
    let count = AtomicUsize::new(0);
    for workload in &WORKLOADS {
        let tape = workload.tape();
        let seed = shared(workload.name, seed).next();
        side_by_side(|half| {
            cut(&tape, workload.name, workload.cuts / 2, seed + half, false, |cut| {
                survives(cut, workload.pack_size());
                count.fetch_add(1, Ordering::Relaxed);
            });
        });
    }
    let tapes: Vec<_> = WORKLOADS[..2].iter().map(|workload| (workload, workload.tape())).collect();
    side_by_side(|half| {
        for (workload, tape) in &tapes {
            cut(tape, workload.name, AGAIN.0.div_ceil(4), seed + half, false, |first| {
                let again = Arc::new(Tape::of(first.path()));
                first.known.marks().for_each(|mark| again.mark(mark));
                Work::open(first.path(), &again, workload.pack_size(), 10_000).some(1);
                let name = format!("starting after {}", first.what);
                cut(&again, &name, AGAIN.1, seed + half, false, |second| {
                    survives(second, workload.pack_size());
                    count.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
    });
    let count = count.into_inner();
    assert!(count >= 1000, "{count} cuts");
}

/// What an archive on a disk that lied still has.
struct Left {
    /// Acknowledged documents that cannot be had.
    gone: Vec<u64>,
    /// What is said of the damage.
    said: Vec<String>,
    opened: bool,
}

/// Whatever a lying disk left: no panic, no wrong bytes, and what is missing is named.
fn is_named(cut: &Cut, sent: &BTreeMap<u64, Sha256>, pack_size: u64) -> Left {
    let what = &cut.what;
    let mut said = match closed(cut.path()) {
        Ok(report) => lines(&report.findings),
        Err(error) => vec![error.to_string()],
    };
    let archive = match open(cut.path(), pack_size) {
        Ok(archive) => archive,
        Err(error) => {
            let is_clear = !matches!(error, ArchiveError::Io { .. } | ArchiveError::Stopped { .. });
            assert!(is_clear, "{what}: {error}");
            said.push(error.to_string());
            if !matches!(error, ArchiveError::CatalogAhead { .. }) {
                return Left { gone: cut.known.documents.keys().copied().collect(), said, opened: false };
            }
            // As the error says: what is left can be had.
            said.extend(lines(&start::rebuild_closed(&Paths::new(cut.path()), &Pulse::new()).unwrap()));
            open(cut.path(), pack_size).unwrap_or_else(|error| panic!("{what}: {error}"))
        }
    };
    said.extend(lines(archive.findings()).into_iter().filter(|line| !line.contains("an unfinished end of")));
    let mut last = 0;
    let mut there = Vec::new();
    archive
        .documents(|_, number, _| {
            last = number;
            match read(&archive, number) {
                Ok(sha256) => {
                    assert_eq!(sent.get(&number), Some(&sha256), "{what}: document {number} came out wrong");
                    there.push(number);
                }
                Err(ArchiveError::DocumentDamaged { number: told, .. }) => assert_eq!(told, number, "{what}"),
                Err(error) => panic!("{what}: document {number}: {error}"),
            }
            Ok::<_, ArchiveError>(true)
        })
        .unwrap();
    let proof = verify::open(&archive, false, &mut |_, _| Ok(())).unwrap();
    said.extend(lines(&proof.findings));
    let gone: Vec<u64> = cut.known.documents.keys().copied().filter(|number| !there.contains(number)).collect();
    if said.is_empty() && !gone.is_empty() {
        // Nothing that is left knew of them: the archive is as it was at an earlier commit.
        assert!(there.iter().copied().eq(1..=last), "{what}: {there:?} of {last}");
        assert!(gone.iter().all(|number| *number > last), "{what}: {gone:?} above {last}");
    }
    for number in &gone {
        // By its number, or with all of its commit or its pack.
        let is_named = |line: &String| {
            line.contains(&format!("document {number}:"))
                || ["missing", "lost", "damaged", "broken"].iter().any(|word| line.contains(word))
        };
        assert!(*number > last || said.iter().any(is_named), "{what}: document {number} of {last}: {said:#?}");
    }
    let mut work = Work::over(archive, None, 1_000_000);
    for (number, _) in work.mails(2) {
        assert!(number > last, "{what}: number {number} was given twice");
    }
    Left { gone, said, opened: true }
}

#[test]
fn a_disk_that_lies_about_flushing() {
    let seed = Random::fresh().next();
    let counts: [AtomicUsize; 4] = Default::default();
    for workload in &WORKLOADS[..2] {
        let tape = workload.tape();
        let mut all = Known::default();
        tape.ops().iter().for_each(|op| all.learn(op));
        let seed = shared(workload.name, seed).next();
        side_by_side(|half| {
            cut(&tape, workload.name, LIES / 2, seed + half, true, |cut| {
                let left = is_named(&cut, &all.documents, workload.pack_size());
                let kinds = [true, !left.gone.is_empty(), left.said.is_empty() && !left.gone.is_empty(), !left.opened];
                for (count, is_so) in counts.iter().zip(kinds) {
                    count.fetch_add(usize::from(is_so), Ordering::Relaxed);
                }
            });
        });
    }
    let [cuts, lost, earlier, refused] = counts.map(AtomicUsize::into_inner);
    println!(
        "{cuts} cuts: {lost} lost something, of which {earlier} are as they were earlier and {refused} were refused"
    );
    assert!(lost > earlier);
}
