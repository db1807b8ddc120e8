//! Promise: an administrator sets up sources in the browser. Every mistake is told beside its field in the language of the
//! reader, no page ever shows a secret, and what is set up is tested, archived and counted as it should be.

use std::fs;

use crate::support::administering::{Administering, with};
use crate::support::archivista::Archivista;
use crate::support::mails;
use crate::support::serving::Serving;
use crate::support::tenant::{CLIENT, SECRET, TENANT, Tenant, tiny};

const PASSWORD: &str = "streng geheimes Passwort";
const ANNA: &str = "anna@example.ch";
const BEAT: &str = "beat@example.ch";

const IMAP: &[(&str, &str)] = &[
    ("name", "büro"),
    ("server", "imap.example.ch"),
    ("port", "993"),
    ("encryption", "tls"),
    ("account", "a@example.ch"),
    ("password", PASSWORD),
    ("after", "leave"),
    ("interval_minutes", "10080"),
    ("min_age_days", "0"),
    ("inactive", "1"),
];

const O365: &[(&str, &str)] = &[
    ("name", "wolke"),
    ("tenant", TENANT),
    ("client_id", CLIENT),
    ("client_secret", SECRET),
    ("mailboxes", "a@example.ch"),
    ("number_of_mails", "25"),
    ("cloud", "global"),
    ("after", "leave"),
    ("interval_minutes", "10080"),
    ("min_age_days", "0"),
    ("inactive", "1"),
];

