//! Promise: a login to Microsoft 365 is tried in the order and words of the maker's script, and whatever is wrong with it is
//! said in one sentence, in German and English, with what to click in Entra.

use crate::support::archivista::{Archivista, Counts, Output};
use crate::support::definition::Definition;
use crate::support::mails::tiny;
use crate::support::scripted;
use crate::support::tenant::{CLIENT, Folders, SECRET, TENANT, Tenant, certificate};
use serde_json::{Value, json};
use simulator::{Config, Extra};

const USER: &str = "test@mymail.ch";
const EMPTY: &str = "leer@mymail.ch";
const ON_PREMISES: &str = "keller@mymail.ch";
const POLICY: &str = "direktion@mymail.ch";
const SCOPE: &str = "personal@mymail.ch";
const ENGLISH: &str = "en_GB.UTF-8";
const GERMAN: &str = "de_CH.UTF-8";

fn tenant() -> Tenant {
    tenant_with(Config::default())
}

fn tenant_with(config: Config) -> Tenant {
    let inbox = |subject: &str| Folders::from([("Inbox", vec![tiny("1@example.ch", subject)])]);
    let extra = |address: &str, kind: &str| Extra { address: address.to_owned(), traits: vec![kind.to_owned()] };
    let users = vec![extra(ON_PREMISES, "no-mailbox"), extra(POLICY, "policy"), extra(SCOPE, "denied")];
    let mailboxes = [
        (USER, inbox("Erste Offerte")),
        (EMPTY, Folders::new()),
        (POLICY, inbox("Vertraulich")),
        (SCOPE, inbox("Vertraulich")),
    ];
    Tenant::start(&mailboxes, Config { users, ..config })
}

/// `mailtest` as it would work, with some options given another value; an empty one leaves the option out.
fn mailtest(locale: &str, tenant: &Tenant, other: &[(&str, &str)], flags: &[&str]) -> Output {
    let (url, ca) = (tenant.simulator.url(), tenant.ca_file());
    let usual = [
        ("--tenant", TENANT),
        ("--client-id", CLIENT),
        ("--client-secret", SECRET),
        ("--mailbox", USER),
        ("--login-url", &url),
        ("--graph-url", &url),
        ("--ca-file", ca.to_str().unwrap()),
    ];
    let mut words = vec!["mailtest"];
    for (option, value) in usual {
        let value = other.iter().find(|(changed, _)| *changed == option).map_or(value, |(_, value)| value);
        if !value.is_empty() {
            words.extend([option, value]);
        }
    }
    words.extend(flags);
    let archivista = Archivista::new();
    let output = archivista.run_in(locale, &words);
    assert!(!archivista.data().exists(), "a test of a login stores nothing");
    output
}

/// It fails after these steps with these sentences, in both languages and as JSON, and never shows the secret.
fn fails(tenant: &Tenant, other: &[(&str, &str)], steps: &[&str], english: &str, german: &str) {
    for (locale, sentence) in [(ENGLISH, english), (GERMAN, german)] {
        let output = mailtest(locale, tenant, other, &[]).ended_with(1);
        assert_eq!(output.stdout.lines().collect::<Vec<_>>(), steps, "{other:?}");
        assert!(output.stderr.contains(sentence), "{other:?}: {}", output.stderr);
        assert_eq!(output.stderr.trim_end().lines().count(), 1, "one sentence: {}", output.stderr);
        assert!(!output.stderr.contains(SECRET), "{}", output.stderr);
    }
    let lines = mailtest("C", tenant, other, &["--json"]).ended_with(1).json_lines();
    let (last, before) = lines.split_last().unwrap();
    let passed: Vec<&Value> = before.iter().map(|line| &line["step"]).collect();
    assert_eq!(passed, steps);
    assert!(before.iter().all(|line| line["passed"] == true));
    assert_eq!(last["passed"], false);
    assert!(last["en"].as_str().unwrap().contains(english), "{last}");
    assert!(last["de"].as_str().unwrap().contains(german), "{last}");
}

#[test]
fn a_login_that_works_prints_what_the_maker_s_script_prints() {
    let tenant = tenant();
    let expected = [
        "Authenticated!".to_owned(),
        format!("MailBox from resource: users/{USER}"),
        format!("Inbox from resource: users/{USER}"),
        "Subject: Erste Offerte".to_owned(),
    ];
    for locale in [ENGLISH, GERMAN] {
        let output = mailtest(locale, &tenant, &[], &[]).succeeded();
        assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected);
        assert_eq!(output.stderr, "");
    }
    let lines = mailtest(ENGLISH, &tenant, &[], &["--json"]).succeeded().json_lines();
    let steps: Vec<&Value> = lines.iter().map(|line| &line["step"]).collect();
    assert_eq!(steps, expected.iter().collect::<Vec<_>>());
    assert!(lines.iter().all(|line| line["passed"] == true && line["mailbox"] == USER), "{lines:?}");
    assert_eq!(tenant.calls("value"), 0, "no mail is read for it");
    mailtest(ENGLISH, &tenant, &[("--mailbox", EMPTY)], &[]).succeeded();
}

