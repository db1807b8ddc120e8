//! Promise: a message of Microsoft 365 that is moved is recognised by its immutable id and neither archived nor downloaded a
//! second time; one that the listing of changes never shows again is found by comparing all ids; a draft is left out until it
//! is sent; what Microsoft cannot render is marked as put together from its parts.

use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::mails::tiny;
use crate::support::proof::{in_archive, titles};
use crate::support::tenant::{self, Folders, Tenant, same};
use serde_json::json;

const ANNA: &str = "anna@mymail.ch";

fn archivista(tenant: &Tenant) -> Archivista {
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(tenant, "tenant", vec![ANNA]));
    archivista
}

fn relocate(tenant: &Tenant, from: &str, to: &str, count: u64) {
    tenant.control(&json!({ "op": "move", "mailbox": ANNA, "folder": from, "first": count, "to": to }));
}

#[test]
fn a_move_is_neither_a_document_nor_a_download() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 30))]);
    let archivista = archivista(&tenant);
    assert_eq!(archivista.fetch_counts(), Counts::archived(30));
    let before = tenant.places(&[ANNA]);
    tenant.control(&json!({ "op": "reset_counters" }));
    relocate(&tenant, "Inbox", "Kunden/Müller", 7);
    assert_eq!(archivista.fetch_counts(), Counts::same(7));
    assert_eq!(tenant.calls("value"), 0, "bytes that are here are not asked for again");
    // Where it was seen first stays known.
    same(&in_archive(&archivista), &before.union(&tenant.places(&[ANNA])).cloned().collect());
    assert_eq!(archivista.list().len(), 30);
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.run(&["status"]).succeeded();
    archivista.verify();
}

#[test]
fn what_comes_back_is_explained_by_comparing_all_ids() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 30))]);
    let archivista = archivista(&tenant);
    archivista.fetch();
    // There and back between two runs and across one: the folder's changes never tell of it again.
    relocate(&tenant, "Inbox", "Ablage", 3);
    archivista.fetch();
    relocate(&tenant, "Ablage", "Inbox", 3);
    // New ones go the same way before they were ever seen in the inbox.
    for number in 0..3 {
        tenant.add(ANNA, "Umweg", &tiny(&format!("umweg.{number}@example.ch"), &format!("Umweg {number}")));
    }
    archivista.run(&["fetch"]).succeeded();
    relocate(&tenant, "Umweg", "Inbox", 3);
    relocate(&tenant, "Inbox", "Ablage", 30);
    relocate(&tenant, "Ablage", "Inbox", 30);
    archivista.run(&["fetch"]).succeeded();
    tenant.control(&json!({ "op": "reset_counters" }));
    archivista.run(&["reconcile"]).succeeded();
    archivista.run(&["reconcile", "tenant"]).succeeded();
    let (server, archive) = (tenant.places(&[ANNA]), in_archive(&archivista));
    let missing: Vec<_> = server.difference(&archive).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(archivista.list().len(), 33, "and nothing is there twice");
    assert_eq!(tenant.calls("value"), 0, "all of it was archived already");
    archivista.run(&["reconcile", "unbekannt"]).ended_with(1);
    archivista.run(&["status"]).succeeded();
    archivista.verify();
}

#[test]
fn a_draft_is_archived_when_it_is_sent() {
    let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 4))]);
    let archivista = archivista(&tenant);
    // One in the folder for drafts, one that lies elsewhere.
    tenant.add(ANNA, "Drafts", &tiny("entwurf.1@mymail.ch", "Entwurf 1"));
    let draft = tiny("entwurf.2@mymail.ch", "Entwurf 2");
    let path = archivista.beside("draft.eml");
    std::fs::write(&path, draft).unwrap();
    tenant.control(&json!({ "op": "add", "mailbox": ANNA, "folder": "Inbox", "path": path, "is_draft": true }));
    let first = archivista.fetch_counts();
    assert_eq!((first.archived, first.left_out), (4, 1), "{first:?}");
    assert!(titles(&archivista).keys().all(|title| title.starts_with("Mail ")));
    let unchanged = archivista.fetch_counts();
    assert_eq!(unchanged.archived, 0, "{unchanged:?}");

    tenant.control(&json!({ "op": "send_draft", "mailbox": ANNA, "message_id": "entwurf.1@mymail.ch" }));
    tenant.control(&json!({ "op": "send_draft", "mailbox": ANNA, "message_id": "entwurf.2@mymail.ch" }));
    assert_eq!(archivista.fetch_counts().archived, 2);
    let titles = titles(&archivista);
    assert_eq!(titles.len(), 6, "{titles:?}");
    for sent in ["Entwurf 1", "Entwurf 2"] {
        assert_eq!(titles[sent], ["Sent Items"]);
    }
    assert_eq!(archivista.fetch_counts().archived, 0);
    archivista.run(&["status"]).succeeded();
    archivista.verify();
}

#[test]
fn what_cannot_be_rendered_is_marked() {
    let folders =
        Folders::from([("Inbox", vec![tiny("ganz@example.ch", "Ganz"), tiny("kaputt@example.ch", "Kaputt")])]);
    let tenant = Tenant::with(&[(ANNA, folders)]);
    tenant.control(&json!({ "op": "poison", "mailbox": ANNA, "message_id": "kaputt@example.ch" }));
    let archivista = archivista(&tenant);
    assert_eq!(archivista.fetch_counts(), Counts::archived(2));
    for document in archivista.list() {
        let marked = document["defects"].as_array().unwrap().contains(&"reconstructed".into());
        assert_eq!(marked, document["title"] == "Kaputt", "{document}");
    }
    assert_eq!(archivista.fetch_counts(), Counts::default());
    archivista.verify();
}

/// The permission to read the directory comes or goes: a mailbox stays the same one, by address or by object id.
#[test]
fn a_mailbox_stays_the_same_whether_or_not_the_directory_may_be_read() {
    let (all, few) = (json!(["Mail.ReadWrite", "User.Read.All"]), json!(["Mail.ReadWrite"]));
    for (first, second) in [(&all, &few), (&few, &all)] {
        let tenant = Tenant::with(&[(ANNA, tenant::tiny(ANNA, 9))]);
        let archivista = archivista(&tenant);
        tenant.control(&json!({ "op": "configure", "permissions": first }));
        assert_eq!(archivista.fetch_counts(), Counts::archived(9));
        tenant.control(&json!({ "op": "configure", "permissions": second }));
        tenant.control(&json!({ "op": "reset_counters" }));
        assert_eq!(archivista.fetch_counts(), Counts::default());
        assert_eq!(tenant.calls("value"), 0, "nothing is asked for again");
        same(&in_archive(&archivista), &tenant.places(&[ANNA]));
    }
}
