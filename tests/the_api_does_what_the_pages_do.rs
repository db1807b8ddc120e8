//! Promise: what a person does on the pages, a program does over `/api/v1`, by a token that gives what its owner may do at that
//! moment and no more. Nobody learns by it of what another may read.

use serde_json::{Value, json};

use crate::support::archivista::Archivista;
use crate::support::browser::flow;
use crate::support::https::{Answer, Https};
use crate::support::serving::{ADMINISTRATOR, Serving};
use crate::support::web::Site;
use archivista::archive::commit::Happening;
use archivista::settings::administration::Field;
use archivista::settings::tokens::{self, Rights};
use archivista::settings::users::{self, Role, User};
use archivista::settings::{Module, definition};
use archivista::web::api::{Right, calls};
use archivista::web::request::Method;

const NONE: Rights = Rights { read: false, change: false, administer: false, metrics: false };
const READ: Rights = Rights { read: true, ..NONE };
const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };
const MAIL: &str = "From: a@example.ch\r\nSubject: Geheimsache\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<p>Geheimsache</p>\r\n\
    --B\r\nContent-Type: application/pdf; name=Geheimsache.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n--B--\r\n";

fn stage() -> Site {
    let site = Site::new();
    assert_eq!(site.mail("anna", MAIL.as_bytes(), 1_700_000_000), 1);
    site.user("beat", Role::User, &["beat"]);
    site.user("anna", Role::User, &["anna"]);
    site.user("revision", Role::Auditor, &[]);
    site.user("chefin", Role::Administrator, &[]);
    site
}

fn get(site: &Site, token: &str, target: &str) -> Value {
    let answer = site.call(token, Method::Get, target, &Value::Null);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()
}

fn status(site: &Site, token: &str, method: Method, target: &str, body: &Value) -> u16 {
    site.call(token, method, target, body).status
}

fn imap(name: &str) -> Value {
    let accounts = json!([{ "account": "anna@example.ch", "password": "sehr geheim" }]);
    let settings = json!({ "server": "127.0.0.1", "port": 9, "encryption": "none", "accounts": accounts, "folders": ["INBOX", "A, b"] });
    json!({ "name": name, "module": "imap", "settings": settings })
}

/// With a token in place of a cookie.
fn ask(client: &mut Https, token: &str, method: &str, target: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [&[("Authorization", bearer.as_str())], more].concat();
    client.ask(method, target, &headers, body)
}

#[test]
fn a_token_is_made_on_a_page_used_and_revoked() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let csrf = browser.get("/account/tokens").csrf();
    let end = "2035-01-31";
    let fields = [("csrf", csrf.as_str()), ("name", "Buchhaltung"), ("read", "1"), ("change", "1"), ("ends", end)];
    let page = browser.post("/account/tokens", &fields);
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let (_, rest) = text.split_once("archivista_").expect("the token");
    let token = format!("archivista_{}", rest.split('<').next().unwrap());
    assert!(!browser.get("/account/tokens").text().contains(&token), "it is shown once");

    let mut program = serving.visitor();
    let own = ask(&mut program, &token, "GET", "/api/v1/token", &[], b"");
    let own: Value = serde_json::from_slice(&own.body).unwrap();
    assert_eq!((&own["user"], &own["rights"]), (&json!("anna"), &json!(["read", "change"])));
    // Neither a visitor nor somebody with a cookie gets in without it.
    for client in [&mut program.clone(), &mut browser] {
        let answer = client.get("/api/v1/documents");
        assert_eq!((answer.status, answer.header("content-type")), (401, Some("application/problem+json")));
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    // A body that the gate takes for people who are logged in only.
    let file: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let mut body = b"--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\n".to_vec();
    body.extend(&file);
    body.extend(b"\r\n--B--\r\n");
    let form = [("Content-Type", "multipart/form-data; boundary=B")];
    let answer = ask(&mut program, &token, "POST", "/api/v1/documents", &form, &body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.text(), "{\"numbers\":[1]}");
    let wrong = format!("{}x", &token[..token.len() - 1]);
    assert_eq!(ask(&mut program, &wrong, "POST", "/api/v1/documents", &form, &body).status, 403);
    let answer = ask(&mut program, &token, "GET", "/api/v1/documents/1/content", &[("Range", "bytes=256-511")], b"");
    assert_eq!((answer.status, answer.body.as_slice()), (206, &file[256..512]));
    let answer = ask(&mut program, &token, "GET", "/api/v1/documents/1/content", &[("Range", "bytes=200000-")], b"");
    assert_eq!((answer.status, answer.header("content-range")), (416, Some("bytes */200000")));
    let note = br#"{"note":"gebucht"}"#;
    let kind = [("Content-Type", "application/json")];
    let answer = ask(&mut program, &token, "PATCH", "/api/v1/documents/1", &kind, note);
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{}", answer.text());
    assert!(ask(&mut program, &token, "GET", "/api/v1/documents/1", &[], b"").text().contains("gebucht"));
    let answer = ask(&mut program, &token, "PUT", "/api/v1/documents/1", &kind, note);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, PATCH")));
    assert_eq!(ask(&mut program, &token, "GET", "/api/v1/users", &[], b"").status, 403);

    let page = browser.get("/account/tokens").text();
    assert!(page.contains("Buchhaltung") && !page.contains("<td>never</td>"), "{page}");
    let id = token.split('_').nth(1).unwrap();
    assert_eq!(browser.post(&format!("/account/tokens/{id}/revoke"), &[("csrf", &csrf)]).status, 303);
    assert_eq!(ask(&mut program, &token, "GET", "/api/v1/token", &[], b"").status, 401);
}

