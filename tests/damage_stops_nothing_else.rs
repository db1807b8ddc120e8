//! Promise: damage to some of an archive keeps nobody from the rest. It opens, each document that is whole comes out right, and
//! those that are not are named by their numbers; without its catalog too.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::support::every_kind::{Concern, EveryKind, Holds, PACK_SIZE, names, said};
use crate::support::small;
use archivista::archive::start::{self, Paths};
use archivista::archive::{Archive, ArchiveError, Options, verify};
use archivista::pulse::Pulse;

fn open(data: &Path) -> Result<Archive, ArchiveError> {
    small::open_in(&Paths::new(data), Options { pack_size: PACK_SIZE, ..Options::default() })
}

/// All that is said of an open archive.
fn all_said(archive: &Archive) -> Vec<String> {
    let proof = verify::open(archive, false, &mut |_, _| Ok(())).unwrap();
    archive.findings().lines().chain(proof.findings.lines()).collect()
}

fn is_last(it: &EveryKind, pack: u32, at: u64) -> bool {
    let commits = it.concerns.iter().filter(|concern| concern.holds == Holds::Commit);
    let mut ends: Vec<_> = commits.map(|concern| (concern.pack, concern.bytes.end)).collect();
    ends.sort_unstable();
    let [.., before, _] = ends.as_slice() else { panic!("{ends:?}") };
    (pack, at) >= *before
}

#[test]
fn an_archive_opens_with_any_byte_damaged() {
    let it = EveryKind::new();
    it.at_every_byte(|_, pack, at, byte| {
        if at % 13 > 1 {
            return;
        }
        for has_catalog in [true, false] {
            let what = format!("pack {pack}, byte {at}, catalog: {has_catalog}");
            let copy = it.copy();
            let path = small::pack(copy.path(), pack);
            fs::File::options().write(true).open(&path).unwrap().write_all_at(&[byte ^ 0x10], at).unwrap();
            if !has_catalog {
                fs::remove_file(copy.path().join("catalog.redb")).unwrap();
            }
            let before = fs::read(&path).unwrap();
            let archive = open(copy.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
            let refused = it.refused(&archive, &what);
            let said = all_said(&archive);
            if has_catalog {
                assert_eq!(refused, it.without(pack, at), "{what}");
            } else if is_last(&it, pack, at) {
                // Nothing tells such an end from one that was never acknowledged: it is put aside whole.
                assert!(refused.iter().all(|number| *number == 8), "{what}: {refused:?}");
            } else {
                let concern = it.concern(pack, at).filter(|concern| concern.holds != Holds::Rest);
                assert_eq!(refused, concern.map_or(Vec::new(), |concern| concern.documents.clone()), "{what}");
            }
            let is_aside = said.iter().any(|line| line.contains("was put aside"));
            assert!(is_aside || fs::read(&path).unwrap() == before, "{what}: {said:?}");
            for number in refused {
                assert!(is_aside || names(&said, number), "{what}, document {number}: {said:?}");
            }
            // It goes on, with numbers that nobody had.
            assert!(small::archive(&archive, 100, 100)[0] >= if is_aside { 8 } else { 9 }, "{what}");
        }
    });
}

#[test]
fn a_pack_is_cut_at_any_length() {
    let it = EveryKind::new();
    let packs = it.packs();
    it.at_every_byte(|spoilt, pack, keep, _| {
        // Around the ends of records, and every few bytes.
        let is_near = |concern: &Concern| {
            concern.pack == pack && (keep.abs_diff(concern.bytes.start) < 2 || keep.abs_diff(concern.bytes.end) < 2)
        };
        if keep % 7 > 1 && !it.concerns.iter().any(is_near) {
            return;
        }
        let what = format!("pack {pack} cut to {keep} bytes");
        let path = small::pack(spoilt.closed.path(), pack);
        let whole = fs::read(&path).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_len(keep).unwrap();
        let said = said(spoilt.closed.path());
        assert!(!said.is_empty(), "{what}");
        let lost = |holds: &[Holds]| -> BTreeSet<u64> {
            let is_cut =
                |concern: &&Concern| concern.pack == pack && concern.bytes.end > keep && holds.contains(&concern.holds);
            it.concerns.iter().filter(is_cut).flat_map(|concern| concern.documents.clone()).collect()
        };
        let refused = it.refused(&spoilt.open, &what);
        assert!(lost(&[Holds::Content]).into_iter().eq(refused), "{what}");
        for number in lost(&[Holds::Content, Holds::Commit]) {
            assert!(names(&said, number), "{what}, document {number}: {said:#?}");
        }
        if keep % 50 == 0 {
            let refused = open(spoilt.closed.path());
            assert_eq!(refused.is_err(), pack == *packs.last().unwrap(), "{what}");
            drop(refused);
        }
        file.set_len(0).unwrap();
        file.write_all_at(&whole, 0).unwrap();
    });
}

/// The whole of a pack is gone, or another archive's lies there.
#[test]
fn a_pack_is_gone_or_foreign() {
    let it = EveryKind::new();
    let foreign = EveryKind::new();
    for pack in it.packs() {
        for is_foreign in [false, true] {
            let what = format!("pack {pack}, foreign: {is_foreign}");
            let copy = it.copy();
            let path = small::pack(copy.path(), pack);
            if is_foreign {
                fs::copy(small::pack(foreign.path(), pack), &path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            let lost: BTreeSet<u64> = it.within(pack).collect();
            let found = said(copy.path());
            let archive = match open(copy.path()) {
                Ok(archive) => archive,
                // Numbers could be given again; a person decides.
                Err(ArchiveError::CatalogAhead { .. }) => {
                    assert!(!is_foreign, "{what}");
                    let told = start::rebuild_closed(&Paths::new(copy.path()), &Pulse::new()).unwrap();
                    assert!(told.lines().any(|line| line.contains("are lost")), "{what}");
                    open(copy.path()).unwrap()
                }
                Err(error) => {
                    assert!(is_foreign && matches!(error, ArchiveError::Foreign { .. }), "{what}: {error}");
                    continue;
                }
            };
            let refused = it.refused(&archive, &what);
            assert!(refused.iter().all(|number| lost.contains(number)), "{what}: {refused:?} of {lost:?}");
            for number in refused {
                assert!(names(&found, number), "{what}, document {number}: {found:#?}");
            }
            assert_eq!(small::archive(&archive, 100, 100), [9], "{what}");
        }
    }
}
