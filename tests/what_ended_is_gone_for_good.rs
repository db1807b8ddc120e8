//! Promise: what ended is gone from the packs, byte by byte, and nothing else is: the chain still verifies, with the key and without,
//! what others share stays, and the mail does not come back while it is still on the server.

use std::fs;
use std::path::Path;

use archivista::archive::commit::{Ending, Event, Happening, Outcome};
use archivista::archive::record::Kind;
use archivista::archive::start::Paths;
use archivista::archive::view::Reads;
use archivista::archive::{Archive, ArchiveError, verify};

use crate::support::small;

fn end(archive: &Archive, numbers: &[u64]) {
    let what = Happening::Deleted(numbers[0], numbers[numbers.len() - 1], numbers.len() as u64);
    let event = Event { time: 1, who: "retention".into(), what };
    archive.end(numbers.to_vec(), Ending::Term, vec![event]).unwrap();
}

fn bytes_of(archive: &Archive, number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    archive.read(number, &mut bytes).unwrap();
    bytes
}

fn clean(data: &Path) -> verify::Report {
    let report = verify::closed(&Paths::new(data), false, &mut |_, _| Ok(())).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings.lines().collect::<Vec<_>>());
    report
}

/// A copy of the packs without the key.
fn clean_outside(data: &Path) -> verify::Report {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("data");
    crate::support::tree::copy(&data.join("packs"), &outside.join("packs"));
    Paths::new(&outside).make().unwrap();
    clean(&outside)
}

#[test]
fn the_mail_its_metadata_and_its_attachment_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let archive = small::open(&data);
    let (shared, own): (Vec<u8>, Vec<u8>) =
        ((0..=250).cycle().take(9000).collect(), (0..=240).cycle().take(8000).collect());
    let mails =
        [small::with_attachments(1, &[&shared, &own], 76), small::with_attachments(2, &[&shared], 76), small::mail(3)];
    small::put(&archive, "anna", (1..).zip(mails.iter().cloned()).collect());
    // Each change is a document record of its own.
    for note in ["geheim", "sehr geheim"] {
        let change = move |metadata: &mut archivista::archive::commit::Metadata| {
            metadata.note = note.into();
            Vec::new()
        };
        archive.change(1, Box::new(change)).unwrap();
    }
    let before = fs::read(small::pack(&data, 1)).unwrap();
    let places = small::records(&data, 1);
    end(&archive, &[1]);
    let with_tombstone = fs::metadata(small::pack(&data, 1)).unwrap().len();
    assert!(archive.view().unwrap().document(1).unwrap().is_none());
    assert!(archive.view().unwrap().may_read(&Reads::All, 2).unwrap());
    // Still in its pack, and said so.
    let report = verify::open(&archive, false, &mut |_, _| Ok(())).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings.lines().collect::<Vec<_>>());
    assert!(report.notes[0].contains("5 records of ended documents"), "{:?}", report.notes);

    fs::create_dir_all(data.join("recovered")).unwrap();
    fs::write(data.join("recovered/catalog.redb"), "geheim").unwrap();
    let freed = archive.erase(&mut || Ok(())).unwrap();
    assert!(freed > 0);
    assert_eq!(archive.erase(&mut || Ok(())).unwrap(), 0);
    assert_eq!(fs::read_dir(data.join("recovered")).unwrap().count(), 0);
    let after = fs::read(small::pack(&data, 1)).unwrap();
    assert_eq!(after.len() as u64, with_tombstone);
    // Record by record: message, part of its own and three document records are zeros now, all else is as it was.
    let (mut gone, mut stay) = (Vec::new(), 0);
    for place in &places {
        let range = usize::try_from(place.offset).unwrap()..usize::try_from(place.end()).unwrap();
        if before[range.clone()] == after[range.clone()] {
            stay += 1;
        } else {
            assert!(after[range.start + 76..range.end].iter().all(|byte| *byte == 0));
            gone.push(place.kind);
        }
    }
    gone.sort_by_key(|kind| *kind as u8);
    assert_eq!(gone, [Kind::Part, Kind::Document, Kind::Document, Kind::Document, Kind::Skeleton]);
    assert_eq!(stay + gone.len(), places.len());

    assert!(bytes_of(&archive, 2) == mails[1] && bytes_of(&archive, 3) == mails[2]);
    // It is still on the server, in this folder and in another one.
    let again = small::put(&archive, "beat", vec![(1, mails[0].clone()), (4, small::mail(4))]);
    assert_eq!(again, [Outcome::Deleted(1), Outcome::Archived(4)]);
    assert_eq!(small::put(&archive, "anna", vec![(1, mails[0].clone())]), [Outcome::Deleted(1)]);
    assert!(archive.rebuild_catalog().unwrap().is_empty());
    assert_eq!(archive.view().unwrap().ended(None, 9).unwrap().len(), 1);
    assert_eq!(archive.erase(&mut || Ok(())).unwrap(), 0);
    assert!(bytes_of(&archive, 2) == mails[1] && bytes_of(&archive, 4) == small::mail(4));
    // The other one that had the shared attachment.
    end(&archive, &[2]);
    archive.erase(&mut || Ok(())).unwrap();
    assert!(bytes_of(&archive, 3) == mails[2]);
    drop(archive);
    assert_eq!(clean(&data).erased, 8);
    assert_eq!(clean_outside(&data).erased, 8);
    let archive = small::open(&data);
    assert!(archive.findings().is_empty(), "{:?}", archive.findings());
    assert_eq!(small::archive(&archive, 9, 9), [5]);
}