#[test]
fn what_entra_refuses_is_explained() {
    let tenant = tenant();
    let app = "99999999-5fad-4d73-a9f5-3c356e68a038";
    let cases: [(&str, &str, &str, &str); 5] = [
        (
            "--client-secret",
            "falsch~Wert",
            "The client secret of application 48d31887-5fad-4d73-a9f5-3c356e68a038 is wrong (\"AADSTS7000215: ",
            "Das Client-Secret der Anwendung 48d31887-5fad-4d73-a9f5-3c356e68a038 stimmt nicht («AADSTS7000215: ",
        ),
        (
            "--client-secret",
            "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9",
            "is the Secret ID, not the value. Enter the column \"Value\" from Entra > App registrations",
            "ist die Geheime ID eingetragen, nicht der Wert. Tragen Sie aus Entra > App-Registrierungen",
        ),
        (
            "--client-id",
            app,
            "Tenant mymail.onmicrosoft.com has no application 99999999-5fad-4d73-a9f5-3c356e68a038 (\"AADSTS700016: ",
            "Im Mandanten mymail.onmicrosoft.com gibt es keine Anwendung 99999999-5fad-4d73-a9f5-3c356e68a038 («AADSTS700016: ",
        ),
        (
            "--tenant",
            "anders.onmicrosoft.com",
            "There is no tenant anders.onmicrosoft.com (\"AADSTS90002: ",
            "Den Mandanten anders.onmicrosoft.com gibt es nicht («AADSTS90002: ",
        ),
        (
            "--tenant",
            "zzzz",
            "\"zzzz\" is neither a tenant ID nor a domain (\"AADSTS900023: ",
            "«zzzz» ist weder eine Mandanten-ID noch eine Domäne («AADSTS900023: ",
        ),
    ];
    for (option, value, english, german) in cases {
        fails(&tenant, &[(option, value)], &[], english, german);
    }
    tenant.control(&json!({ "op": "configure", "secret_expired": true }));
    fails(
        &tenant,
        &[],
        &[],
        "The client secret of application 48d31887-5fad-4d73-a9f5-3c356e68a038 has expired (\"AADSTS7000222: ",
        "Das Client-Secret der Anwendung 48d31887-5fad-4d73-a9f5-3c356e68a038 ist abgelaufen («AADSTS7000222: ",
    );
}

#[test]
fn a_mailbox_that_cannot_be_read_is_explained() {
    let tenant = tenant();
    let of = |mailbox: &str| format!("MailBox from resource: users/{mailbox}");
    let cases = [
        (
            "niemand@mymail.ch",
            "There is no mailbox niemand@mymail.ch in this tenant (\"ErrorInvalidUser: ",
            "Das Postfach niemand@mymail.ch gibt es in diesem Mandanten nicht («ErrorInvalidUser: ",
        ),
        (
            ON_PREMISES,
            "keller@mymail.ch has no mailbox in Exchange Online (\"MailboxNotEnabledForRESTAPI: ",
            "keller@mymail.ch hat kein Postfach in Exchange Online («MailboxNotEnabledForRESTAPI: ",
        ),
        (
            POLICY,
            "The application may not read the mailbox direktion@mymail.ch (\"ErrorAccessDenied: Access to OData is disabled.",
            "Die Anwendung darf das Postfach direktion@mymail.ch nicht lesen («ErrorAccessDenied: Access to OData is disabled.",
        ),
        (
            SCOPE,
            "The application may not read the mailbox personal@mymail.ch (\"ErrorAccessDenied: Access is denied.",
            "Die Anwendung darf das Postfach personal@mymail.ch nicht lesen («ErrorAccessDenied: Access is denied.",
        ),
    ];
    for (mailbox, english, german) in cases {
        fails(&tenant, &[("--mailbox", mailbox)], &["Authenticated!", &of(mailbox)], english, german);
    }
    tenant.control(&json!({ "op": "configure", "permissions": ["User.Read.All"] }));
    fails(
        &tenant,
        &[],
        &["Authenticated!", &of(USER)],
        "The application lacks the permission Mail.Read (\"ErrorAccessDenied: ",
        "Der Anwendung fehlt die Berechtigung Mail.Read («ErrorAccessDenied: ",
    );
}

#[test]
fn a_connection_that_cannot_be_made_is_explained() {
    let tenant = tenant();
    let closed = scripted::closed_port();
    let nobody = format!("https://127.0.0.1:{closed}");
    let untrusted =
        ("The certificate of 127.0.0.1 is not trusted (", "Dem Zertifikat von 127.0.0.1 wird nicht vertraut (");
    let unknown = ("nowhere.invalid was not found (", "nowhere.invalid wurde nicht gefunden (");
    let (english, german) = (
        format!("127.0.0.1 does not answer on port {closed} ("),
        format!("127.0.0.1 antwortet nicht auf Port {closed} ("),
    );
    fails(&tenant, &[("--ca-file", "")], &[], untrusted.0, untrusted.1);
    fails(&tenant, &[("--login-url", "https://nowhere.invalid")], &[], unknown.0, unknown.1);
    fails(&tenant, &[("--login-url", &nobody)], &[], &english, &german);
    // The same behind the login.
    let steps = ["Authenticated!".to_owned(), format!("MailBox from resource: users/{USER}")];
    let steps = [steps[0].as_str(), steps[1].as_str()];
    fails(&tenant, &[("--graph-url", &nobody)], &steps, &english, &german);
}