#[test]
fn a_person_makes_a_token_with_real_clicks() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    serving.set_up();
    let (user, password) = ADMINISTRATOR;
    flow("tokens", &serving.origin(), &json!({ "user": user, "password": password }));
}

#[test]
fn every_token_gets_on_every_call_what_it_may() {
    let site = stage();
    let tokens = [
        ("anna", NONE),
        ("anna", READ),
        ("anna", ALL),
        ("revision", ALL),
        ("chefin", READ),
        ("chefin", Rights { administer: true, ..NONE }),
        ("chefin", ALL),
    ];
    for (owner, rights) in tokens {
        let token = site.api_token(owner, rights);
        let is_admin = owner == "chefin";
        for call in calls() {
            let may = match call.right {
                Right::None | Right::Token => true,
                Right::Read => rights.read,
                Right::Change => rights.change && owner != "revision",
                Right::Administer => rights.administer && is_admin,
                Right::Decide => (rights.administer && is_admin) || (rights.read && owner == "revision"),
            };
            // Nothing here exists, and no body is sent: whoever may gets another answer, and nothing happens.
            let target = call.path.replace("{number}", "77").replace("{name}", "nobody").replace("{id}", "x");
            let target = target.replace("{part}", "1").replace("{folder}", "1");
            let what = format!("{owner} {rights:?} {:?} {target}", call.method);
            let answer = site.call(&token, call.method, &target, &Value::Null);
            assert_eq!(answer.status == 403, !may, "{what}: {}", answer.text());
            assert!(answer.status < 500, "{what}: {}", answer.text());
            let without = site.ask(call.method, None, &format!("/api/v1{target}"), &[], Vec::new());
            assert_eq!(without.status == 401, call.right != Right::None, "{what}");
            let cookie = site.session(owner);
            let by_cookie = site.ask(call.method, Some(&cookie), &format!("/api/v1{target}"), &[], Vec::new());
            assert_eq!(by_cookie.status, without.status, "a cookie counts for nothing: {what}");
        }
    }
}

#[test]
fn other_methods_are_refused_and_those_that_there_are_named() {
    let site = stage();
    let token = site.api_token("chefin", ALL);
    let names =
        [(Method::Get, "GET, HEAD"), (Method::Post, "POST"), (Method::Patch, "PATCH"), (Method::Delete, "DELETE")];
    for call in calls() {
        let there = |method: Method| calls().any(|other| other.path == call.path && other.method == method);
        for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
            if there(method) {
                continue;
            }
            let answer = site.call(&token, method, call.path, &Value::Null);
            assert_eq!(answer.status, 405, "{method:?} {}", call.path);
            let mut allowed: Vec<&str> = answer.header("Allow").unwrap().split(", ").collect();
            let mut expected: Vec<&str> =
                names.iter().filter(|(method, _)| there(*method)).flat_map(|(_, name)| name.split(", ")).collect();
            allowed.sort_unstable();
            expected.sort_unstable();
            assert_eq!(allowed, expected, "{}", call.path);
        }
    }
    for nothing in ["", "/", "/nothing", "/documents/1/nothing"] {
        assert_eq!(status(&site, &token, Method::Get, nothing, &Value::Null), 404, "{nothing}");
    }
}

