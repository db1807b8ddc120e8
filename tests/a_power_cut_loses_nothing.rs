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
use crate::support::workloads::{LARGE, WORKLOADS, begun};
use archivista::archive::log::Findings;
use archivista::archive::start::{self, Paths};
use archivista::archive::verify::{self, Report};
use archivista::archive::{Archive, ArchiveError, Options, pack};
use archivista::hash::Sha256;
use archivista::pulse::Pulse;

/// Archives that were killed or cut, and are cut again while they start, at so many moments each.
const AGAIN: (usize, usize) = (80, 2);
/// Cuts of disks that lie, of each of the first two workloads.
const LIES: usize = 150;

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

/// Calls `each` at moments of a tape by chance: with the disk and what had been acknowledged by then.
fn moments(tape: &Tape<Mark>, count: usize, seed: u64, mut each: impl FnMut(usize, &Disk, &Known, Random)) {
    let ops = tape.ops();
    let mut random = Random::seeded(seed);
    let mut moments: Vec<usize> = (0..count).map(|_| random.index(ops.len() + 1)).collect();
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
        each(moment, &disk, &known, Random::seeded(random.next()));
    }
}

/// An archive that a kill or a power cut ended starts again, on a tape of its own.
fn again(disk: &Disk, known: &Known, random: &mut Random, killed: bool, pack_size: u64) -> Arc<Tape<Mark>> {
    let root = scratch();
    let tape = if killed {
        // What the kernel had not yet written is still on its way.
        disk.show(root.path());
        Tape::over(root.path(), disk.clone())
    } else {
        disk.cut(root.path(), random);
        Tape::of(root.path())
    };
    let tape = Arc::new(tape);
    known.marks().for_each(|mark| tape.mark(mark));
    Work::open(root.path(), &tape, pack_size, 10_000).some(1);
    tape
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

/// Unfinished ends in `recovered/`, by pack and byte; one that a cut disturbed is there twice.
fn tails(root: &Path) -> Vec<((u32, u64), Vec<u8>)> {
    let mut tails = Vec::new();
    for path in fs::read_dir(root.join("recovered")).into_iter().flatten().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(place) = name.strip_suffix(".tail") {
            let mut place = place.split('-').map(|number| number.parse().unwrap());
            let place = (u32::try_from(place.next().unwrap()).unwrap(), place.next().unwrap());
            tails.push((place, fs::read(&path).unwrap()));
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
            let is_there = tails.iter().any(|(at, tail)| *at == place && *tail == bytes[kept..]);
            assert!(is_there, "{}: {place:?}", cut.what);
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
    for (number, is_certain) in &known.ended {
        let has_ended = view.document(*number).unwrap().is_none() && view.ended_row(*number).unwrap().is_some();
        assert!(has_ended || !is_certain, "{what}: document {number} has ended");
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
    let is_making = cut.known.end == (0, 0) || what.contains(" catalog");
    let is_made =
        |line: &String| line.contains("catalog.redb: missing") || is_making && line.contains("catalog.redb: broken");
    let damage: Vec<_> = damage.iter().filter(|line| !is_made(line)).collect();
    assert!(damage.is_empty(), "{what}: {damage:?}");

    let archive = open(cut.path(), pack_size).unwrap_or_else(|error| panic!("{what}: {error}"));
    let healed = lines(archive.findings());
    let is_healed = |line: &String| line.contains("an unfinished end of") || is_made(line);
    assert!(healed.iter().all(is_healed), "{what}: {healed:?}");
    is_complete(&archive, &cut.known, &what);
    nothing_is_destroyed(&cut, &before);
    archive.erase(&mut || Ok(())).unwrap_or_else(|error| panic!("{what}: {error}"));
    is_complete(&archive, &cut.known, &what);
    // And goes on.
    let mut work = Work::over(archive, None, 1_000_000);
    for _ in 0..2 {
        for (number, sha256) in work.mails(2) {
            assert!(!cut.known.ended.contains_key(&number), "{what}: number {number} was given twice");
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

/// A seed of its own for each workload.
fn mixed(name: &str, seed: u64) -> u64 {
    name.bytes().fold(seed, |seed, byte| seed.rotate_left(7) ^ u64::from(byte)) >> 1
}

#[test]
fn at_a_thousand_moments() {
    let seed = Random::fresh().next();
    let count = AtomicUsize::new(0);
    let check = |cut: Cut, pack_size: u64| {
        survives(cut, pack_size);
        count.fetch_add(1, Ordering::Relaxed);
    };
    for workload in &WORKLOADS {
        let tape = workload.tape();
        let (name, size) = (workload.name, workload.pack_size());
        let seed = mixed(name, seed);
        side_by_side(|half| {
            moments(&tape, workload.cuts / 2, seed + half, |moment, disk, known, random| {
                check(Cut::of(disk, known, random, format!("{name}, cut after {moment} changes")), size);
            });
        });
    }
    let tapes: Vec<_> = WORKLOADS[..2].iter().map(|workload| (workload, workload.tape())).collect();
    side_by_side(|half| {
        for ((workload, tape), killed) in tapes.iter().flat_map(|of| [(of, true), (of, false)]) {
            let (name, size) = (workload.name, workload.pack_size());
            moments(tape, AGAIN.0 / 8, mixed(name, seed) + half, |moment, disk, known, mut random| {
                let tape = again(disk, known, &mut random, killed, size);
                let before = format!("{name}, {} after {moment} changes", if killed { "killed" } else { "cut" });
                moments(&tape, AGAIN.1, random.next(), |moment, disk, known, random| {
                    check(Cut::of(disk, known, random, format!("{before}, then cut after {moment} more")), size);
                });
            });
        }
    });
    let count = count.into_inner();
    assert!(count >= 1000, "{count} cuts");
}

/// Killed at each moment until its first mail is safe, then started again and cut.
#[test]
fn a_cut_after_a_kill_while_the_archive_was_made() {
    let seed = Random::fresh().next();
    let tape = begun();
    let ops = tape.ops();
    side_by_side(|half| {
        let mut random = Random::seeded(seed + half);
        let (mut disk, mut known) = (Disk::default(), Known::default());
        for (moment, op) in (0u64..).zip(&ops) {
            disk.apply(op, false);
            known.learn(op);
            if moment % 2 != half {
                continue;
            }
            let tape = again(&disk, &known, &mut random, true, LARGE);
            let (mut disk, mut known) = (tape.start(), Known::default());
            for op in &tape.ops() {
                disk.apply(op, false);
                known.learn(op);
            }
            for _ in 0..2 {
                let what = format!("killed after {moment} changes and started again");
                survives(Cut::of(&disk, &known, Random::seeded(random.next()), what), LARGE);
            }
        }
    });
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
            match start::rebuild_closed(&Paths::new(cut.path()), &Pulse::new()) {
                Ok(findings) => said.extend(lines(&findings)),
                // Not even the head of a pack was kept.
                Err(error @ ArchiveError::Damaged { .. }) => {
                    said.push(error.to_string());
                    return Left { gone: cut.known.documents.keys().copied().collect(), said, opened: false };
                }
                Err(error) => panic!("{what}: {error}"),
            }
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
        let seed = mixed(workload.name, seed);
        let ops = tape.ops();
        side_by_side(|half| {
            moments(&tape, LIES / 2, seed + half, |moment, _, known, mut random| {
                // It was honest until then.
                let honest = random.index(moment + 1);
                let mut disk = tape.start();
                ops[..moment].iter().enumerate().for_each(|(at, op)| disk.apply(op, at >= honest));
                let what = format!("{}, cut after {moment} changes, a lie from {honest} on", workload.name);
                let left = is_named(&Cut::of(&disk, known, random, what), &all.documents, workload.pack_size());
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
