//! Promise: a mail returns to the mailbox that it came from, byte for byte, with its flags and its date where the server takes
//! them, and the archive knows it again. Who may not read that mailbox or change anything plays nothing back; what goes wrong
//! is said in plain words.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::archivista::{Archivista, Counts};
use crate::support::browser::flow;
use crate::support::definition::Definition;
use crate::support::dovecot::{Delivery, Dovecot, PASSWORD, Setup, USER};
use crate::support::hash::sha256;
use crate::support::https::{Answer, Https};
use crate::support::mails::tiny;
use crate::support::serving::{ADMINISTRATOR, Serving};
use crate::support::tenant::{Folders, Tenant};

const RECEIVED: u64 = 1_600_000_000;

/// The page of a run, when it has ended.
fn ended(browser: &mut Https, answer: &Answer) -> Answer {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = answer.header("location").unwrap().to_owned();
    assert!(page.starts_with("/restores/"), "{page}");
    for _ in 0..600 {
        let answer = browser.get(&page);
        assert_eq!(answer.status, 200, "{}", answer.text());
        if answer.header("refresh").is_none() {
            return answer;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("it does not end");
}

/// Plays document 1 back with a click, and returns what the page says in the end.
pub fn play_back(browser: &mut Https) -> String {
    let page = browser.get("/documents/1/restore");
    assert_eq!(page.status, 200, "{}", page.text());
    let into =
        page.text().split("name=\"into\" value=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let csrf = page.csrf();
    let mut fields = vec![("csrf", csrf.as_str())];
    let into = into.map(|into| into.replace('\n', "\r\n"));
    fields.extend(into.as_deref().map(|into| ("into", into)));
    let answer = browser.post("/documents/1/restore", &fields);
    ended(browser, &answer).text()
}

fn mail() -> Vec<u8> {
    tiny("1@example.ch", "Offerte Dachsanierung")
}

/// A mailbox with one archived mail, seen and answered.
fn archived(dovecot: &Dovecot, change: impl Fn(Definition) -> Definition) -> Archivista {
    dovecot.deliver_as(USER, "INBOX", &mail(), &Delivery { received: Some(RECEIVED), flags: "RS" });
    let archivista = Archivista::new();
    archivista.define(&change(Definition::of(dovecot, "büro")));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista
}

#[test]
fn a_switched_off_definition_still_plays_back_with_flags_and_date() {
    let dovecot = Dovecot::start();
    let archivista = archived(&dovecot, |definition| definition);
    let before = dovecot.messages(USER, "INBOX").remove(0);
    archivista
        .define(&Definition::of(&dovecot, "büro").with("inactive", true).with("play_back_folder", "Zurück/Küsnacht"));
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let told = play_back(&mut browser);
    assert!(told.contains("The mail is played back.") && told.contains("folder Zurück/Küsnacht"), "{told}");
    let after = dovecot.messages(USER, "Zurück/Küsnacht");
    assert_eq!(after.len(), 1, "the folder is made");
    let told = |message: &crate::support::dovecot::Message| {
        let mut flags = message.flags.clone();
        flags.sort();
        (message.bytes.clone(), flags, message.internal_date.clone())
    };
    assert_eq!(told(&after[0]), told(&before));
    // Sent twice by a double click it comes back once.
    let told = play_back(&mut browser);
    assert!(told.contains("The mail is played back."), "{told}");
    assert_eq!(dovecot.messages(USER, "Zurück/Küsnacht").len(), 1);
    let proof = browser.get("/documents/1/proof").text();
    assert!(proof.contains("played back into the mailbox"), "{proof}");
    drop(serving);

    // Met again it is the same document, seen in one more place.
    archivista.define(&Definition::of(&dovecot, "büro"));
    assert_eq!(archivista.fetch_counts(), Counts::same(1));
    assert_eq!(archivista.list().len(), 1);
    assert_eq!(archivista.list()[0]["occurrences"].as_array().unwrap().len(), 2);
    archivista.verify();
}

#[test]
fn what_came_back_is_not_deleted_again() {
    let dovecot = Dovecot::start();
    let archivista = archived(&dovecot, |definition| definition.with("after", "delete"));
    assert!(dovecot.messages(USER, "INBOX").is_empty());
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let told = play_back(&mut browser);
    assert!(told.contains("folder Archivista"), "{told}");
    drop(serving);
    assert_eq!(archivista.fetch_counts(), Counts::same(1));
    assert_eq!(archivista.fetch_counts(), Counts::default());
    assert_eq!(dovecot.messages(USER, "Archivista").len(), 1);
    // A folder in which mails are deleted is none to play back to.
    let file = archivista.beside("falsch.toml");
    let wrong = Definition::of(&dovecot, "büro").with("after", "delete").with("play_back_folder", "INBOX");
    std::fs::write(&file, wrong.toml()).unwrap();
    let told = archivista.run(&["source", "add", file.to_str().unwrap()]);
    assert!(told.code != Some(0) && told.stderr.contains("play_back_folder"), "{told:?}");
}

#[test]
fn what_goes_wrong_is_said_in_plain_words() {
    let quota = "mail_plugins = $mail_plugins quota\nprotocol imap {\n  mail_plugins = $mail_plugins imap_quota\n}\n\
        plugin {\n  quota = maildir:User quota\n  quota_rule = *:messages=1\n}\n";
    let full = Dovecot::start_with(&Setup { config: quota.into(), ..Setup::default() });
    let archivista = archived(&full, |definition| definition);
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let told = play_back(&mut browser);
    assert!(told.contains("The mailbox is full") && told.contains("Make room in it"), "{told}");
    assert_eq!(full.messages(USER, "INBOX").len(), 1);

    let csrf = browser.get("/account").csrf();
    assert_eq!(browser.post("/account", &[("csrf", &csrf), ("language", "de")]).status, 303);
    let told = play_back(&mut browser);
    assert!(told.contains("Das Postfach ist voll") && told.contains("Schaffen Sie dort Platz"), "{told}");

    for (key, value, words) in [
        ("play_back_folder", "x".repeat(300), "nimmt die Mail im Ordner"),
        ("password", "falsch".into(), "hat die Anmeldung von"),
        ("account", "other@mymail.ch".into(), "gibt es das Konto"),
    ] {
        archivista.define(&Definition::of(&full, "büro").with(key, value));
        let told = play_back(&mut browser);
        assert!(told.contains(words) && told.contains("nicht zurückgespielt: 1"), "{key}: {told}");
    }
    archivista.run(&["source", "remove", "büro"]).succeeded();
    let told = play_back(&mut browser);
    assert!(told.contains("Die Definition «büro»") && told.contains("gibt es nicht mehr"), "{told}");
    assert!(!browser.get("/documents/1/proof").text().contains("zurückgespielt"), "nothing was played back");
}

#[test]
fn microsoft_365_takes_a_mail_back_with_the_permission_only() {
    let address = "anna@example.ch";
    let mails: Folders<'_> = [("Inbox", vec![mail()])].into();
    let tenant = Tenant::with(&[(address, mails)]);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "cloud", "all").with("play_back_folder", "Zurück"));
    archivista.fetch();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    tenant.control(&json!({ "op": "configure", "permissions": ["Mail.Read", "User.Read.All"] }));
    let told = play_back(&mut browser);
    assert!(told.contains("Mail.ReadWrite") && told.contains("Entra"), "{told}");
    tenant.control(&json!({ "op": "configure", "permissions": ["Mail.ReadWrite", "User.Read.All"] }));

    // By the API, as a program does it.
    let csrf = browser.get("/account/tokens").csrf();
    let fields = [("csrf", csrf.as_str()), ("name", "x"), ("read", "1"), ("change", "1"), ("ends", "2035-01-31")];
    let page = browser.post("/account/tokens", &fields).text();
    let token = format!("archivista_{}", page.split_once("archivista_").unwrap().1.split('<').next().unwrap());
    let bearer = format!("Bearer {token}");
    let mut program = serving.visitor();
    let mut call = |method: &str, target: &str, body: &Value| -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let answer = program.ask(method, &format!("/api/v1{target}"), &headers, body.as_bytes());
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    };
    for wrong in [json!({ "numbers": [1], "mailbox": address }), json!({ "numbers": [2] }), json!({ "numbers": [] })] {
        assert_eq!(call("POST", "/restores", &wrong).0, 400, "{wrong}");
    }
    let wanted = json!({ "numbers": [1], "definition": "cloud", "mailbox": address });
    let (status, mut run) = call("POST", "/restores", &wanted);
    assert_eq!(status, 202, "{run}");
    let id = run["id"].as_str().unwrap().to_owned();
    while run["is_running"] == true {
        thread::sleep(Duration::from_millis(100));
        run = call("GET", &format!("/restores/{id}"), &Value::Null).1;
    }
    assert_eq!((&run["mails"][0]["state"], &run["mails"][0]["mailbox"]), (&json!("done"), &json!(address)), "{run}");
    assert_eq!(lying(&tenant, address, "Zurück"), [sha256(&mail())]);
    // The same call once more, as a program does that lost the answer.
    assert_eq!(call("POST", "/restores", &wanted).1["id"], id.as_str());
    assert_eq!(lying(&tenant, address, "Zurück").len(), 1);
    drop(serving);
    archivista.fetch();
    assert_eq!(archivista.list().len(), 1, "no second document");
}