#[test]
fn nobody_learns_of_what_another_may_read() {
    let site = stage();
    site.mail("beat", b"Subject: Eigenes\r\n\r\nx", 1_700_000_001);
    let beat = site.api_token("beat", ALL);
    let found = get(&site, &beat, "/documents");
    let numbers: Vec<&Value> = found["documents"].as_array().unwrap().iter().map(|row| &row["number"]).collect();
    assert_eq!(numbers, [&json!(2)]);
    assert_eq!(get(&site, &beat, "/documents?q=geheimsache")["documents"], json!([]));
    for below in ["", "/content", "/html", "/attachments/2", "/proof", "/link"] {
        let of = |number: u32| site.call(&beat, Method::Get, &format!("/documents/{number}{below}"), &Value::Null);
        assert_eq!((of(1).status, of(1).text()), (404, of(99).text()), "{below}");
    }
    let change = json!({ "note": "x" });
    let of = |number: u32| site.call(&beat, Method::Patch, &format!("/documents/{number}"), &change);
    assert_eq!((of(1).status, of(1).text()), (404, of(99).text()));
    // An upload of bytes that are there already tells nothing of them.
    let sent =
        format!("--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.eml\"\r\n\r\n{MAIL}\r\n--B--\r\n");
    let bearer = format!("Bearer {beat}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "multipart/form-data; boundary=B")];
    let answer = site.ask(Method::Post, None, "/api/v1/documents", &headers, sent.into_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    let own = answer.json()["numbers"][0].as_u64().unwrap();
    let proof = get(&site, &beat, &format!("/documents/{own}/proof"));
    assert!(!proof["seen"].to_string().contains("anna"), "{proof}");
}

#[test]
fn a_token_gives_no_more_than_its_owner_has_now() {
    let site = stage();
    let token = site.api_token("anna", ALL);
    let other = site.api_token("chefin", ALL);
    let ask = || status(&site, &token, Method::Get, "/documents/1", &Value::Null);
    let change = |change: Value| assert_eq!(status(&site, &other, Method::Patch, "/users/anna", &change), 200);
    assert_eq!(ask(), 200);
    change(json!({ "mailboxes": [] }));
    assert_eq!(ask(), 404);
    change(json!({ "mailboxes": [{ "definition": "company", "mailbox": "anna" }], "inactive": true }));
    assert_eq!(ask(), 401);
    change(json!({ "inactive": false }));
    assert_eq!(ask(), 200);
    // Somebody else who gets the name does not get the token.
    let anna = users::user(&site.web.archive, "anna").unwrap().unwrap();
    assert_eq!(status(&site, &other, Method::Delete, "/users/anna", &Value::Null), 204);
    assert!(tokens::tokens(&site.web.archive).unwrap().iter().all(|token| token.owner != "anna"));
    users::put_user(&site.web.archive, &anna, "test").unwrap();
    assert_eq!(ask(), 401);
    // The last administrator stays.
    let answer = site.call(&other, Method::Delete, "/users/chefin", &Value::Null);
    assert_eq!((answer.status, answer.json()["reason"].as_str()), (409, Some("conflict")));
}

#[test]
fn wrong_tokens_wait_as_wrong_passwords_do_and_right_ones_never() {
    let site = stage();
    let right = site.api_token("anna", READ);
    let wrong = format!("archivista_{}_{}", "0".repeat(16), "x".repeat(43));
    let reason = |token: &str| site.call(token, Method::Get, "/token", &Value::Null).json()["reason"].clone();
    for _ in 0..5 {
        assert_eq!(reason(&wrong), "token_wrong");
    }
    let answer = site.call(&wrong, Method::Get, "/token", &Value::Null);
    assert_eq!((answer.status, answer.header("Retry-After")), (429, Some("30")));
    assert_eq!(status(&site, &right, Method::Get, "/token", &Value::Null), 200);
    let refused = |what: &Happening| matches!(what, Happening::LoginRefused(name) if name == "API 0000000000000000");
    assert_eq!(site.journal().iter().filter(|event| refused(&event.what)).count(), 5);
    // What is kept is no token.
    let stored = site.web.archive.view().unwrap().settings("token").unwrap();
    assert!(!stored.is_empty());
    assert!(stored.iter().all(|(_, value)| !String::from_utf8_lossy(value).contains(&right[28..])));
}

#[test]
fn documents_are_found_page_by_page_changed_and_linked_to() {
    let site = stage();
    for number in 0..7 {
        site.mail("anna", format!("Subject: Offerte {number}\r\n\r\nx").as_bytes(), 1_700_000_100 + number);
    }
    site.administer(|administration| administration.publishing = Some(Field::Other("Publikation".into())));
    let anna = site.api_token("anna", ALL);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&site, &anna, &format!("/documents?q=offerte&limit=3{cursor}"));
        seen.extend(page["documents"].as_array().unwrap().iter().map(|row| row["number"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [8, 7, 6, 5, 4, 3, 2]);
    let last = get(&site, &anna, &format!("/documents?q=offerte&limit=3{cursor}"));
    let back =
        get(&site, &anna, &format!("/documents?q=offerte&limit=3&cursor={}", last["previous"].as_str().unwrap()));
    assert_eq!(back["documents"][0]["number"], 5);
    for bad in ["limit=0", "limit=201", "limit=x", "cursor=x", "sort=y"] {
        let answer = site.call(&anna, Method::Get, &format!("/documents?{bad}"), &Value::Null);
        assert_eq!((answer.status, answer.json()["reason"].as_str()), (400, Some("invalid")), "{bad}");
    }

    let one = get(&site, &anna, "/documents/1");
    assert_eq!((&one["title"], &one["attachments"][0]["name"]), (&json!("Geheimsache"), &json!("Geheimsache.pdf")));
    let part = one["attachments"][0]["part"].as_u64().unwrap();
    let file = site.call(&anna, Method::Get, &format!("/documents/1/attachments/{part}"), &Value::Null);
    assert_eq!((file.status, file.text().trim_end()), (200, "%PDF-1.7"));
    assert_eq!(site.call(&anna, Method::Get, "/documents/1/content", &Value::Null).text(), MAIL);
    let cookie = site.session("anna");
    let page = site.get(Some(&cookie), "/documents/1").text();
    let link = get(&site, &anna, "/documents/1/link");
    assert!(
        page.contains(&link["text"].as_str().unwrap().replace('&', "&amp;")),
        "the link is that of the page: {link}"
    );

    let change = |body: Value| status(&site, &anna, Method::Patch, "/documents/1", &body);
    // Mails hold names of other people: publishing one is confirmed.
    assert_eq!(change(json!({ "note": "a\r\nb", "is_published": true })), 400);
    assert_eq!(change(json!({ "fields": { "Publikation": "x" } })), 400);
    assert_eq!(change(json!({ "note": "a\r\nb", "is_published": true, "is_published_sure": true })), 204);
    let one = get(&site, &anna, "/documents/1");
    assert_eq!((&one["note"], &one["is_published"]), (&json!("a\nb"), &json!(true)));
    assert_eq!(change(json!({ "fields": { "Publikation": "" } })), 204);
    assert_eq!(get(&site, &anna, "/documents/1")["is_published"], false);
    assert_eq!(change(json!({ "title": "x" })), 400);
    assert_eq!(change(json!({ "fields": { "Erfunden": "x" } })), 400);
    assert_eq!(change(json!({ "unknown": 1 })), 400);
    let did = |what: &Happening| site.journal().iter().any(|event| event.who == "anna" && event.what == *what);
    for what in [
        Happening::Opened(1),
        Happening::Downloaded(1, None, None),
        Happening::Published(1),
        Happening::Withdrawn(1),
        Happening::FieldsChanged(1, vec!["note".into()]),
    ] {
        assert!(did(&what), "{what:?}");
    }
}

#[test]
fn definitions_are_administered_and_their_secrets_stay_inside() {
    let site = stage();
    let token = site.api_token("chefin", ALL);
    let call = |method, target: &str, body: Value| site.call(&token, method, target, &body);
    let made = call(Method::Post, "/definitions", imap("büro 1"));
    assert_eq!(made.status, 201, "{}", made.text());
    let path = "/definitions/b%C3%BCro%201";
    let shown = get(&site, &token, path);
    assert_eq!(shown["settings"]["folders"], json!(["INBOX", "A, b"]));
    assert_eq!(shown["settings"]["accounts"], json!([{ "account": "anna@example.ch" }]));
    let again = call(Method::Post, "/definitions", imap("büro 1")).json();
    assert_eq!((&again["reason"], &again["errors"][0]["at"]), (&json!("refused"), &json!("/name")));
    // What is not sent stays, the password too; to another server it is not sent.
    assert_eq!(call(Method::Patch, path, json!({ "interval_minutes": 60 })).status, 200);
    let kept = definition(&site.web.archive, "büro 1").unwrap();
    let Module::Imap(module) = &kept.module else { panic!() };
    let password = module.accounts[0].password.as_ref().map(|password| password.reveal().to_string());
    assert_eq!((kept.interval_minutes, password.as_deref()), (60, Some("sehr geheim")));
    let moved = call(Method::Patch, path, json!({ "server": "evil.example" }));
    assert_eq!((moved.status, &moved.json()["errors"][0]["at"]), (400, &json!("/accounts/0")));
    assert_eq!(call(Method::Patch, path, json!({ "after": "delete" })).status, 400);
    assert_eq!(call(Method::Patch, path, json!({ "after": "delete", "sure": true })).status, 200);
    assert_eq!(call(Method::Patch, path, json!({ "tenant": "x" })).status, 400);

    assert_eq!(call(Method::Post, &format!("{path}/runs"), json!({})).status, 202);
    assert!(site.web.fetcher.board.standing("büro 1").is_asked);
    assert_eq!(get(&site, &token, path)["state"]["is_asked"], true);
    assert_eq!(call(Method::Post, &format!("{path}/test"), Value::Null).status, 202);
    assert_eq!(get(&site, &token, &format!("{path}/runs")), json!({ "runs": [] }));
    assert_eq!(get(&site, &token, &format!("{path}/completeness"))["sum"]["unexplained"], 0);
    call(Method::Patch, path, json!({ "inactive": true }));
    assert_eq!(call(Method::Post, &format!("{path}/runs"), json!({})).status, 409);
    let everything =
        get(&site, &token, "/definitions").to_string() + &get(&site, &token, &format!("{path}/test")).to_string();
    assert!(everything.contains("büro 1") && !everything.contains("sehr geheim"), "{everything}");
    assert_eq!(call(Method::Post, "/switch", json!({ "from": "büro 1", "to": "nothing" })).status, 400);
    assert_eq!(call(Method::Delete, path, Value::Null).status, 204);
    assert_eq!(call(Method::Get, path, Value::Null).status, 404);
}

#[test]
fn people_and_settings_are_administered() {
    let site = stage();
    let token = site.api_token("chefin", ALL);
    let call = |method, target: &str, body: Value| site.call(&token, method, target, &body);
    let new = json!({ "name": "clara", "role": "user", "password": "lang genug ist es" });
    assert_eq!(call(Method::Post, "/users", new.clone()).status, 201);
    assert_eq!(call(Method::Post, "/users", new).json()["errors"][0]["at"], "/name");
    let mailbox = get(&site, &token, "/mailboxes")["mailboxes"][0].clone();
    let given = json!({ "mailboxes": [{ "definition": mailbox["definition"], "mailbox": mailbox["mailbox"] }] });
    assert_eq!(call(Method::Patch, "/users/clara", given.clone()).status, 200);
    assert_eq!(get(&site, &token, "/users/clara")["mailboxes"], given["mailboxes"]);
    let clara = site.api_token("clara", READ);
    assert_eq!(get(&site, &clara, "/documents/1")["title"], "Geheimsache");
    assert_eq!(
        call(Method::Patch, "/users/clara", json!({ "mailboxes": [{ "definition": "x", "mailbox": "y" }] })).status,
        400
    );
    assert_eq!(get(&site, &clara, "/tokens")["tokens"].as_array().unwrap().len(), 1);
    assert_eq!(get(&site, &token, "/tokens")["tokens"].as_array().unwrap().len(), 2);
    let foreign = tokens::id(&token).unwrap();
    assert_eq!(status(&site, &clara, Method::Delete, &format!("/tokens/{foreign}"), &Value::Null), 404);

    assert_eq!(call(Method::Patch, "/administration", json!({ "name": "Neu AG", "dns_name": "x" })).status, 400);
    assert_eq!(call(Method::Patch, "/administration", json!({ "is_public": true })).status, 400);
    let changed = call(Method::Patch, "/administration", json!({ "name": "Neu AG", "publishing": "note" })).json();
    assert_eq!((&changed["settings"]["name"], &changed["settings"]["publishing"]), (&json!("Neu AG"), &json!("note")));
    assert_eq!(call(Method::Patch, "/administration", json!({ "publishing": "other:Erfunden" })).status, 400);
    assert_eq!(call(Method::Patch, "/system", json!({ "time_zone": "Mond" })).status, 400);
    assert_eq!(call(Method::Patch, "/system", json!({ "time_zone": "UTC" })).status, 204);
    let system = get(&site, &token, "/system");
    assert_eq!((&system["time_zone"], &system["documents"], &system["box"]), (&json!("UTC"), &json!(1), &Value::Null));
    assert_eq!(call(Method::Post, "/system/restart", Value::Null).status, 404, "there is no box");
}

#[test]
fn figures_are_for_whom_an_administrator_lets() {
    let site = stage();
    let chefin = site.api_token("chefin", Rights { metrics: true, ..NONE });
    site.call(&site.api_token("chefin", ALL), Method::Post, "/definitions", &imap("büro"));
    let ask = |token: Option<&str>| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        site.get_with(None, "/metrics", &headers)
    };
    assert_eq!(ask(None).status, 401, "off by default");
    assert_eq!(ask(Some(&site.api_token("chefin", READ))).status, 403);
    assert_eq!(ask(Some(&site.api_token("anna", ALL))).status, 403);
    let answer = ask(Some(&chefin));
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    let text = answer.text();
    for line in [
        "archivista_documents 1",
        "archivista_definition_active{definition=\"büro\"} 1",
        "archivista_mails_unexplained{definition=\"büro\"} 0",
        "# TYPE archivista_disk_free_bytes gauge",
        "# TYPE archivista_resident_memory_bytes gauge",
        "# TYPE archivista_start_time_seconds gauge",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}: {text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("archivista_") && value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(!text.contains("Geheimsache") && !text.contains("anna"));
    // All requests of a site come from 192.0.2.7.
    let cookie = site.session("chefin");
    assert_eq!(site.post(&cookie, "/admin/metrics", &[("networks", "198.51.100.0/24")]).status, 303);
    assert_eq!(ask(None).status, 401);
    assert_eq!(site.post(&cookie, "/admin/metrics", &[("networks", "198.51.100.0/24, 192.0.2.0/28")]).status, 303);
    assert_eq!(ask(None).status, 200);
    // The same by a program.
    let all = site.api_token("chefin", ALL);
    assert_eq!(get(&site, &all, "/monitoring")["networks"], json!(["198.51.100.0/24", "192.0.2.0/28"]));
    let set = |networks: Value| site.call(&all, Method::Patch, "/monitoring", &json!({ "networks": networks })).status;
    assert_eq!((set(json!(["192.0.2.0/33"])), ask(None).status), (400, 200));
    assert_eq!((set(json!([])), ask(None).status), (200, 401));
}

/// A program that asks with an ended token again and again, and a person at the same address.
#[test]
fn a_wrong_token_keeps_nobody_from_logging_in() {
    let site = stage();
    let statuses: Vec<u16> =
        (0..20).map(|_| site.call("archivista_x", Method::Get, "/token", &Value::Null).status).collect();
    assert_eq!((statuses.first(), statuses.last()), (Some(&401), Some(&429)));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let login = site.ask(Method::Post, None, "/login", &form, b"user=nobody&password=falsch".to_vec());
    assert_eq!(login.status, 403, "{}", login.text());
}

#[test]
fn a_body_that_would_take_much_memory_is_refused() {
    let site = stage();
    let token = site.api_token("anna", ALL);
    let many: Vec<Value> = (0..20_000).map(|_| json!({})).collect();
    assert_eq!(status(&site, &token, Method::Patch, "/documents/1", &json!({ "note": many })), 413);
    let long = "x".repeat(300_000);
    assert_eq!(status(&site, &token, Method::Patch, "/documents/1", &json!({ "note": long })), 413);
}

/// An administrator without the right to read gets to no mail by a token in somebody else's name.
#[test]
fn nobody_reads_by_a_token_for_somebody_else() {
    let site = stage();
    let cookie = site.session("chefin");
    let reads_all = |reads_all| {
        let chefin = users::user(&site.web.archive, "chefin").unwrap().unwrap();
        users::put_user(&site.web.archive, &User { reads_all, ..chefin }, "test").unwrap();
    };
    reads_all(false);
    let wish = |right| [("name", "Scanner"), ("owner", "anna"), (right, "1"), ("ends", "2035-12-31")];
    for right in ["read", "change"] {
        let answer = site.post(&cookie, "/admin/tokens", &wish(right));
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("in the name of another user only if you, too, may read all documents"));
    }
    // Her own token gives what she herself may.
    let own = [("name", "Scanner"), ("owner", "chefin"), ("read", "1"), ("ends", "2035-12-31")];
    assert_eq!(site.post(&cookie, "/admin/tokens", &own).status, 200);
    reads_all(true);
    assert_eq!(site.post(&cookie, "/admin/tokens", &wish("read")).status, 200);
    let anna = site.session("anna");
    assert!(site.get(Some(&anna), "/account/tokens").text().contains("(made by chefin)"));
}

/// A token for somebody else counts as long as whoever made it could make it now.
#[test]
fn a_token_for_another_ends_with_its_maker() {
    let site = stage();
    let archive = &site.web.archive;
    site.user("gone", Role::Administrator, &[]);
    let cookie = site.session("gone");
    let wish = [("name", "Scanner"), ("owner", "anna"), ("read", "1"), ("ends", "2035-12-31")];
    let made = site.post(&cookie, "/admin/tokens", &wish);
    let token = format!("archivista_{}", made.between("archivista_", "<").unwrap());
    let counts = || status(&site, &token, Method::Get, "/documents", &Value::Null) == 200;
    assert!(counts());
    let document = get(&site, &token, "/documents")["documents"][0]["number"].as_u64().unwrap();
    get(&site, &token, &format!("/documents/{document}"));
    let id = tokens::id(&token).unwrap();
    let who = format!("anna (API {id}, gone)");
    assert!(site.journal().iter().any(|event| event.who == who), "the journal tells who made the token");
    let maker = users::user(archive, "gone").unwrap().unwrap();
    let chefin = site.session("chefin");
    for changed in [
        User { role: Role::User, ..maker.clone() },
        User { inactive: true, ..maker.clone() },
        User { reads_all: false, ..maker.clone() },
        User { created: maker.created + 1, ..maker.clone() },
    ] {
        users::put_user(archive, &changed, "test").unwrap();
        assert!(!counts(), "{changed:?}");
        assert!(site.get(Some(&chefin), "/admin/tokens").text().contains("does not count: who made it"));
        users::put_user(archive, &maker, "test").unwrap();
        assert!(counts());
    }
    assert!(site.get(Some(&chefin), "/admin/users/gone").text().contains("also those that it made for others"));
    assert_eq!(site.post(&chefin, "/admin/users/gone/delete", &[]).status, 303);
    assert!(!counts() && tokens::token(archive, id).unwrap().is_none());
}

#[test]
fn an_administrator_makes_tokens_for_others_and_mistakes_are_told() {
    let site = stage();
    let cookie = site.session("chefin");
    let good = [("name", "Scanner"), ("owner", "anna"), ("read", "1"), ("ends", "2035-12-31")];
    let made = site.post(&cookie, "/admin/tokens", &good);
    assert_eq!(made.status, 200);
    let token = format!("archivista_{}", made.between("archivista_", "<").unwrap());
    assert_eq!(get(&site, &token, "/token")["user"], "anna");
    for (name, value) in
        [("name", ""), ("owner", "nobody"), ("read", ""), ("ends", "2001-01-01"), ("ends", "2999-01-01")]
    {
        let fields: Vec<(&str, &str)> =
            good.iter().map(|(key, old)| (*key, if *key == name { value } else { *old })).collect();
        let answer = site.post(&cookie, "/admin/tokens", &fields);
        assert_eq!(answer.status, 400, "{name}={value}");
        assert!(!answer.text().contains("archivista_"), "{name}={value}");
    }
    // Nobody revokes what is another's.
    let id = tokens::id(&token).unwrap();
    let beat = site.session("beat");
    assert_eq!(site.post(&beat, &format!("/account/tokens/{id}/revoke"), &[]).status, 404);
    assert!(!site.get(Some(&beat), "/account/tokens").text().contains("Scanner"));
    assert_eq!(site.post(&cookie, &format!("/admin/tokens/{id}/revoke"), &[]).status, 303);
    assert_eq!(status(&site, &token, Method::Get, "/token", &Value::Null), 401);
}
