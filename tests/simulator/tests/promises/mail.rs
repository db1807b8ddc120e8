//! Folders, messages, MIME and what may be done to them.

use std::fs;
use std::io::Read;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use simulator::Config;

use crate::stage::{IMMUTABLE, Stage, USER, mail};

#[test]
fn value_gives_the_bytes_and_its_long_form_fails() {
    let stage = Stage::new(2);
    let id = &stage.listed("inbox")[0];
    let reply = stage.of_user(&format!("messages/{id}/$value"));
    assert_eq!((reply.status, reply.header("Content-Type"), reply.whole), (200, Some("text/plain"), true));
    assert_eq!(reply.header("Content-Length"), None);
    assert_eq!(String::from_utf8(reply.body).unwrap(), mail(1), "the newest comes first");
    let long = stage.of_user(&format!("mailFolders/inbox/messages/{id}/$value"));
    assert_eq!(long.error(), (400, "ErrorInvalidRequest".to_owned()));
}

#[test]
fn a_large_mail_is_streamed() {
    let stage = Stage::new(0);
    let path = stage.dir.path().join("large.eml");
    fs::write(&path, [mail(1).into_bytes(), vec![b'x'; 40 << 20]].concat()).unwrap();
    let added = stage.control(json!({ "op": "add", "mailbox": USER, "folder": "Inbox", "path": path }));
    let bearer = format!("Bearer {}", stage.token);
    let address = format!("/v1.0/users/{USER}/messages/{}/$value", added["id"].as_str().unwrap());
    let mut stream = stage.client.send("GET", &address, &[("Authorization", &bearer)], b"");
    let (mut buffer, mut total) = (vec![0; 1 << 16], 0);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        total += read;
    }
    assert!(total > 40 << 20);
}

#[test]
fn ids_are_of_two_kinds_and_never_mixed() {
    let stage = Stage::new(1);
    let about = stage.control(json!({ "op": "messages", "mailbox": USER }));
    let (usual, immutable) = (about[0]["id"].as_str().unwrap(), about[0]["immutable_id"].as_str().unwrap());
    let status = |id: &str, headers: &[(&str, &str)]| {
        stage.ask("GET", &format!("users/{USER}/messages/{id}?$select=id"), headers, b"")
    };
    assert_eq!(status(usual, &[]).status, 200);
    assert_eq!(status(immutable, &[IMMUTABLE]).status, 200);
    assert_eq!(status(usual, &[IMMUTABLE]).error(), (400, "ErrorInvalidIdMalformed".to_owned()));
    assert_eq!(status(immutable, &[]).error(), (400, "ErrorInvalidIdMalformed".to_owned()));
    assert_eq!(status(&usual.to_lowercase(), &[]).error(), (400, "ErrorInvalidIdMalformed".to_owned()));
    let reply = stage.post(&format!("messages/{immutable}/move"), &json!({ "destinationId": "archive" }));
    assert_eq!((reply.status, &reply.json()["id"]), (201, &json!(immutable)));
    assert_eq!(status(usual, &[]).error(), (404, "ErrorItemNotFound".to_owned()), "a usual id changes with a move");
    assert_eq!(status(immutable, &[IMMUTABLE]).status, 200);
}

#[test]
fn deleting_goes_in_steps_and_permanently_at_once() {
    let stage = Stage::new(2);
    let ids = stage.listed("inbox");
    let delete = |id: &str| stage.ask("DELETE", &format!("users/{USER}/messages/{id}"), &[IMMUTABLE], b"").status;
    let place = |id: &str| {
        let about = stage.control(json!({ "op": "messages", "mailbox": USER, "id": id }));
        about[0]["folder"].clone()
    };
    assert_eq!((delete(&ids[0]), place(&ids[0])), (204, json!("Deleted Items")));
    assert_eq!((delete(&ids[0]), place(&ids[0])), (204, json!("Deletions")));
    assert_eq!(stage.listed("recoverableitemsdeletions"), [ids[0].clone()]);
    assert_eq!(stage.post(&format!("messages/{}/permanentDelete", ids[1]), &Value::Null).status, 204);
    assert_eq!((delete(&ids[1]), place(&ids[1])), (404, Value::Null));
}

