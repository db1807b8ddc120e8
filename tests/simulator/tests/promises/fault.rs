//! Each fault, alone.

use std::io::Read;

use serde_json::json;
use simulator::{Fault, Kind};

use crate::stage::{IMMUTABLE, Stage, USER, fault, mail};

/// A stage with one fault, and the address of a message's MIME.
fn stage_with(text: &str) -> (Stage, String) {
    let stage = Stage::new(12);
    let value = format!("users/{USER}/messages/{}/$value", stage.listed("inbox")[0]);
    stage.control(fault(text));
    (stage, value)
}

#[test]
fn faults_on_requests_pass() {
    for (kind, statuses) in [
        (Kind::Throttle, &[429][..]),
        (Kind::Unavailable, &[503]),
        (Kind::Gateway, &[502, 504]),
        (Kind::Spurious401, &[401]),
        (Kind::HtmlError, &[502]),
        (Kind::WrongContentType, &[200]),
        (Kind::Redirect, &[307]),
    ] {
        let (stage, value) = stage_with(kind.name());
        let first = stage.get(&value);
        assert!(statuses.contains(&first.status), "{kind:?}: {first:?}");
        assert_ne!(first.header("Content-Type"), Some("text/plain"), "{kind:?}");
        let second = stage.get(&value);
        assert_eq!((second.status, second.body), (200, mail(11).into_bytes()), "{kind:?}");
        assert_eq!(stage.control(json!({ "op": "counters" }))["faults"][kind.name()], 1);
    }
}

#[test]
fn a_throttled_answer_names_its_time_in_either_form() {
    let (stage, _) = stage_with("throttle");
    let ask = |number: usize| stage.get(&format!("users/{USER}/mailFolders?$top={number}"));
    let replies: Vec<_> = (1..9).map(ask).collect();
    let waits: Vec<_> = replies.iter().map(|reply| reply.header("Retry-After").unwrap()).collect();
    assert!(waits.contains(&"1"), "{waits:?}");
    assert!(waits.iter().any(|wait| wait.ends_with("GMT")), "{waits:?}");
    assert_eq!(
        replies[0].json(),
        json!({ "error": { "code": "ApplicationThrottled", "message": "Application is over its MailboxConcurrency limit." } })
    );
}

#[test]
fn a_token_ends_in_the_middle() {
    let (mut stage, value) = stage_with("token-expired");
    assert_eq!(stage.get(&value).status, 401);
    assert_eq!(stage.get(&value).status, 401, "it stays so until there is a new one");
    stage.renew();
    assert_eq!(stage.get(&value).status, 200);
}

#[test]
fn the_token_endpoint_may_be_down() {
    let (mut stage, _) = stage_with("token-unavailable");
    stage.renew();
    assert_eq!(stage.token, "");
    stage.renew();
    assert_ne!(stage.token, "");
}

#[test]
fn poisoned_messages_stay_so() {
    let (stage, value) = stage_with("poisoned");
    for _ in 0..3 {
        assert_eq!(stage.get(&value).error(), (500, "ErrorMimeContentConversionFailed".to_owned()));
    }
    assert_eq!(stage.get(value.strip_suffix("/$value").unwrap()).status, 200);
    stage.control(json!({ "op": "clear_faults" }));
    stage.control(json!({ "op": "poison", "mailbox": USER, "message_id": "11@example.net" }));
    assert_eq!(stage.get(&value).status, 500);
}

#[test]
fn a_poisoned_page_works_when_it_is_narrower() {
    let (stage, _) = stage_with("poisoned-page:0.3");
    let delta = format!("users/{USER}/mailFolders/inbox/messages/delta?$select=id");
    let ask = |size: usize| {
        let prefer = format!("IdType=\"ImmutableId\", odata.maxpagesize={size}");
        stage.ask("GET", &delta, &[("Prefer", &prefer)], b"").status
    };
    assert_eq!((ask(12), ask(4)), (500, 200));
    assert_eq!(stage.of_user("mailFolders/inbox/messages?$top=12").error(), (500, "InternalServerError".to_owned()));
}

#[test]
fn bodies_break_off_lie_and_trickle() {
    for name in ["cut", "lying-length"] {
        let (stage, value) = stage_with(name);
        let first = stage.get(&value);
        assert_eq!((first.status, first.whole), (200, false), "{name}");
        let second = stage.get(&value);
        assert_eq!((second.whole, second.body), (true, mail(11).into_bytes()), "{name}");
    }
    let (stage, value) = stage_with("slow");
    let begun = std::time::Instant::now();
    let reply = stage.get(&value);
    assert_eq!((reply.whole, reply.body), (true, mail(11).into_bytes()));
    assert!(begun.elapsed().as_millis() > 100);
}

#[test]
fn a_new_message_is_not_found_for_a_while() {
    let (stage, _) = stage_with("not-found-window");
    let added = stage.control(json!({ "op": "add", "mailbox": USER, "mime": mail(50) }));
    let path = format!("messages/{}/$value", added["immutable_id"].as_str().unwrap());
    assert_eq!(stage.of_user(&path).error(), (404, "ErrorItemNotFound".to_owned()));
    assert_eq!(stage.of_user(&path).status, 200);
}

#[test]
fn a_write_may_be_done_though_it_fails() {
    let (stage, value) = stage_with("late-gateway");
    let path = value.strip_suffix("/$value").unwrap();
    assert_eq!(stage.ask("DELETE", path, &[IMMUTABLE], b"").status, 504);
    assert_eq!(stage.listed("inbox").len(), 11);
}

#[test]
fn gone_comes_once_for_a_folder() {
    let (stage, _) = stage_with("gone");
    let (start, prefer) = (format!("users/{USER}/mailFolders/inbox/messages/delta"), "odata.maxpagesize=5");
    let first = stage.ask("GET", &start, &[("Prefer", prefer)], b"").json();
    assert_eq!(stage.get(first["@odata.nextLink"].as_str().unwrap()).status, 410);
    assert_eq!(stage.round(&start, prefer).0.len(), 12);
}

#[test]
fn the_fifth_request_of_a_mailbox_is_refused() {
    let stage = Stage::new(0);
    let path = stage.dir.path().join("large.eml");
    std::fs::write(&path, vec![b'x'; 30 << 20]).unwrap();
    let added = stage.control(json!({ "op": "add", "mailbox": USER, "path": path }));
    let value = format!("/v1.0/users/{USER}/messages/{}/$value", added["id"].as_str().unwrap());
    let bearer = format!("Bearer {}", stage.token);
    // Four that have begun to read and do not go on.
    let open: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = stage.client.send("GET", &value, &[("Authorization", &bearer)], b"");
            stream.read_exact(&mut [0; 1000]).unwrap();
            stream
        })
        .collect();
    let fifth = stage.of_user("mailFolders");
    assert_eq!(fifth.error(), (429, "ApplicationThrottled".to_owned()));
    assert_eq!(stage.get("users").status, 200, "the directory has its own budget");
    drop(open);
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(stage.of_user("mailFolders").status, 200);
    assert_eq!(stage.control(json!({ "op": "counters" }))["max_concurrent"][USER], 5);
}

#[test]
fn every_kind_is_known_by_its_name() {
    for kind in Kind::ALL {
        let fault: Fault = format!("{}:0.25:3", kind.name()).parse().unwrap();
        assert_eq!(fault, Fault { kind: *kind, rate: 0.25, times: Some(3) });
    }
}