#[test]
fn every_mailbox_of_a_definition_is_tried() {
    let tenant = tenant();
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", vec![USER, POLICY, EMPTY]));
    for (locale, sentence) in [
        (ENGLISH, "may not read the mailbox direktion@mymail.ch"),
        (GERMAN, "darf das Postfach direktion@mymail.ch nicht"),
    ] {
        let output = archivista.run_in(locale, &["source", "test", "tenant"]).ended_with(1);
        assert!(output.stderr.contains(sentence), "{}", output.stderr);
        for mailbox in [USER, EMPTY] {
            assert!(output.stdout.contains(&format!("Inbox from resource: users/{mailbox}\n")), "{}", output.stdout);
        }
        assert!(!output.stdout.contains(&format!("Inbox from resource: users/{POLICY}")), "{}", output.stdout);
    }
    let lines = archivista.run(&["source", "test", "tenant", "--json"]).ended_with(1).json_lines();
    let failed: Vec<&Value> =
        lines.iter().filter(|line| line["passed"] == false).map(|line| &line["mailbox"]).collect();
    assert_eq!(failed, [POLICY]);

    // A fetch says the same of that mailbox and archives the others.
    let output = archivista.run_in(GERMAN, &["fetch", "--json"]).ended_with(1);
    assert_eq!(Counts::of(&output), Counts::archived(1));
    assert!(output.stderr.contains("darf das Postfach direktion@mymail.ch nicht"), "{}", output.stderr);
    tenant.control(&json!({ "op": "set_user", "user": POLICY, "policy": false }));
    archivista.run(&["source", "test", "tenant"]).succeeded();
}

#[test]
fn all_mailboxes_need_a_permission_of_their_own() {
    let tenant = tenant();
    tenant.control(&json!({ "op": "configure", "permissions": ["Mail.Read"] }));
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "alle", "all"));
    for verb in [&["source", "test", "alle"][..], &["fetch"]] {
        for (locale, sentence) in [
            (ENGLISH, "The application lacks the permission User.Read.All (\"Authorization_RequestDenied: "),
            (GERMAN, "Der Anwendung fehlt die Berechtigung User.Read.All («Authorization_RequestDenied: "),
        ] {
            let output = archivista.run_in(locale, verb).ended_with(1);
            assert!(output.stderr.contains(sentence), "{}", output.stderr);
        }
    }
    // Named mailboxes do without.
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "eine", vec![USER]));
    archivista.run(&["source", "test", "eine"]).succeeded();
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
}

#[test]
fn a_secret_that_expires_is_explained_and_mended_by_a_new_one() {
    let tenant = tenant();
    let archivista = Archivista::new();
    archivista.define(&Definition::o365(&tenant, "tenant", vec![USER]));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    tenant.control(&json!({ "op": "configure", "client_secret": "neu~Wert" }));
    let output = archivista.run(&["fetch", "--json"]).ended_with(1);
    assert_eq!(Counts::of(&output), Counts::default());
    assert!(output.stderr.contains("The client secret of application"), "{}", output.stderr);
    archivista.define(&Definition::o365(&tenant, "tenant", vec![USER]).with("client_secret", "neu~Wert"));
    tenant.add(USER, "Inbox", &tiny("2@example.ch", "Zweite"));
    assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    archivista.run(&["status"]).succeeded();
}

#[test]
fn a_certificate_does_instead_of_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let rsa = certificate(dir.path(), "rsa", &["rsa:2048"]);
    let curve = certificate(dir.path(), "curve", &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    let other = certificate(dir.path(), "other", &["rsa:2048"]);
    let certificates = vec![rsa.0.clone().into(), curve.0.clone().into()];
    let tenant = tenant_with(Config { certificates, ..Config::default() });
    let define = |(pem, key): &(String, String)| {
        let archivista = Archivista::new();
        let definition = Definition::o365(&tenant, "tenant", vec![USER]).without("client_secret");
        archivista.define(&definition.with("certificate_file", pem.as_str()).with("key_file", key.as_str()));
        archivista
    };
    for good in [&rsa, &curve] {
        let archivista = define(good);
        archivista.run(&["source", "test", "tenant"]).succeeded();
        assert_eq!(archivista.fetch_counts(), Counts::archived(1));
    }
    let archivista = define(&other);
    for (locale, sentence) in [
        (ENGLISH, "Entra does not take the certificate of application"),
        (GERMAN, "Entra nimmt das Zertifikat der Anwendung"),
    ] {
        let output = archivista.run_in(locale, &["source", "test", "tenant"]).ended_with(1);
        assert!(output.stderr.contains(sentence), "{}", output.stderr);
    }
}
