//! Promise: what people write on a document is as safe as the document: it survives the loss of the catalog, `verify` holds
//! every byte of it against the log, and names the document when one of them is another one.

use std::fs;
use std::os::unix::fs::FileExt;

use crate::support::archivista::Archivista;
use crate::support::small;
use archivista::archive::Archive;
use archivista::archive::commit::{Event, Happening, Metadata, Number};
use archivista::archive::record::Kind;
use archivista::archive::start::Paths;
use archivista::archive::verify;

fn change(archive: &Archive, number: Number, change: fn(&mut Metadata)) {
    let change = move |metadata: &mut Metadata| {
        change(metadata);
        vec![Event { time: 1, who: "anna".into(), what: Happening::FieldsChanged(number, vec!["note".into()]) }]
    };
    archive.change(number, Box::new(change)).unwrap();
}

fn findings(archivista: &Archivista) -> Vec<String> {
    verify::closed(&Paths::new(&archivista.data()), false, &mut |_, _| Ok(())).unwrap().findings.lines().collect()
}

fn documents(archive: &Archive) -> Vec<Metadata> {
    let view = archive.view().unwrap();
    (1..=3).map(|number| view.document(number).unwrap().unwrap().metadata).collect()
}

#[test]
fn notes_and_fields_survive_the_catalog_and_no_bit_of_them_changes_unnoticed() {
    let archivista = Archivista::new();
    let archive = small::open(&archivista.data());
    small::archive(&archive, 1, 3);
    change(&archive, 2, |metadata| metadata.note = "first".into());
    change(&archive, 2, |metadata| metadata.note = "zweite Notiz, länger".into());
    change(&archive, 3, |metadata| drop(metadata.fields.insert("Web".into(), "21.11.2026".into())));
    change(&archive, 3, |metadata| metadata.fields.clear());
    let before = documents(&archive);
    assert_eq!((before[1].note.as_str(), before[2].fields.len()), ("zweite Notiz, länger", 0));
    drop(archive);
    assert_eq!(findings(&archivista).len(), 0);

    fs::remove_file(archivista.data().join("catalog.redb")).unwrap();
    let archive = small::open(&archivista.data());
    assert_eq!(documents(&archive), before);
    drop(archive);
    assert_eq!(findings(&archivista).len(), 0);

    // The last two records of documents are the changes of document 3, the two before those of document 2.
    let records = small::records(&archivista.data(), 1);
    let changes: Vec<_> = records.iter().filter(|place| place.kind == Kind::Document).skip(3).collect();
    assert_eq!(changes.len(), 4);
    let file = fs::File::options().read(true).write(true).open(small::pack(&archivista.data(), 1)).unwrap();
    for (place, number) in changes.into_iter().zip([2, 2, 3, 3]) {
        for at in (place.offset..place.end()).step_by(7) {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 1], at).unwrap();
            let found = findings(&archivista);
            let named = format!("document {number}");
            assert!(found.iter().any(|line| line.contains(&named)), "byte {at} of {place:?}: {found:?}");
            file.write_all_at(&byte, at).unwrap();
        }
    }
    assert_eq!(findings(&archivista).len(), 0);
}
