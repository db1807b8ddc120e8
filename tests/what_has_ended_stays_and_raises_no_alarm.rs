//! Promise: a definition that has ended fetches nothing any more and is no trouble, whatever was wrong with it; what it archived
//! stays for good and is found, its owner can be changed, and it is taken up again only where somebody confirms that.

use crate::support::administering::Administering;
use crate::support::archivista::{Archivista, Counts};
use crate::support::definition::Definition;
use crate::support::dovecot::{Dovecot, USER};
use crate::support::web::Site;
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::settings::{self, definition_file};
use archivista::web::request::Method;
use serde_json::{Value, json};

const MAIL: &[u8] = b"From: a@example.ch\r\nSubject: Abschied\r\n\r\nhello\r\n";
const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };

#[test]
fn the_verbs_end_a_definition_and_take_it_up_again() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", MAIL);
    let archivista = Archivista::new();
    let definition = Definition::of(&dovecot, "muster");
    archivista.define(&definition);
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    // The mailbox is closed: each run fails.
    archivista.define(&definition.clone().with("password", "falsch"));
    archivista.run(&["fetch"]).ended_with(1);
    archivista.run(&["status"]).ended_with(1);
    archivista.run(&["source", "end", "muster"]).succeeded();
    // No run, no trouble, and nothing is lost.
    let fetched = archivista.run(&["fetch"]).succeeded();
    assert!(fetched.stderr.contains("muster: ended, left alone."), "{}", fetched.stderr);
    let status = archivista.run(&["status", "--json"]).succeeded().json_lines().remove(0);
    assert_eq!(status["definitions"][0]["ended"], true, "{status}");
    assert_eq!(status["definitions"][0]["folders"][0]["archived"], 1, "{status}");
    assert!(archivista.run(&["status"]).succeeded().stdout.contains("muster (ended)"));
    assert_eq!(archivista.run(&["source", "list", "--json"]).json_lines()[0]["ended"], true);
    assert!(archivista.run(&["source", "list"]).succeeded().stdout.contains("leave, ended"));
    assert_eq!(archivista.list()[0]["title"], "Abschied");
    // A changed file is no confirmation.
    archivista.define(&definition.with("owner", "nachfolger"));
    let list = archivista.run(&["source", "list", "--json"]).json_lines();
    assert_eq!((&list[0]["ended"], &list[0]["owner"]), (&json!(true), &json!("nachfolger")));
    archivista.run(&["source", "resume", "muster"]).ended_with(2);
    archivista.run(&["source", "resume", "niemand", "--sure"]).ended_with(1);
    archivista.run(&["source", "resume", "muster", "--sure"]).succeeded();
    dovecot.deliver(USER, "INBOX", b"Subject: Wieder da\r\n\r\nhello\r\n");
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
}