#[test]
fn folders_come_ten_at_a_time_and_hidden_ones_when_asked() {
    let stage = Stage::new(1);
    for number in 0..5 {
        assert_eq!(stage.post("mailFolders", &json!({ "displayName": format!("A/{number}") })).status, 201);
    }
    assert_eq!(stage.post("mailFolders", &json!({ "displayName": "A/0" })).error().0, 409);
    let mut names = Vec::new();
    let mut address = format!("users/{USER}/mailFolders?includeHiddenFolders=true");
    let mut search = 0;
    loop {
        let page = stage.get(&address).json();
        let value = page["value"].as_array().unwrap();
        assert!(value.len() <= 10);
        search += value.iter().filter(|each| each["@odata.type"] == "#microsoft.graph.mailSearchFolder").count();
        names.extend(value.iter().map(|each| each["displayName"].as_str().unwrap().to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(next) => address = next.to_owned(),
            None => break,
        }
    }
    assert!(names.contains(&"A/4".to_owned()) && names.contains(&"Sync Issues".to_owned()), "{names:?}");
    assert_eq!(search, 1);
    let visible = stage.of_user("mailFolders?$top=100").json();
    assert_eq!(visible["value"].as_array().unwrap().len(), names.len() - 3);
    let sync = stage.of_user("mailFolders/syncissues/childFolders?includeHiddenFolders=true").json();
    assert_eq!(sync["value"].as_array().unwrap().len(), 3);
}

#[test]
fn attachments_of_every_kind() {
    let stage = Stage::new(0);
    let mime = "From: a@b.ch\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"xxxxxxxx\"\r\n\r\n\
        --xxxxxxxx\r\n\r\ntext\r\n--xxxxxxxx\r\nContent-Type: application/pdf; name=a.pdf\r\n\
        Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n\
        --xxxxxxxx\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--xxxxxxxx--\r\n";
    let added = stage.control(json!({ "op": "add", "mailbox": USER, "mime": mime }));
    let path = format!("messages/{}", added["immutable_id"].as_str().unwrap());
    assert_eq!(stage.of_user(&path).json()["hasAttachments"], true);
    let found = stage.of_user(&format!("{path}/attachments")).json();
    let kinds: Vec<_> = found["value"].as_array().unwrap().iter().map(|each| &each["@odata.type"]).collect();
    assert_eq!(kinds, ["#microsoft.graph.fileAttachment", "#microsoft.graph.itemAttachment"]);
    assert_eq!(found["value"][0]["contentBytes"], "QUJD");
    let raw = |number: usize| {
        let id = found["value"][number]["id"].as_str().unwrap();
        String::from_utf8(stage.of_user(&format!("{path}/attachments/{id}/$value")).body).unwrap()
    };
    assert_eq!(raw(0), "ABC");
    assert!(raw(1).starts_with("Subject: inner\r\n\r\nx"), "{}", raw(1));
}

#[test]
fn a_mail_is_played_back_as_a_draft() {
    let stage = Stage::new(0);
    let post = |body: &str| {
        let headers = [IMMUTABLE, ("Content-Type", "text/plain")];
        stage.ask("POST", &format!("users/{USER}/mailFolders/archive/messages"), &headers, body.as_bytes())
    };
    let reply = post(&BASE64_STANDARD.encode(mail(5)));
    assert_eq!((reply.status, &reply.json()["isDraft"]), (201, &json!(true)));
    let value = stage.of_user(&format!("messages/{}/$value", reply.json()["id"].as_str().unwrap()));
    assert_eq!(String::from_utf8(value.body).unwrap(), mail(5));
    assert_eq!(post("no base64!").error(), (400, "ErrorMimeContentInvalidBase64String".to_owned()));
}

#[test]
fn lists_are_filtered_and_refused_as_by_graph() {
    let stage = Stage::new(10);
    let count = |options: &str| {
        let reply = stage.of_user(&format!("mailFolders/inbox/messages?$top=50&{options}"));
        (reply.status, reply.json()["value"].as_array().map(Vec::len))
    };
    assert_eq!(count("$filter=receivedDateTime%20ge%202002-06-03T12:05:00Z&$orderby=receivedDateTime"), (200, Some(5)));
    assert_eq!(count("$filter=internetMessageId%20eq%20'%3C3@example.net%3E'"), (200, Some(1)));
    assert_eq!(count("$filter=isRead%20eq%20true&$orderby=receivedDateTime"), (400, None));
    assert_eq!(count("$select=size"), (400, None));
    assert_eq!(count("$expand=singleValueExtendedProperties($filter=id%20eq%20'Integer%200x0E08')"), (200, Some(10)));
}

#[test]
fn generated_mailboxes_need_no_files() {
    let stage = Stage::with(0, Config { generate: Some((3, 40, 9)), ..Config::default() });
    let total: i64 = ["inbox", "sentitems"]
        .iter()
        .map(|folder| {
            stage.get(&format!("users/user0002@example.org/mailFolders/{folder}")).json()["totalItemCount"]
                .as_i64()
                .unwrap()
        })
        .sum();
    assert_eq!(total, 24 + 4);
    assert_eq!(stage.get("users?$top=2&$select=id").json()["value"].as_array().unwrap().len(), 2);
}

#[test]
fn wrong_users_are_told_apart() {
    let extras = ["guest@example.net,guest", "info@example.org,shared", "old@example.org,no-mailbox"];
    let users = extras.iter().map(|text| text.parse().unwrap()).collect();
    let stage = Stage::with(0, Config { users, ..Config::default() });
    let error = |path: &str| stage.get(&format!("users/{path}")).error();
    assert_eq!(error("nobody@example.org/mailFolders"), (404, "ErrorInvalidUser".to_owned()));
    assert_eq!(error("nobody@example.org"), (404, "Request_ResourceNotFound".to_owned()));
    assert_eq!(error("old@example.org/mailFolders"), (404, "MailboxNotEnabledForRESTAPI".to_owned()));
    assert_eq!(
        error("guest_example.net%23EXT%23@contoso.onmicrosoft.com/mailFolders").1,
        "MailboxNotEnabledForRESTAPI"
    );
    assert_eq!(stage.get("users/info@example.org/mailboxSettings").json()["userPurpose"], "shared");
    let id = stage.control(json!({ "op": "rename_user", "user": USER, "upn": "anne@example.org" }));
    assert_eq!(error(&format!("{USER}/mailFolders")).0, 404);
    assert_eq!(stage.get(&format!("users/{}/mailFolders", id["id"].as_str().unwrap())).status, 200);
}