/// Check sums of what lies in a folder.
fn lying(tenant: &Tenant, address: &str, folder: &str) -> Vec<String> {
    let messages = tenant.control(&json!({ "op": "messages", "mailbox": address, "sha256": true }));
    let in_folder = messages.as_array().unwrap().iter().filter(|message| message["folder"] == folder);
    in_folder.map(|message| message["sha256"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn microsoft_365_gets_a_mail_once_although_its_gateway_stumbles() {
    let address = "anna@example.ch";
    let mails: Folders<'_> = [("Inbox", vec![mail()])].into();
    let tenant = Tenant::with(&[(address, mails)]);
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "cloud", "all"));
    archivista.fetch();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    tenant.fault("late-gateway:1:always");
    let told = play_back(&mut browser);
    assert!(told.contains("Look in the mailbox whether the mail has arrived"), "{told}");
    assert!(!told.contains("by itself"), "{told}");
    assert_eq!(lying(&tenant, address, "Inbox"), [sha256(&mail()), sha256(&mail())], "what was there, and one more");
}

#[test]
fn a_person_sets_every_field_of_a_definition_and_plays_back_with_real_clicks() {
    let dovecot = Dovecot::start();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let deliver = |folder: &str, number: u32, received: u64| {
        let raw = format!(
            "From: Absender {number} <von{number}@example.ch>\r\nTo: an{number}@example.ch\r\nCc: mit{number}@example.ch\r\n\
             Subject: Brief {number}\r\nMessage-ID: <{number}@example.ch>\r\n\r\nGuten Tag\r\n"
        );
        let delivery = Delivery { received: Some(received), flags: "S" };
        dovecot.deliver_as(USER, folder, raw.as_bytes(), &delivery);
    };
    let old = now - 30 * 86_400;
    deliver("INBOX", 1, old);
    deliver("INBOX", 2, now);
    deliver("Kunden", 3, old);
    deliver("Privat", 4, old);
    deliver("Sonst", 5, old);
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut browser = serving.set_up();
    let csrf = browser.get("/account").csrf();
    assert_eq!(browser.post("/account", &[("csrf", &csrf), ("language", "de")]).status, 303);
    let config = json!({
        "language": "de-CH", "user": ADMINISTRATOR.0, "account": USER, "password": PASSWORD,
        "port": dovecot.port(), "tls_port": dovecot.tls_port(), "authority": dovecot.ca_file(),
    });
    flow("definition", &serving.origin(), &config);
    let there = |folder: &str| dovecot.messages(USER, folder).len();
    // Of the inbox the old one was moved; the others are left out, or of no folder that was named.
    assert_eq!((there("INBOX"), there("Kunden"), there("Privat"), there("Sonst")), (1, 0, 1, 1));
    assert_eq!((there("Archiviert"), there("Zurück")), (2, 1));
}
