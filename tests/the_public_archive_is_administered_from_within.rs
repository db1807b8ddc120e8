//! Promise: once an archive is public, only its administrators' networks reach what administers it; nobody locks himself out; and
//! no mail is published that nobody confirmed.

use crate::support::administering::Administering;
use crate::support::archivista::Archivista;
use crate::support::definition::Definition;
use crate::support::tenant::{Folders, Tenant};
use crate::support::web::{PEER, Site};
use archivista::settings::administration::{Administration, Field, Versioning};
use archivista::settings::networks::Networks;
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::web::request::Method;
use serde_json::{Value, json};

const OUTSIDE: &str = "198.51.100.9";
const INSIDE: &str = "10.1.2.3";
const PASSWORD: &str = "a long enough password";
const MAIL: &[u8] = b"From: a@example.ch\r\nBcc: geheim@example.ch\r\nSubject: Angebot\r\n\r\nhello\r\n";
const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };

fn public(site: &Site) {
    site.administer(|all| {
        all.publishing = Some(Field::Other("Web".into()));
        (all.is_public, all.public_mails) = (true, true);
    });
}

fn read(site: &Site) -> Administration {
    Administration::read(&site.web.archive).unwrap()
}

#[test]
fn administrators_work_in_their_networks_only() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let anna = site.user("anna", Role::User, &[]);
    let token = site.api_token("chefin", ALL);
    let from = |peer: &str, cookie: Option<&str>, target: &str| site.get_with(cookie, target, &[("x-peer", peer)]);
    let log_in = |peer: &str, name: &str| {
        let body = format!("user={name}&password={}", PASSWORD.replace(' ', "+"));
        let headers = [("x-peer", peer), ("content-type", "application/x-www-form-urlencoded")];
        site.ask(Method::Post, None, "/login", &headers, body.into_bytes())
    };
    let call = |peer: &str| {
        let bearer = format!("Bearer {token}");
        site.ask(Method::Get, None, "/api/v1/users", &[("x-peer", peer), ("authorization", &bearer)], Vec::new())
    };
    // As long as it is not public: from everywhere.
    assert_eq!(from(OUTSIDE, Some(&chefin), "/admin").status, 200);
    assert_eq!((log_in(OUTSIDE, "chefin").status, call(OUTSIDE).status), (303, 200));
    public(&site);
    for peer in [INSIDE, "127.0.0.1", "::1", "fe80::1"] {
        assert_eq!(from(peer, Some(&chefin), "/admin").status, 200, "{peer}");
        assert_eq!((log_in(peer, "chefin").status, call(peer).status), (303, 200), "{peer}");
    }
    for path in ["/admin", "/admin/users", "/admin/nothing", "/setup"] {
        let answer = from(OUTSIDE, Some(&chefin), path);
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.text().contains("only from the networks that are meant for it"), "{}", answer.text());
    }
    let refused = call(OUTSIDE);
    assert_eq!((refused.status, &refused.json()["reason"]), (403, &json!("elsewhere")));
    assert_eq!(site.get_with(None, "/api/v1/openapi.json", &[("x-peer", OUTSIDE)]).status, 403);
    // There an administrator is nobody, as the login says to everybody.
    let start = from(OUTSIDE, Some(&chefin), "/");
    assert_eq!((start.status, start.location()), (303, "/login"));
    let refused = log_in(OUTSIDE, "chefin");
    assert_eq!((refused.status, refused.header("Set-Cookie")), (403, None));
    assert!(refused.text().contains("Administrators log in only from the networks"), "{}", refused.text());
    let wrong = site.ask(
        Method::Post,
        None,
        "/login",
        &[("x-peer", OUTSIDE), ("content-type", "application/x-www-form-urlencoded")],
        b"user=chefin&password=a+wrong+one".to_vec(),
    );
    assert_eq!((wrong.status, wrong.text()), (403, refused.text()), "a right password is not told from a wrong one");
    assert_eq!((from(OUTSIDE, Some(&anna), "/").status, log_in(OUTSIDE, "anna").status), (200, 303));
    // The networks that somebody chose count in place of the private ones.
    site.administer(|all| all.admin_networks = Networks::entered("198.51.100.0/24").unwrap());
    assert_eq!(
        (from(OUTSIDE, Some(&chefin), "/admin").status, from(INSIDE, Some(&chefin), "/admin").status),
        (200, 403)
    );
    // Whoever watches the box has networks of its own.
    assert_eq!(from(INSIDE, None, "/metrics").status, 401);
}

