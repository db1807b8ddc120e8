//! Promise: somebody who sets up the box for the first time is led from the setup code to the first copied link, and each wrong
//! value on the way gets its sentence before anything is stored.

use std::fs;

use serde_json::json;

use crate::support::administering::{Administering, with};
use crate::support::archivista::Archivista;
use crate::support::browser::flow;
use crate::support::dovecot::{Dovecot, PASSWORD, Setup, USER};
use crate::support::mails;
use crate::support::serving::Serving;
use crate::support::tenant::{CLIENT, SECRET, TENANT, Tenant, tiny};

const ANNA: &str = "anna@example.ch";

#[test]
fn from_the_setup_code_to_the_first_copied_link() {
    let tenant = Tenant::start(
        &[(ANNA, tiny(ANNA, 9))],
        // What was forgotten at first is named by the test.
        simulator::Config { permissions: ["User.Read.All".to_owned()].into(), ..simulator::Config::default() },
    );
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let more = json!({
        "language": "de-CH",
        "setup_code": serving.setup_code,
        "simulator": tenant.simulator.url(),
        "authority": tenant.ca_file(),
        "tenant": TENANT,
        "client": CLIENT,
        "secret": SECRET,
        "mailbox": ANNA,
    });
    flow("assistant", &serving.origin(), &more);
    assert_eq!(archivista.list().len(), 9);
}

/// The script asks; it is told what the page would say.
#[test]
fn values_are_checked_while_they_are_typed() {
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[]);
    let cases = [
        ("tenant", "muster.onmicrosoft.com", ""),
        ("tenant", "48d31887-5fad-4d73-a9f5-3c356e68a038", ""),
        ("tenant", "anna@muster.ch", "Give only muster.ch"),
        ("tenant", "https://muster.ch", "Give the directory (tenant) ID"),
        ("tenant", "Muster AG", "Give the directory (tenant) ID"),
        ("client_id", CLIENT, ""),
        ("client_id", "Archivista Box", "This is no application ID"),
        ("client_secret", SECRET, ""),
        ("client_secret", "48d31887-5fad-4d73-a9f5-3c356e68a038", "This is the ID of a secret, not its value."),
        ("client_secret", "x8Q******************", "masked value"),
        ("client_secret", "x8Q~ abc", "There are spaces in the secret"),
        ("mailboxes", "anna@muster.ch\r\nbeat@muster.ch\r\n", ""),
        ("mailboxes", "anna@muster.ch\r\nBeat", "is no address"),
        ("address", "anna@muster.ch", ""),
        ("address", "anna", "This is no mail address"),
        ("server", "imap://x", "without imap:// in front"),
        ("unknown", "x", ""),
        ("tenant", "", ""),
    ];
    for (field, value, said) in cases {
        let answer = admin.post("/admin/assistant/check", &[("field", field), ("value", value)]);
        assert_eq!(answer.status, 200);
        let wrong = answer.json()["wrong"].as_str().unwrap().to_owned();
        assert_eq!(wrong.is_empty(), said.is_empty(), "{field} {value:?}: {wrong}");
        assert!(wrong.contains(said), "{field} {value:?}: {wrong}");
    }
    let known = admin.post("/admin/assistant/check", &[("field", "address"), ("value", "anna@gmx.ch")]).json();
    assert_eq!(known["set"], json!({ "server": "imap.gmx.net", "port": "993", "encryption": "tls" }));
    assert!(known["says"].as_str().unwrap().contains("At GMX IMAP has to be switched on first"), "{known}");
    let google = admin.post("/admin/assistant/check", &[("field", "address"), ("value", "anna@gmail.com")]).json();
    assert!(google["says"].as_str().unwrap().contains("takes only an app password"), "{google}");
}