/// Field, what is entered there, where the sentence stands, and how it begins in German and English.
type Mistake = (&'static str, &'static str, &'static str, &'static str, &'static str);

const OF_BOTH: &[Mistake] = &[
    ("name", "", "name-help", "Geben Sie 1 bis 64 Buchstaben", "Give 1 to 64 letters"),
    ("name", "a/b", "name-help", "Geben Sie 1 bis 64 Buchstaben", "Give 1 to 64 letters"),
    ("name", "..", "name-help", "Geben Sie 1 bis 64 Buchstaben", "Give 1 to 64 letters"),
    ("ca_file", "kein PEM", "ca_file-help", "Darin steht kein Zertifikat", "It holds no certificate"),
    ("interval_minutes", "0", "interval_minutes-help", "Geben Sie 1 bis 10080", "Give 1 to 10080"),
    ("interval_minutes", "bald", "interval_minutes-help", "Geben Sie 1 bis 10080", "Give 1 to 10080"),
    ("min_age_days", "40000", "min_age_days-help", "Geben Sie 0 (alle) bis 36500", "Give 0 (all) to 36500"),
    ("min_age_days", "-1", "min_age_days-help", "Geben Sie 0 (alle) bis 36500", "Give 0 (all) to 36500"),
    (
        "folders",
        "\"INBOX",
        "folders-help",
        "Ein Anführungszeichen ist nicht geschlossen",
        "A quotation mark is not closed",
    ),
    ("after", "move", "move_to-help", "Geben Sie den Ordner an", "Give the folder that mails are moved to"),
    ("after", "delete", "", "Nach der Archivierung würden die Mails", "Mails would be deleted on the server"),
];

const OF_IMAP: &[Mistake] = &[
    ("server", "", "server-help", "Geben Sie den Namen des Mail-Servers an", "Give a host name"),
    ("server", "imap://x.ch", "server-help", "Geben Sie den Namen des Mail-Servers an", "Give a host name"),
    ("port", "0", "port-help", "Geben Sie 1 bis 65535 an", "Give 1 to 65535"),
    ("port", "70000", "port-help", "Geben Sie 1 bis 65535 an", "Give 1 to 65535"),
    ("account", "", "account-0-help", "Geben Sie den Namen an", "Give the name to log in with"),
    ("password", "", "account-0-help", "Es fehlt das Passwort", "This account has no password"),
];

const OF_O365: &[Mistake] = &[
    ("tenant", "", "tenant-help", "Geben Sie die Verzeichnis-ID", "Give the directory (tenant) ID"),
    ("tenant", "a b", "tenant-help", "Geben Sie die Verzeichnis-ID", "Give the directory (tenant) ID"),
    ("client_id", "", "client_id-help", "Geben Sie die Anwendungs-ID", "Give the application (client) ID"),
    ("client_secret", "", "client_secret-help", "Es fehlt das ClientSecret", "There is no client secret"),
    ("client_secret", CLIENT, "client_secret-help", "Das ist die ID eines Secrets", "This is the ID of a secret"),
    (
        "certificate_file",
        "PEM",
        "client_secret-help",
        "Geben Sie entweder ein ClientSecret",
        "Give either a client secret",
    ),
    ("secret_expires", "bald", "secret_expires-help", "Geben Sie den Tag als", "Give the day as YYYY-MM-DD"),
    ("mailboxes", "", "mailboxes-help", "Geben Sie mindestens eine Adresse an", "There is no mailbox"),
    ("mailboxes", "a/b", "mailboxes-help", "«a/b» ist keine Adresse", "&quot;a/b&quot; is no address"),
    (
        "mailboxes",
        "a@b.ch\r\nA@b.ch",
        "mailboxes-help",
        "«A@b.ch» steht zweimal da",
        "&quot;A@b.ch&quot; is given twice",
    ),
    ("number_of_mails", "0", "number_of_mails-help", "Geben Sie 1 bis 1000 an", "Give 1 to 1000"),
    ("number_of_mails", "1001", "number_of_mails-help", "Geben Sie 1 bis 1000 an", "Give 1 to 1000"),
    ("login_url", "http://login.example.ch", "login_url-help", "Geben Sie eine Adresse wie", "Give an address such as"),
    ("graph_url", "https://x.ch/v1.0", "graph_url-help", "Geben Sie eine Adresse wie", "Give an address such as"),
];

#[test]
fn every_mistake_is_told_beside_its_field() {
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &[PASSWORD, SECRET]);
    for (module, good, own) in [("imap", IMAP, OF_IMAP), ("o365", O365, OF_O365)] {
        let target = format!("/admin/new/{module}");
        for language in ["de", "en"] {
            admin.speak(language);
            for (name, value, place, de, en) in OF_BOTH.iter().chain(own) {
                let sentence = if language == "de" { de } else { en };
                let told = match *place {
                    "" => format!("<span class=\"wrong\" role=\"alert\">{sentence}"),
                    place => format!("id=\"{place}\"><span class=\"wrong\">{sentence}"),
                };
                let answer = admin.post(&target, &with(good, name, value));
                assert_eq!(answer.status, 400, "{module} {name}={value}");
                assert!(answer.text().contains(&told), "{module} {name}={value}: {told}\n{}", answer.text());
            }
        }
        assert!(!admin.page("/admin/sources").contains("/admin/sources/b"), "nothing was added");
        admin.done(&target, good);
        let answer = admin.post(&target, good);
        assert!(answer.status == 400 && answer.text().contains("There is a definition with this name"));
        admin.done(
            &format!("{}/delete", if module == "imap" { "/admin/sources/b%C3%BCro" } else { "/admin/sources/wolke" }),
            &[],
        );
    }
    // Several at once are all told, and what was entered stays to be corrected.
    let answer = admin.post("/admin/new/imap", &[("server", "imap://x"), ("port", "x"), ("owner", "Anna & Co")]).text();
    for part in
        ["Give 1 to 64", "Give a host name", "Give 1 to 65535", "There is no account", "Anna &amp; Co", "imap://x"]
    {
        assert!(answer.contains(part), "{part}: {answer}");
    }
}