#[test]
fn nobody_locks_himself_out() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let token = site.api_token("chefin", ALL);
    let enter = |networks: &str, more: &[(&str, &str)]| {
        let fields = [&[("name", "Test"), ("language", "en"), ("admin_networks", networks)], more].concat();
        site.post(&chefin, "/admin/archive", &fields)
    };
    for (networks, said) in [
        ("10.0.0.0/8", "This would lock you out"),
        ("10.0.0.0/8 fd00::/8", PEER),
        ("10.0.0.0/33", "neither an IP address nor a network"),
        ("company", "company"),
    ] {
        let answer = enter(networks, &[]);
        assert_eq!(answer.status, 400, "{networks}");
        assert!(answer.text().contains(said) && answer.text().contains(networks), "{networks}: {}", answer.text());
        let body = json!({ "admin_networks": networks });
        let answer = site.call(&token, Method::Patch, "/administration", &body);
        assert_eq!((answer.status, &answer.json()["errors"][0]["at"]), (400, &json!("/admin_networks")), "{networks}");
    }
    assert!(read(&site).admin_networks.is_empty());
    // Making it public closes it for public networks: not for the one from which that is done.
    let make_public = [("publishing", "note"), ("is_public", "1"), ("is_public_sure", "1")];
    assert!(enter("", &make_public).text().contains("This would lock you out"));
    assert!(!read(&site).is_public);
    let answer = enter("192.0.2.0/24, 10.0.0.0/8", &make_public);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(read(&site).is_public);
    assert_eq!(site.get(Some(&chefin), "/admin").status, 200);
    let shown = site.call(&token, Method::Get, "/administration", &Value::Null).json();
    assert_eq!(shown["settings"]["admin_networks"], "192.0.2.0/24, 10.0.0.0/8");
}

/// What strangers do leaves no more in the journal than they could fill it with: it is never made shorter.
#[test]
fn strangers_fill_no_journal() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    public(&site);
    let numbers: Vec<u64> = (0..70).map(|n| site.file(&anna, &format!("{n}.txt"), format!("{n}").as_bytes())).collect();
    for number in &numbers {
        site.change(*number, |metadata| drop(metadata.fields.insert("Web".into(), "x".into())));
    }
    let lines = || site.journal().len();
    let before = lines();
    for (n, number) in numbers.iter().enumerate() {
        let peer = format!("2001:db8:{n:x}::1");
        assert_eq!(site.get_with(None, &format!("/go/{number}"), &[("x-peer", &peer)]).status, 200);
    }
    assert_eq!(lines() - before, usize::try_from(archivista::limits::VISITS).unwrap());
    let before = lines();
    let guess = |peer: &str| {
        let bearer = "Bearer archivista_0000000000000000_x";
        site.get_with(None, "/metrics", &[("x-peer", peer), ("authorization", bearer)]).status
    };
    assert_eq!((guess(OUTSIDE), lines()), (401, before));
    assert_eq!((guess(INSIDE), lines()), (401, before + 1));
}

#[test]
fn what_is_withdrawn_by_its_note_is_withdrawn_in_all_versions() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    public(&site);
    site.administer(|all| {
        all.publishing = Some(Field::Note);
        all.versioning = Versioning::Name;
    });
    let first = site.file(&anna, "plan.pdf", b"%PDF-1.7 one");
    let go = |number: u64| site.get(None, &format!("/go/{number}")).status;
    assert_eq!(site.post(&anna, &format!("/documents/{first}/fields"), &[("note", "for all")]).status, 303);
    let second = site.file(&anna, &format!("{first}_1_plan.pdf"), b"%PDF-1.7 two");
    assert_eq!((go(first), go(second)), (200, 200));
    assert_eq!(site.post(&anna, &format!("/documents/{second}/fields"), &[("note", "")]).status, 303);
    assert_eq!((go(first), go(second)), (303, 303));
}

