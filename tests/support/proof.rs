//! Holds the archive against the server: which message lies where, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::archivista::Archivista;
use super::dovecot::Dovecot;
use super::hash::sha256;

/// A place of a message and the SHA-256 of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub mailbox: String,
    pub folder: String,
    /// `UIDVALIDITY:UID`
    pub remote: String,
    pub sha256: String,
}

/// All messages in these folders, as the server shows them.
pub fn on_server(dovecot: &Dovecot, user: &str, folders: &[&str]) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for folder in folders {
        let uid_validity = dovecot.uid_validity(user, folder);
        for message in dovecot.messages(user, folder) {
            places.insert(Place {
                mailbox: user.to_owned(),
                folder: (*folder).to_owned(),
                remote: format!("{uid_validity}:{}", message.uid),
                sha256: message.sha256,
            });
        }
    }
    places
}

/// All occurrences in the archive. Every document is exported, and its file has to be what `list` says.
///
/// # Panics
/// If a number is twice or skipped, bytes are in two documents, or a file has another hash or size than `list` says.
pub fn in_archive(archivista: &Archivista) -> BTreeSet<Place> {
    let documents = archivista.list();
    let exported = archivista.export();
    assert_eq!(documents.len(), exported.len());
    let mut places = BTreeSet::new();
    let mut hashes = BTreeSet::new();
    for (document, number) in documents.iter().zip(1..) {
        assert_eq!(document["number"], number, "numbers are 1, 2, 3 …: {document}");
        let bytes = &exported[&number];
        assert_eq!(document["sha256"], sha256(bytes), "{document}");
        assert_eq!(document["size"], bytes.len(), "{document}");
        assert!(hashes.insert(sha256(bytes)), "the same bytes are in two documents: {document}");
        for seen in document["occurrences"].as_array().unwrap() {
            let text = |key: &str| seen[key].as_str().unwrap().to_owned();
            places.insert(Place {
                mailbox: text("mailbox"),
                folder: text("folder"),
                remote: text("remote"),
                sha256: sha256(bytes),
            });
        }
    }
    places
}

/// Every message in these folders is in the archive, in its place, byte for byte; and nothing else is.
///
/// # Panics
/// Otherwise.
pub fn archive_equals_server(archivista: &Archivista, dovecot: &Dovecot, user: &str, folders: &[&str]) {
    let (server, archive) = (on_server(dovecot, user, folders), in_archive(archivista));
    let missing: Vec<_> = server.difference(&archive).collect();
    let too_much: Vec<_> = archive.difference(&server).collect();
    assert!(missing.is_empty() && too_much.is_empty(), "missing: {missing:#?}\ntoo much: {too_much:#?}");
}

/// Folder names in which a document was seen, sorted, one for each place.
pub fn folders_of(document: &Value) -> Vec<&str> {
    let mut folders: Vec<_> =
        document["occurrences"].as_array().unwrap().iter().map(|seen| seen["folder"].as_str().unwrap()).collect();
    folders.sort_unstable();
    folders
}

/// Titles of all documents with the folders in which each was seen.
pub fn titles(archivista: &Archivista) -> BTreeMap<String, Vec<String>> {
    let of = |document: &Value| {
        let folders = folders_of(document).into_iter().map(str::to_owned).collect();
        (document["title"].as_str().unwrap().to_owned(), folders)
    };
    archivista.list().iter().map(of).collect()
}