#[test]
fn the_pages_show_it_apart_and_ask_before_it_goes_on() {
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &["geheim"]);
    let define = |name: &'static str| {
        vec![
            ("name", name),
            ("server", "127.0.0.1"),
            ("port", "9"),
            ("account", "a@example.ch"),
            ("password", "geheim"),
        ]
    };
    admin.done("/admin/new/imap", &define("muster"));
    let path = "/admin/sources/muster";
    admin.done(&format!("{path}/run"), &[]);
    admin.when(path, |answer| answer.text().contains("Trouble") && answer.header("refresh").is_none());
    assert!(!admin.page("/admin").contains("All definitions have ended."));
    let ask = admin.page(&format!("{path}/end"));
    assert!(
        ask.contains("When somebody leaves the company") && ask.contains("reads all that this definition archives")
    );
    let wrong = admin.post(&format!("{path}/end"), &[("ended", "1"), ("owner", "niemand")]);
    assert!(wrong.status == 400 && wrong.text().contains("neither a user nor a group"), "{}", wrong.text());
    admin.done(&format!("{path}/end"), &[("ended", "1"), ("owner", "anna")]);
    let page = admin.page(path);
    assert!(page.contains("Ended: nothing is fetched any more.") && page.contains("Take up again"), "{page}");
    assert!(!page.contains("Run now") && !page.contains("Make inactive") && !page.contains("note bad"), "{page}");
    let list = admin.page("/admin/sources");
    let (active, ended) = list.split_once("Ended definitions").expect("a list of its own");
    assert!(!active.contains("muster") && ended.contains("muster") && ended.contains("anna"), "{list}");
    let overview = admin.page("/admin");
    assert!(overview.contains("All definitions have ended.") && !overview.contains("note bad"), "{overview}");
    assert_eq!(admin.done(&format!("{path}/run"), &[]), path);
    assert!(admin.page(path).contains("The definition has ended; nothing is fetched."));
    // Saving its settings does not take it up again, nor does switching it on.
    let mut edited = define("muster");
    edited.extend([("interval_minutes", "7"), ("owner", "anna")]);
    admin.done(&format!("{path}/edit"), &edited);
    admin.done(&format!("{path}/inactive"), &[]);
    assert!(admin.page(path).contains("Take up again"));
    admin.done(&format!("{path}/owner"), &[("owner", "")]);
    assert!(admin.page("/admin/sources").contains("nobody"));
    let unsure = admin.post(&format!("{path}/end"), &[]);
    assert!(unsure.status == 400 && unsure.text().contains("Tick the box to confirm."), "{}", unsure.text());
    admin.done(&format!("{path}/end"), &[("sure", "1")]);
    let page = admin.page(path);
    assert!(page.contains("Run now") && page.contains("End the definition"), "{page}");
    assert!(!admin.page("/admin/sources").contains("Ended definitions"));
}

#[test]
fn api_and_figures_know_it() {
    let site = Site::new();
    let file = site.data().with_file_name("company.toml");
    let text =
        "name = 'company'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = 9\naccount = 'anna'\npassword = 'geheim'\n";
    std::fs::write(&file, text).unwrap();
    settings::put(&site.web.archive, &definition_file::read(&file).unwrap(), "test").unwrap();
    site.user("anna", Role::User, &[]);
    site.user("chefin", Role::Administrator, &[]);
    let number = site.mail("anna", MAIL, 1);
    let token = site.api_token("chefin", ALL);
    let call = |method, path: &str, body: Value| site.call(&token, method, path, &body);
    let figures = || {
        let bearer = format!("Bearer {token}");
        site.get_with(None, "/metrics", &[("authorization", &bearer)]).text()
    };
    assert!(figures().contains("archivista_mails_unexplained{definition=\"company\"}"));
    let wrong = call(Method::Post, "/definitions/company/end", json!({ "owner": "niemand" }));
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["at"]), (400, &json!("/owner")), "{}", wrong.text());
    let ended = call(Method::Post, "/definitions/company/end", json!({ "owner": "anna" }));
    assert_eq!(ended.status, 200, "{}", ended.text());
    let ended = ended.json();
    assert_eq!((&ended["ended"], &ended["state"]["mood"]), (&json!(true), &json!("ended")));
    assert_eq!((&ended["settings"]["owner"], &ended["state"]["next_run"]), (&json!("anna"), &json!(null)));
    assert_eq!(call(Method::Post, "/definitions/company/runs", json!({})).status, 409);
    assert_eq!(call(Method::Patch, "/definitions/company", json!({ "min_age_days": 3 })).json()["ended"], true);
    let text = figures();
    for line in ["definition_ended{definition=\"company\"} 1", "definition_active{definition=\"company\"} 0"] {
        assert!(text.contains(&format!("archivista_{line}\n")), "{text}");
    }
    assert!(!text.contains("mails_unexplained{") && !text.contains("mails_failed{"), "{text}");
    // Whoever it belongs to reads it for good.
    let anna = site.session("anna");
    assert_eq!(site.get(Some(&anna), &format!("/documents/{number}")).status, 200);
    assert_eq!(call(Method::Post, "/definitions/company/resume", json!({ "sure": false })).status, 400);
    let resumed = call(Method::Post, "/definitions/company/resume", json!({ "sure": true }));
    assert_eq!((resumed.status, &resumed.json()["ended"]), (200, &json!(false)));
    assert_eq!(call(Method::Post, "/definitions/niemand/end", json!({})).status, 404);
}