/// An address and a password are enough where the server is known; where it is not, the page asks for it.
#[test]
fn an_address_and_a_password_are_enough() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mails::tiny("1@x", "Eins"));
    let authority = fs::read_to_string(dovecot.ca_file()).unwrap();
    let port = dovecot.tls_port().to_string();
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[PASSWORD, "falsch"]);
    // A known provider: stored with all that is needed, and tested. Nothing is reached from here, and that is said too.
    let sent = |admin: &mut Administering, fields: &[(&str, &str)]| admin.post("/admin/assistant/other", fields);
    for (fields, said) in [
        (vec![], "This is no mail address."),
        (vec![("address", "anna@gmx.ch")], "The password is missing."),
        (vec![("address", "anna@muster.ch"), ("password", "x")], "The box knows no mail server for muster.ch."),
        (vec![("address", "anna@muster.ch"), ("password", "x"), ("provider", "all-inkl")], "At all-inkl each customer"),
        (vec![("address", "anna@muster.ch"), ("password", "x"), ("server", "imap://y")], "without imap:// in front"),
        (vec![("address", "anna@gmx.ch"), ("password", "x"), ("port", "0")], "Give 1 to 65535"),
    ] {
        let answer = sent(&mut admin, &fields);
        assert!(answer.status == 400 && answer.text().contains(said), "{said}: {}", answer.text());
    }
    assert!(admin.page("/admin/sources").contains("Nothing is set up yet."), "nothing is stored before it is right");

    let good = [
        ("address", USER),
        ("password", PASSWORD),
        ("server", "localhost"),
        ("port", port.as_str()),
        ("encryption", "tls"),
        ("ca_file", authority.as_str()),
    ];
    let first = admin.done("/admin/assistant/other", &with(&good, "password", "falsch"));
    assert_eq!(first, "/admin/assistant/first/test%40mymail.ch");
    let page = admin.when(&first, |answer| answer.text().contains("The test has found errors."));
    assert!(page.contains("refused the login") && page.contains("Change values"), "{page}");
    assert!(admin.page("/admin/sources").contains("Inactive</span>"), "what failed its test fetches nothing");
    // Corrected on the same page, by the same name.
    let again = [good.as_slice(), &[("of", USER)]].concat();
    assert!(admin.page("/admin/assistant/other?of=test%40mymail.ch").contains("value=\"localhost\""));
    assert_eq!(admin.done("/admin/assistant/other", &again), first);
    let page = admin.when(&first, |answer| answer.text().contains("The first run has ended."));
    assert!(page.contains("<dd>1</dd>") && page.contains("Look at them in WebDMS"), "{page}");
    assert_eq!(archivista.list().len(), 1);
}

/// Twenty mailboxes of two servers, pasted from a table.
#[test]
fn a_pasted_list_is_shown_before_it_is_stored() {
    let names: Vec<String> = (1..=20).map(|number| format!("u{number}@mymail.ch")).collect();
    let dovecot = Dovecot::start_with(&Setup { users: names.clone(), ..Setup::default() });
    for name in &names {
        dovecot.deliver(name, "INBOX", &mails::tiny(&format!("1.{name}"), "Eins"));
    }
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[PASSWORD]);
    let line = |name: &String| format!("{name};{PASSWORD};127.0.0.1;{};keine\r\n", dovecot.port());
    let list: String = names.iter().map(line).collect();
    let head = "Adresse;Passwort;Server;Port;Verschlüsselung\r\n";

    let bad = format!("{head}{list}u1@mymail.ch;{PASSWORD}\r\nohne\r\n");
    let answer = admin.post("/admin/assistant/list", &[("list", &bad)]);
    let text = answer.text();
    assert_eq!(answer.status, 400);
    for part in
        ["Lines with mistakes: 2.", "This address stands in line 2 already.", "There is no mail address", "In order"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let answer = admin.post("/admin/assistant/list", &[("list", "\r\n")]);
    assert!(answer.status == 400 && answer.text().contains("There is no mailbox in it."));
    assert!(admin.page("/admin/sources").contains("Nothing is set up yet."), "nothing is stored before it is right");

    let page = admin.post("/admin/assistant/list", &[("list", &format!("{head}{list}"))]);
    let text = page.text();
    assert!(page.status == 200 && text.contains("Mailboxes: 20.") && text.matches("In order").count() == 20, "{text}");
    let id = text.split_once("name=\"stored\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    assert!(admin.page("/admin/sources").contains("Nothing is set up yet."), "nothing is stored before a yes");
    let first = admin.done("/admin/assistant/list", &[("stored", &id)]);
    assert_eq!(first, "/admin/assistant/first/127.0.0.1");
    admin.when(&first, |answer| answer.text().contains("The first run has ended."));
    assert_eq!(archivista.list().len(), 20);
    // A list waits once.
    let answer = admin.post("/admin/assistant/list", &[("stored", &id)]);
    assert!(answer.status == 400 && answer.text().contains("This list waits no longer."));
}