#[test]
fn a_mail_is_published_when_that_is_confirmed() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let file = site.file(&anna, "a.txt", b"a");
    let mail = site.mail("anna", MAIL, 1);
    public(&site);
    let go = |number: u64| site.get(None, &format!("/go/{number}")).status;
    let fields = format!("/documents/{mail}/fields");
    let page = site.get(Some(&anna), &fields).text();
    assert!(page.contains("Yes, this mail shall be published"), "{page}");
    let answer = site.post(&anna, &fields, &[("field:Web", "yes"), ("note", "kept in the form")]);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("This field publishes the mail.") && answer.text().contains("kept in the form"));
    assert_eq!(go(mail), 303);
    // Several at a time: the mails among them are named and asked for, and nothing is done before.
    let numbers = [mail.to_string(), file.to_string()];
    let chosen = |sure: bool| {
        let mut form = vec![("action", "publish"), ("number", &*numbers[0]), ("number", &*numbers[1])];
        form.extend(sure.then_some(("sure", "1")));
        site.post(&anna, "/selection", &form)
    };
    let asked = chosen(false);
    assert_eq!((asked.status, go(file), go(mail)), (200, 303, 303));
    assert!(asked.text().contains("Publish mails?") && asked.text().contains("Angebot"), "{}", asked.text());
    assert_eq!((chosen(true).status, go(file), go(mail)), (303, 200, 200));
    // What is published is not asked for again.
    assert_eq!(site.post(&anna, &fields, &[("field:Web", "still"), ("note", "x")]).status, 303);
    // Who got a blind copy stands in the source alone, which is for whoever may read the mail.
    let page = site.get(None, &format!("/go/{mail}")).text();
    assert!(page.contains("Angebot") && !page.contains("geheim") && !page.contains("/download"), "{page}");
    assert_eq!(site.get(None, &format!("/documents/{mail}/download")).status, 303);
    assert_eq!(site.get(Some(&anna), &format!("/documents/{mail}/download")).status, 200);
}

#[test]
fn what_every_mail_has_publishes_none() {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &["anna"]);
    let mail = site.mail("anna", MAIL, 1);
    let file = site.file(&anna, "a.txt", b"a");
    public(&site);
    for field in [Field::Title, Field::Date, Field::From, Field::MediaName] {
        site.administer(|all| all.publishing = Some(field.clone()));
        assert_eq!(site.get(None, &format!("/go/{mail}")).status, 303, "{field:?}");
    }
    assert_eq!(site.get(None, &format!("/go/{file}")).status, 200, "its file name is not empty");
    // A link says nothing of fields beside the View, whoever is asked.
    site.administer(|all| {
        all.publishing = Some(Field::MediaName);
        all.link_title = Some(Field::Other("Kunde".into()));
    });
    site.change(file, |metadata| drop(metadata.fields.insert("Kunde".into(), "Meier geheim".into())));
    for field in [Field::Other("Kunde".into()), Field::Note] {
        site.administer(|all| all.link_title = Some(field.clone()));
        site.change(file, |metadata| metadata.note = "Notiz geheim".into());
        let page = site.get(None, &format!("/go/{file}")).text();
        assert!(page.contains(&format!("{file}: a\n")) && !page.contains("geheim"), "{page}");
        assert!(site.get(Some(&anna), &format!("/documents/{file}")).text().contains("geheim"));
    }
}

#[test]
fn no_run_publishes_what_it_fetches() {
    let anna = "anna@example.ch";
    let mails: Folders<'_> = [("Inbox", vec![MAIL.to_vec()])].into();
    let tenant = Tenant::with(&[(anna, mails)]);
    let archivista = Archivista::new();
    let definition = Definition::o365(&tenant, "office", "all");
    let still = definition.clone().with("inactive", true);
    archivista.define(&still.clone().with("field_from", "Web"));
    let (_serving, mut chefin) = Administering::start(&archivista, &[]);
    chefin.done("/admin/fields", &[("name", "Web"), ("kind", "text")]);
    let fields = [("name", "x"), ("language", "en"), ("publishing", "other:Web")];
    let refused = chefin.post("/admin/archive", &fields);
    assert!(refused.status == 400 && refused.text().contains("would publish them all"), "{}", refused.text());
    archivista.define(&still.with("field_from", "Anderes"));
    chefin.done("/admin/archive", &fields);
    // Where a definition comes to fill the field afterwards, its runs leave it alone.
    archivista.define(&definition.with("field_from", "Web").with("field_subject", "Wer"));
    archivista.fetch();
    let documents = archivista.list();
    assert_eq!(documents.len(), 1, "{documents:?}");
    assert_eq!(documents[0]["fields"], json!({ "Wer": "Angebot" }), "{documents:?}");
}