/// It was decided on the places that were known then.
#[test]
fn what_was_seen_in_a_further_place_since_it_was_decided_does_not_end() {
    let folder = tempfile::tempdir().unwrap();
    let archive = small::open(&folder.path().join("data"));
    small::archive(&archive, 1, 2);
    let decided = archive.view().unwrap().position().unwrap().unwrap().sequence;
    assert_eq!(small::put(&archive, "beat", vec![(9, small::mail(2))]), [Outcome::Same(2)]);
    let refused = archive.end_decided(decided, vec![1, 2], Ending::Term, Vec::new()).unwrap_err();
    assert!(matches!(refused, ArchiveError::SeenAgain { number: 2 }), "{refused}");
    assert!(bytes_of(&archive, 1) == small::mail(1) && bytes_of(&archive, 2) == small::mail(2));
    archive.end_decided(decided, vec![1], Ending::Term, Vec::new()).unwrap();
    assert!(archive.view().unwrap().document(1).unwrap().is_none());
}

#[test]
fn a_kill_between_the_tombstone_and_the_packs_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let archive = small::open(&data);
    small::archive(&archive, 1, 3);
    end(&archive, &[2]);
    // In the middle of the copy.
    let mut steps = 0;
    let stopped = archive.erase(&mut || {
        steps += 1;
        if steps == 3 { Err(ArchiveError::Stopped { what: "now".into() }) } else { Ok(()) }
    });
    stopped.unwrap_err();
    drop(archive);
    fs::write(data.join("packs/000001.rewrite"), "half").unwrap();
    let archive = small::open(&data);
    assert!(!data.join("packs/000001.rewrite").exists());
    assert!(archive.erase(&mut || Ok(())).unwrap() > 0);
    assert!(bytes_of(&archive, 1) == small::mail(1) && bytes_of(&archive, 3) == small::mail(3));
    drop(archive);
    clean(&data);
}

#[test]
fn a_record_that_nobody_ended_and_that_is_gone_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let archive = small::open(&data);
    small::archive(&archive, 1, 3);
    drop(archive);
    // What was erased in one archive is put in the place of the same bytes of one in which nobody ended it.
    let other = folder.path().join("other");
    crate::support::tree::copy(&data, &other);
    let archive = small::open(&other);
    end(&archive, &[2]);
    archive.erase(&mut || Ok(())).unwrap();
    drop(archive);
    let original = fs::metadata(small::pack(&data, 1)).unwrap().len();
    let erased = fs::read(small::pack(&other, 1)).unwrap();
    fs::remove_file(small::pack(&data, 1)).unwrap();
    fs::write(small::pack(&data, 1), &erased[..usize::try_from(original).unwrap()]).unwrap();
    let report = verify::closed(&Paths::new(&data), false, &mut |_, _| Ok(())).unwrap();
    let lines: Vec<String> = report.findings.lines().collect();
    assert!(lines.iter().any(|line| line.contains("document 2") && line.contains("does not name it")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("document 1") || line.contains("document 3")), "{lines:#?}");
}
