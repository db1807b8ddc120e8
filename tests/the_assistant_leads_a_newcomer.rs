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

/// What was mistyped is corrected on the same page: what the address tells follows it.
#[test]
fn a_mistyped_address_is_corrected_and_no_mailbox_is_set_up_twice() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mails::tiny("1@x", "Eins"));
    let port = dovecot.port().to_string();
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[PASSWORD]);
    let good = [
        ("address", USER),
        ("password", PASSWORD),
        ("server", "127.0.0.1"),
        ("port", port.as_str()),
        ("encryption", "none"),
    ];
    let first = admin.done("/admin/assistant/other", &with(&good, "address", "tset@mymail.ch"));
    admin.when(&first, |answer| answer.text().contains("The test has found errors."));
    // Never begun is nothing to be calm about.
    let overview = admin.page("/admin");
    assert!(overview.contains("nothing is archived from here") && overview.contains("Test and begin"), "{overview}");
    let form = admin.page("/admin/assistant/other?of=tset%40mymail.ch");
    let field = |name: &str| {
        let input = form.split("<input").find(|input| input.contains(&format!("name=\"{name}\""))).unwrap();
        input.split("value=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!((field("address").as_str(), field("account").as_str()), ("tset@mymail.ch", ""));
    assert_eq!(field("server"), "127.0.0.1");
    // The old address is another account: its password goes to nobody else.
    let of = ("of", "tset@mymail.ch");
    let again: Vec<(&str, &str)> = with(&good, "password", "").into_iter().chain([of]).collect();
    let answer = admin.post("/admin/assistant/other", &again);
    assert!(answer.status == 400 && answer.text().contains("The password is missing."), "{}", answer.text());
    let again = [good.as_slice(), &[of]].concat();
    assert_eq!(admin.done("/admin/assistant/other", &again), first);
    admin.when(&first, |answer| answer.text().contains("The first run has ended."));
    assert_eq!(archivista.list().len(), 1);

    // The same mailbox once more: refused, and where it is said.
    let answer = admin.post("/admin/assistant/other", &good);
    let said = "The definition &quot;tset@mymail.ch&quot; archives this mailbox already.";
    assert!(answer.status == 400 && answer.text().contains(said), "{}", answer.text());
    let list = format!("{USER};{PASSWORD};127.0.0.1;{port};keine\r\n");
    let answer = admin.post("/admin/assistant/list", &[("list", &list)]);
    assert!(answer.status == 400 && answer.text().contains(said), "{}", answer.text());
    // What has ended archives nothing any more.
    admin.done("/admin/sources/tset%40mymail.ch/end", &[("ended", "1")]);
    let page = admin.page(&first);
    assert!(page.contains("Ended: nothing is fetched any more."), "{page}");
    admin.done(&first, &[("do", "start")]);
    assert!(admin.get(&first).header("refresh").is_none(), "it waits for nothing");
    assert_eq!(admin.post("/admin/assistant/list", &[("list", &list)]).status, 200);
}

/// A test of its own starts nothing: what passed it waits for a person.
#[test]
fn what_was_only_tested_is_begun_by_a_button() {
    let dovecot = Dovecot::start();
    dovecot.deliver(USER, "INBOX", &mails::tiny("1@x", "Eins"));
    let port = dovecot.port().to_string();
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[PASSWORD]);
    let fields = [
        ("name", "anna"),
        ("server", "127.0.0.1"),
        ("port", port.as_str()),
        ("encryption", "none"),
        ("account", USER),
        ("password", PASSWORD),
        ("inactive", "1"),
        ("then", "test"),
    ];
    let test = admin.done("/admin/new/imap", &fields);
    admin.ended(&test);
    let first = "/admin/assistant/first/anna";
    let page = admin.page(first);
    assert!(page.contains("The test has passed; nothing is archived yet.") && page.contains(">Begin<"), "{page}");
    admin.done(first, &[("do", "start")]);
    admin.when(first, |answer| answer.text().contains("The first run has ended."));
    assert_eq!(archivista.list().len(), 1);
}

/// Twenty mailboxes of two servers, pasted from a table: three definitions, of which none is left behind.
#[test]
fn a_pasted_list_is_shown_before_it_is_stored() {
    let names: Vec<String> = (1..=20).map(|number| format!("u{number}@mymail.ch")).collect();
    let servers = [(); 2].map(|()| Dovecot::start_with(&Setup { users: names.clone(), ..Setup::default() }));
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[PASSWORD]);
    let mut list = String::new();
    for (place, name) in names.iter().enumerate() {
        let (dovecot, host) =
            [(&servers[0], "127.0.0.1"), (&servers[1], "127.0.0.1"), (&servers[1], "localhost")][place % 3];
        dovecot.deliver(name, "INBOX", &mails::tiny(&format!("1.{name}"), "Eins"));
        list += &format!("{name};{PASSWORD};{host};{};keine\r\n", dovecot.port());
    }
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
    assert_eq!(first, "/admin/sources");
    let notice = admin.page(&first);
    assert!(notice.contains("Definitions: 3, one for each mail server."), "{notice}");
    for name in ["127.0.0.1", "127.0.0.1%202", "localhost"] {
        let first = format!("/admin/assistant/first/{name}");
        admin.when(&first, |answer| answer.text().contains("The first run has ended."));
    }
    assert_eq!(archivista.list().len(), 20);
    let sources = admin.page("/admin/sources");
    assert!(!sources.contains("Inactive</span>") && !sources.contains("Test and begin"), "{sources}");
    // Of a list that does not pass, what stays inactive is seen, and begun from where it is seen.
    let list = format!(
        "anna@mymail.ch;falsch;127.0.0.1;{};keine\r\nbeat@mymail.ch;falsch;localhost;{};keine\r\n",
        servers[0].port(),
        servers[0].port()
    );
    let page = admin.post("/admin/assistant/list", &[("list", &list)]).text();
    let other = page.split_once("name=\"stored\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    admin.done("/admin/assistant/list", &[("stored", &other)]);
    for name in ["127.0.0.1%203", "localhost%202"] {
        let first = format!("/admin/assistant/first/{name}");
        admin.when(&first, |answer| answer.text().contains("The test has found errors."));
        assert!(admin.page("/admin/sources").contains(&format!("href=\"{first}\"")), "{name}");
    }
    assert!(admin.page("/admin").contains("nothing is archived from here"));
    // A list waits once.
    let answer = admin.post("/admin/assistant/list", &[("stored", &id)]);
    assert!(answer.status == 400 && answer.text().contains("This list waits no longer."));
}
