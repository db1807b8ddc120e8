//! Promise: every one of 6,046 real mails comes out of the archive as it went in, bit for bit; none is archived a second time,
//! and the archive proves itself.

use std::collections::BTreeSet;

use crate::support::archivista::Archivista;
use crate::support::hash::sha256;
use crate::support::{corpus, small};
use archivista::archive::commit::Outcome;

/// Mails of the corpus.
const ALL: usize = 6046;

#[test]
fn every_mail_is_archived_exported_and_recognised() {
    let mails: Vec<Vec<u8>> = corpus::mails().into_iter().map(|mail| mail.bytes).collect();
    assert_eq!(mails.len(), ALL);
    let different = mails.iter().map(|mail| sha256(mail)).collect::<BTreeSet<_>>().len();

    let archivista = Archivista::new();
    let archive = small::open(&archivista.data());
    let outcomes = small::put(&archive, "anna", (1..).zip(mails.iter().cloned()).collect());
    drop(archive);
    let archived = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Archived(_))).count();
    assert_eq!((outcomes.len(), archived), (ALL, different));

    let exported = archivista.export();
    assert_eq!(exported.len(), different);
    for (outcome, mail) in outcomes.iter().zip(&mails) {
        let number = outcome.document().unwrap();
        assert!(exported[&number] == *mail, "document {number}");
    }
    archivista.verify();

    // The same mails at other places.
    let archive = small::open(&archivista.data());
    let again = small::put(&archive, "anna", (100_000..).zip(mails.iter().cloned()).collect());
    drop(archive);
    let expected: Vec<Outcome> = outcomes.iter().map(|outcome| Outcome::Same(outcome.document().unwrap())).collect();
    assert!(again == expected);
    assert_eq!(archivista.list().len(), different);
    archivista.verify();
}