#[test]
fn a_change_keeps_secrets_that_are_not_entered() {
    let archivista = Archivista::new();
    let (serving, mut admin) = Administering::start(&archivista, &[PASSWORD, SECRET, "zweites Passwort"]);
    let two = [IMAP, &[("account", "b@example.ch"), ("password", "zweites Passwort")]].concat();
    admin.done("/admin/new/imap", &two);
    admin.done("/admin/new/o365", O365);
    let imap = "/admin/sources/b%C3%BCro/edit";
    let page = admin.page(imap);
    for part in ["value=\"a@example.ch\"", "value=\"b@example.ch\"", "Stored. Leave empty to keep it."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The name is not asked for again; accounts keep their passwords by their names, not by their rows.
    let changed = [
        ("server", "imap.example.ch"),
        ("port", "143"),
        ("encryption", "starttls"),
        ("account", "b@example.ch"),
        ("password", ""),
        ("account", "a@example.ch"),
        ("password", ""),
        ("folders", "INBOX, \"Meier, Hans\""),
        ("inactive", "1"),
    ];
    admin.done(imap, &changed);
    assert!(admin.page(imap).contains("value=\"INBOX, &quot;Meier, Hans&quot;\""));
    // To another server no stored password goes.
    let answer = admin.post(imap, &with(&changed, "server", "imap.evil.example"));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("The address of the server is another one."), "{}", answer.text());

    let o365 = "/admin/sources/wolke/edit";
    admin.done(o365, &with(O365, "client_secret", ""));
    let answer = admin.post(o365, &with(&with(O365, "client_secret", ""), "login_url", "https://login.evil.example"));
    assert!(answer.status == 400 && answer.text().contains("The address of the server is another one."));
    let forget = with(&with(O365, "client_secret", ""), "forget_secret", "1");
    let answer = admin.post(o365, &forget);
    assert!(answer.status == 400 && answer.text().contains("There is no client secret"), "{}", answer.text());
    // Deleting on the server is asked for once, when it is chosen.
    admin.done(o365, &with(&with(O365, "after", "delete"), "sure", "1"));
    admin.done(o365, &with(O365, "after", "delete"));
    assert_eq!(admin.post(o365, &with(O365, "after", "purge")).status, 400);

    // The stored secrets are the ones that were entered at first.
    drop(serving);
    let opened = archivista::archive::Archive::open(&archivista.data(), &archivista::pulse::Pulse::new()).unwrap();
    let imap = archivista::settings::definition(&opened, "büro").unwrap();
    let archivista::settings::Module::Imap(imap) = imap.module else { panic!() };
    let logins: Vec<(&str, &str)> = imap
        .accounts
        .iter()
        .map(|account| (account.account.as_str(), account.password.as_ref().unwrap().reveal().as_str()))
        .collect();
    assert_eq!(logins, [("b@example.ch", "zweites Passwort"), ("a@example.ch", PASSWORD)]);
    let o365 = archivista::settings::definition(&opened, "wolke").unwrap();
    let archivista::settings::Module::O365(o365) = o365.module else { panic!() };
    assert_eq!(o365.client_secret.unwrap().reveal().as_str(), SECRET);
}

/// The form of a tenant's definition.
fn of_tenant<'a>(url: &'a str, authority: &'a str, mailboxes: &'a str) -> Vec<(&'a str, &'a str)> {
    let fields = with(O365, "mailboxes", mailboxes);
    [fields.as_slice(), &[("login_url", url), ("graph_url", url), ("ca_file", authority)]].concat()
}

