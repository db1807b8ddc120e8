//! Rounds of delta queries.

use serde_json::json;

use crate::stage::{Stage, USER, fault, ids, mail};

const PREFER: &str = "IdType=\"ImmutableId\", odata.maxpagesize=4";

fn start(folder: &str) -> String {
    format!("users/{USER}/mailFolders/{folder}/messages/delta?$select=id,internetMessageId,receivedDateTime,isDraft")
}

#[test]
fn the_first_round_tells_all_and_the_next_what_happened() {
    let stage = Stage::new(10);
    let (told, link, pages) = stage.round(&start("inbox"), PREFER);
    assert_eq!((told.len(), pages), (10, 3));
    assert!(link.contains("mailFolders('inbox')/messages/delta?$deltatoken="), "{link}");
    let (again, link, _) = stage.round(&link, PREFER);
    assert_eq!(again, [] as [serde_json::Value; 0]);

    let new = stage.control(json!({ "op": "add", "mailbox": USER, "folder": "Inbox", "mime": mail(77) }));
    stage.control(json!({ "op": "move", "mailbox": USER, "message_id": "1@example.net", "to": "Projects" }));
    stage.control(json!({ "op": "delete", "mailbox": USER, "message_id": "2@example.net" }));
    stage.control(json!({ "op": "touch", "mailbox": USER, "message_id": "3@example.net" }));
    let (told, next, _) = stage.round(&link, PREFER);
    assert_eq!(told.len(), 4, "{told:#?}");
    let of = |id: &str| told.iter().find(|each| each["id"] == id).unwrap();
    assert_eq!(of(new["immutable_id"].as_str().unwrap())["internetMessageId"], "<77@example.net>");
    assert_eq!(told.iter().filter(|each| each["@removed"]["reason"] == "deleted").count(), 2);
    assert_eq!(stage.round(&link, PREFER).0.len(), 4, "the same link tells the same again");
    assert_eq!(stage.round(&next, PREFER).0.len(), 0);
}

#[test]
fn a_message_that_comes_back_is_not_told_of_with_immutable_ids() {
    let stage = Stage::new(3);
    let (told, immutable, _) = stage.round(&start("inbox"), PREFER);
    let (_, usual, _) = stage.round(&start("inbox"), "odata.maxpagesize=4");
    for to in ["B", "Inbox"] {
        stage.control(json!({ "op": "move", "mailbox": USER, "message_id": "1@example.net", "to": to }));
    }
    let (changed, next, _) = stage.round(&immutable, PREFER);
    assert_eq!(changed.len(), 1);
    assert!(changed[0]["@removed"].is_object() && ids(&told).contains(&changed[0]["id"].as_str().unwrap()));
    assert_eq!(stage.round(&next, PREFER).0.len(), 0);
    assert_eq!(stage.listed("inbox").len(), 3, "a listing shows it");
    let (changed, ..) = stage.round(&usual, "odata.maxpagesize=4");
    assert_eq!(changed.iter().filter(|each| each.get("@removed").is_none()).count(), 1, "{changed:#?}");
}

#[test]
fn a_lost_state_starts_again_at_its_location() {
    let stage = Stage::new(6);
    let (_, link, _) = stage.round(&start("inbox"), PREFER);
    stage.control(json!({ "op": "expire_delta_tokens" }));
    let reply = stage.get(&link);
    assert_eq!(reply.error(), (410, "SyncStateNotFound".to_owned()));
    let (told, ..) = stage.round(reply.header("Location").unwrap(), PREFER);
    assert_eq!(told.len(), 6);
    assert_eq!(stage.get(&link.replace("deltatoken=", "deltatoken=x")).error().0, 410);
}

#[test]
fn empty_pages_and_replays_lose_nothing() {
    let stage = Stage::new(20);
    stage.control(fault("empty-pages:0.5"));
    stage.control(fault("replays:0.5"));
    let (told, link, pages) = stage.round(&start("inbox"), PREFER);
    let mut distinct = ids(&told);
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 20);
    assert!(told.len() > 20, "some came twice");
    assert!(pages > 5, "{pages}");
    assert!(!stage.round(&link, PREFER).0.is_empty(), "some come once more in the next round");
}

#[test]
fn page_sizes_are_obeyed_and_noted() {
    let stage = Stage::new(30);
    for (size, expected) in [("1", 30), ("25", 2), ("1000", 1)] {
        let (_, _, pages) = stage.round(&start("inbox"), &format!("IdType=\"ImmutableId\", odata.maxpagesize={size}"));
        assert_eq!(pages, expected);
    }
    assert_eq!(stage.control(json!({ "op": "counters" }))["page_sizes"], json!([1, 25, 1000]));
}