#[test]
fn what_is_set_up_is_tested_archived_and_counted() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 6)), (BEAT, tiny(BEAT, 3))]);
    let authority = fs::read_to_string(tenant.ca_file()).unwrap();
    let url = tenant.simulator.url();
    let mailboxes = format!("{ANNA}\r\n{BEAT}");
    let good = of_tenant(&url, &authority, &mailboxes);
    let archivista = Archivista::new();
    let (serving, mut admin) = Administering::start(&archivista, &[SECRET, "falscher Wert"]);

    // A wrong secret is explained, and what to click.
    let to = admin.done(
        "/admin/new/o365",
        &[with(&good, "client_secret", "falscher Wert").as_slice(), &[("then", "test")]].concat(),
    );
    assert_eq!(to, "/admin/sources/wolke/test");
    admin.speak("de");
    let page = admin.ended(&to);
    for part in [
        "Der Test hat Fehler gefunden.",
        "✗",
        "Das Client-Secret der Anwendung",
        "App-Registrierungen &gt; Zertifikate",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    admin.speak("en");
    assert!(admin.page(&to).contains("The client secret of application"));
    // The right one passes, mailbox by mailbox.
    admin.done("/admin/sources/wolke/edit", &[good.as_slice(), &[("then", "test")]].concat());
    let page = admin.when(&to, |answer| answer.text().contains("The test has passed."));
    for part in [ANNA, BEAT, "✓", "Logged in.", "Inbox read.", "First mail: Mail "] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("✗"), "{page}");
    // Whoever administers and may read no mail sees none by testing.
    let words = "Noch ein ganzer Satz.";
    let fields = [("user", "otto"), ("role", "administrator"), ("password", words), ("again", words)];
    admin.done("/admin/users", &fields);
    let mut otto = Administering::of(serving.log_in("otto", words), &[SECRET]);
    let page = otto.page(&to);
    assert!(page.contains("The first mail can be read.") && !page.contains("First mail:"), "{page}");

    // Active: archived at once, and by the button again.
    let active: Vec<_> = good.iter().copied().filter(|(name, _)| *name != "inactive").collect();
    let source = admin.done("/admin/sources/wolke/edit", &active);
    assert_eq!(source, "/admin/sources/wolke");
    let page = admin.when(&source, |answer| answer.text().contains("Complete</span>"));
    assert!(page.contains("<td class=\"number\">9</td>"), "{page}");
    tenant.add(ANNA, "Inbox", &mails::tiny("neu@example.ch", "Neu"));
    admin.done("/admin/sources/wolke/run", &[]);
    let number = |count: u64| format!("<td class=\"number\">{count}</td>");
    let counted = |on_server: u64, archived: u64| {
        format!("{}{}{}<td>0</td>{}<td>0</td>{}", number(on_server), number(archived), number(0), number(0), number(0))
    };
    let completeness = "/admin/sources/wolke/completeness";
    let page = admin.when(completeness, |answer| answer.text().contains(&counted(10, 10)));
    let row = |folder: &str, count: u64| format!("<th scope=\"row\">{folder}</th>{}", counted(count, count));
    for part in [row("Inbox", 5), row("Inbox/Projekte", 2), row("Inbox", 2), row("Inbox/Projekte", 1)] {
        assert!(page.contains(&part), "{part}: {page}");
    }
    // Reconciling now is noted.
    let before = page.matches("<time").count();
    admin.done("/admin/sources/wolke/run", &[("reconcile", "1")]);
    admin.when(completeness, |answer| answer.text().matches("<time").count() >= before.max(4));
    let overview = admin.when("/admin", |answer| answer.text().contains("Everything is archived."));
    assert!(overview.contains("<dd>10</dd>"), "{overview}");
    // status counts the same.
    let status = archivista.run(&["status", "--json"]).succeeded().json_lines();
    assert_eq!(status[0]["documents"], 10);

    // Inactive and back, then deleted: what is archived stays.
    admin.done("/admin/sources/wolke/inactive", &[("inactive", "1")]);
    assert!(admin.page("/admin").contains("All definitions are inactive"));
    admin.done("/admin/sources/wolke/run", &[]);
    assert!(admin.page(&source).contains("The definition is inactive. Switch it on first."));
    assert!(admin.page("/admin/sources/wolke/delete").contains("The archived mails stay"));
    assert_eq!(admin.done("/admin/sources/wolke/delete", &[]), "/admin/sources");
    assert_eq!(admin.get(&source).status, 404);
    assert!(admin.page("/admin").contains("<dd>10</dd>"));
}

#[test]
fn trouble_is_told_in_the_language_of_the_reader() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 3))]);
    let authority = fs::read_to_string(tenant.ca_file()).unwrap();
    let url = tenant.simulator.url();
    let fields = with(&of_tenant(&url, &authority, ANNA), "client_secret", "falscher Wert");
    let active: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "inactive").collect();
    let archivista = Archivista::new();
    let (_serving, mut admin) = Administering::start(&archivista, &["falscher Wert"]);
    let source = admin.done("/admin/new/o365", &with(&active, "secret_expires", "2020-01-31"));
    admin.when(&source, |answer| answer.text().contains("Trouble</span>"));
    let english = admin.page("/admin");
    assert!(english.contains("At present not everything is archived."), "{english}");
    assert!(english.contains("In Entra, under App registrations") && english.contains("has expired"), "{english}");
    admin.speak("de");
    let german = admin.page("/admin");
    for part in [
        "Zurzeit wird nicht alles archiviert.",
        "Störung</span>",
        "Erstellen Sie in Entra",
        "ist laut Definition abgelaufen",
    ] {
        assert!(german.contains(part), "{part}: {german}");
    }
}

#[test]
fn a_switch_leaves_one_inactive_and_one_active() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 3))]);
    let authority = fs::read_to_string(tenant.ca_file()).unwrap();
    let url = tenant.simulator.url();
    let archivista = Archivista::new();
    let (serving, mut admin) = Administering::start(&archivista, &[PASSWORD, SECRET]);
    assert!(admin.page("/admin/switch").contains("Add the missing one first."));
    // At a name that leads nowhere, so that nothing is asked from here.
    admin.done("/admin/new/imap", &with(IMAP, "server", "imap.invalid"));
    admin.done("/admin/new/o365", &of_tenant(&url, &authority, ANNA));
    let page = admin.page("/admin/switch");
    assert!(page.contains("<option value=\"büro\"") && page.contains("<option value=\"wolke\""), "{page}");
    for (from, to) in [("wolke", "büro"), ("büro", "niemand"), ("", "")] {
        assert_eq!(admin.post("/admin/switch", &[("from", from), ("to", to)]).status, 400);
    }
    assert_eq!(admin.done("/admin/switch", &[("from", "büro"), ("to", "wolke")]), "/admin/sources/wolke");
    admin.when("/admin/sources/wolke", |answer| answer.text().contains("Complete</span>"));
    assert!(admin.page("/admin/sources/b%C3%BCro").contains("Inactive</span>"));
    // A later change on the page keeps what the definition succeeds.
    admin.done("/admin/sources/wolke/edit", &with(&of_tenant(&url, &authority, ANNA), "client_secret", ""));
    drop(serving);
    let opened = archivista::archive::Archive::open(&archivista.data(), &archivista::pulse::Pulse::new()).unwrap();
    let wolke = archivista::settings::definition(&opened, "wolke").unwrap();
    assert_eq!(wolke.succeeds.as_deref(), Some("büro"));
}

/// Nobody is left unexplained: what the server refuses is listed with its reason.
#[test]
fn failed_mails_are_listed_with_their_reason() {
    let tenant = Tenant::with(&[(ANNA, tiny(ANNA, 3))]);
    let authority = fs::read_to_string(tenant.ca_file()).unwrap();
    let url = tenant.simulator.url();
    tenant.fault("cut:1:always");
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut admin = Administering::of(serving.set_up(), &[SECRET]);
    let fields = of_tenant(&url, &authority, ANNA);
    let active: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "inactive").collect();
    admin.done("/admin/new/o365", &active);
    let page = admin.when("/admin/sources/wolke/completeness", |answer| answer.text().contains("/failed/"));
    let (_, rest) = page.split_once("/failed/").expect("a link to the failed mails");
    let number = rest.split('"').next().unwrap();
    let failed = admin.page(&format!("/admin/sources/wolke/failed/{number}"));
    assert!(failed.matches("<td class=\"mono\">").count() >= 1, "{failed}");
    assert_eq!(admin.get("/admin/sources/wolke/failed/9999").status, 404);
    assert_eq!(admin.get(&format!("/admin/sources/wolke/failed/{number}?above=zz")).status, 404);
}
