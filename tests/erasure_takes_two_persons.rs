//! Promise: what is private is hidden at once from whoever reads only mailboxes, as if it had never been there; it is erased before its term only
//! where one person asks and another one agrees; and a hold is stronger than both.

use archivista::archive::commit::{Ending, Happening};
use archivista::settings::administration::Field;
use archivista::settings::compilations::{self, Compilation};
use archivista::settings::networks::Networks;
use archivista::settings::tokens::{self, New, Rights};
use archivista::settings::users::{self, Role};
use archivista::web::request::Method;
use serde_json::{Value, json};

use crate::support::administering::Administering;
use crate::support::archivista::Archivista;
use crate::support::small;
use crate::support::web::Site;

const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };
const PASSWORD: &str = "Auch ein ganzer Satz.";

fn mail(subject: &str) -> Vec<u8> {
    format!("From: a@example.ch\r\nSubject: {subject}\r\n\r\nhello\r\n").into_bytes()
}

fn stage() -> Site {
    let site = Site::new();
    site.user("anna", Role::User, &["anna"]);
    site.user("chefin", Role::Administrator, &[]);
    site.user("revision", Role::Auditor, &[]);
    assert_eq!(
        (site.mail("anna", &mail("Privatsache"), 1_500_000_000), site.mail("anna", &mail("Anderes"), 1_500_000_001)),
        (1, 2)
    );
    site
}

/// With the program itself: its pages, its background, its packs.
#[test]
fn one_asks_another_agrees_and_the_bytes_are_gone() {
    let archivista = Archivista::new();
    let archive = small::open(&archivista.data());
    small::archive(&archive, 1, 3);
    drop(archive);
    let (serving, mut anna) = Administering::start(&archivista, &[]);
    let page = "/documents/2/retention";
    let alone = anna.page(page);
    assert!(alone.contains("A second person with the role administrator or auditor is needed"), "{alone}");
    let empty = anna.post(page, &[("do", "ask"), ("reason", " ")]);
    assert!(empty.status == 400 && empty.text().contains("Give a reason"), "{}", empty.text());
    anna.done(page, &[("do", "ask"), ("reason", "Arztbericht")]);
    let said = anna.page(page);
    assert!(
        said.contains("Arztbericht") && said.contains("is needed, and there is only one") && said.contains(">blocked<"),
        "{said}"
    );
    // Not the same person, in another session either.
    let mut again = Administering::of(serving.log_in("anna", crate::support::serving::ADMINISTRATOR.1), &[]);
    for session in [&mut anna, &mut again] {
        let answer = session.post(page, &[("do", "agree"), ("sure", "1")]);
        assert!(answer.status == 400 && answer.text().contains("Whoever asked cannot agree too"), "{}", answer.text());
    }
    anna.done("/admin/users", &[("user", "rita"), ("role", "auditor"), ("password", PASSWORD), ("again", PASSWORD)]);
    let mut rita = Administering::of(serving.log_in("rita", PASSWORD), &[]);
    assert!(rita.page(page).contains("anna asked for erasure on"));
    assert!(anna.page("/admin/retention/documents").contains("Arztbericht"));
    let unsure = rita.post(page, &[("do", "agree")]);
    assert!(unsure.status == 400 && unsure.text().contains("Tick the box to confirm."), "{}", unsure.text());
    // A hold wins.
    let lawsuit = [("name", "Verfahren"), ("reason", "Klage"), ("numbers", "2")];
    anna.done("/admin/retention/holds", &lawsuit);
    let held = rita.post(page, &[("do", "agree"), ("sure", "1")]);
    assert!(held.status == 400 && held.text().contains("under the hold Verfahren"), "{}", held.text());
    anna.done("/admin/retention/holds/Verfahren/lift", &[]);
    assert!(anna.page("/admin/retention/holds").contains("lifted: anna"));
    rita.done(page, &[("do", "agree"), ("sure", "1")]);
    for path in ["/documents/2", page, "/go/2"] {
        for who in [&mut anna, &mut rita] {
            let gone = who.get(path);
            assert!(gone.status == 410 && gone.text().contains("two persons decided so"), "{path}: {}", gone.text());
        }
    }
    assert!(anna.page("/admin/retention/documents").contains("two persons decided so"));
    // In the background.
    anna.when("/admin/retention", |answer| !answer.text().contains("still being taken out"));
    drop(serving);
    let verified = archivista.run(&["verify", "--json"]).succeeded().json_lines().remove(0);
    assert_eq!((&verified["erased"], &verified["documents"]), (&2.into(), &2.into()));
    let archive = small::open(&archivista.data());
    let view = archive.view().unwrap();
    assert_eq!(view.ended_row(2).unwrap().unwrap().value.why, Ending::Erased);
    assert!(view.settings("erasure/").unwrap().is_empty());
    let (events, _) = view
        .events(9, 999, |event| {
            event.what.names(2) || matches!(event.what, Happening::HoldSet(_) | Happening::HoldLifted(_))
        })
        .unwrap();
    let told: Vec<(&str, &Happening)> = events.iter().rev().map(|event| (event.who.as_str(), &event.what)).collect();
    assert_eq!(told[0], ("anna", &Happening::Blocked(2)));
    assert_eq!(told[1], ("anna", &Happening::ErasureAsked(2, "Arztbericht".into())));
    assert_eq!(
        told[2..4],
        [("anna", &Happening::HoldSet("Verfahren".into())), ("anna", &Happening::HoldLifted("Verfahren".into()))]
    );
    assert_eq!(told[4], ("rita", &Happening::Erased(2, "anna".into())));
}

#[test]
fn a_blocked_document_is_not_there_for_who_reads_mailboxes() {
    let site = stage();
    site.administer(|all| {
        all.publishing = Some(Field::Other("Web".into()));
        (all.is_public, all.public_mails) = (true, true);
        all.admin_networks = Networks::entered("0.0.0.0/0").unwrap();
    });
    site.change(1, |metadata| drop(metadata.fields.insert("Web".into(), "x".into())));
    let owner = users::user(&site.web.archive, "anna").unwrap().unwrap();
    let brief = Compilation {
        name: "brief".into(),
        title: "Brief".into(),
        documents: vec![1],
        is_published: true,
        owner_created: owner.created,
        owner: owner.name,
        ..Compilation::default()
    };
    compilations::put_compilation(&site.web.archive, None, &brief, "test").unwrap();
    let (anna, chefin) = (site.session("anna"), site.session("chefin"));
    let token = site.api_token("anna", ALL);
    let looks = |site: &Site| {
        let get = |path: &str| site.get(Some(&anna), path);
        let call = |path: &str| site.call(&token, Method::Get, path, &Value::Null);
        let export = site.post(&anna, "/export", &[("q", "privatsache")]);
        [
            get("/").text().contains("Privatsache"),
            get("/?q=privatsache").text().contains(">Privatsache<"),
            get("/?sort=title").text().contains("Privatsache"),
            get("/documents/1").status == 200,
            get("/documents/1/download").status == 200,
            get("/go/1").status != 404,
            get("/perl/avclient/index.pl?target=new&go=1").status != 404,
            site.post(&anna, "/selection", &[("action", "links"), ("number", "1")]).status == 200,
            String::from_utf8_lossy(&export.body).contains("Privatsache"),
            call("/documents").text().contains("Privatsache"),
            call("/documents/1").status == 200,
            call("/documents/1/proof").status == 200,
            call("/documents/1/content").status == 200,
            site.get(None, "/go/1").text().contains("Privatsache"),
            site.get(None, "/documents/1/html").status == 200,
            site.get(None, "/c/brief").text().contains("Privatsache"),
        ]
    };
    assert_eq!(looks(&site), [true; 16]);
    assert_eq!(site.post(&chefin, "/documents/1/retention", &[("do", "block")]).status, 303);
    assert_eq!(looks(&site), [false; 16]);
    // The answer is that of a number that nobody has.
    for path in ["/documents/N", "/go/N", "/documents/N/fields", "/documents/N/proof"] {
        let [blocked, none] = ["1", "4711"].map(|number| site.get(Some(&anna), &path.replace('N', number)));
        assert_eq!((blocked.status, &blocked.body), (404, &none.body), "{path}");
    }
    let [blocked, none] =
        ["1", "4711"].map(|number| site.call(&token, Method::Get, &format!("/documents/{number}"), &Value::Null));
    assert_eq!((blocked.status, &blocked.body), (404, &none.body));
    // Nor is it told to whoever asks for what is for others.
    for number in ["1", "2", "4711"] {
        assert_eq!(site.get(Some(&anna), &format!("/documents/{number}/retention")).status, 403);
        assert_eq!(site.post(&anna, &format!("/documents/{number}/retention"), &[("do", "unblock")]).status, 403);
    }
    // Who brings the same bytes learns nothing, and has a document of its own.
    let own = site.upload(&anna, &[("x.eml", &mail("Privatsache"))]);
    assert_eq!(own.location(), "/documents/3");
    // Who reads everything sees it, and that it is blocked.
    for name in ["chefin", "revision"] {
        let page = site.get(Some(&site.session(name)), "/documents/1").text();
        assert!(page.contains("Privatsache") && page.contains(">blocked<"), "{name}: {page}");
    }
    assert!(site.get(Some(&chefin), "/admin/retention/documents").text().contains("/documents/1/retention"));
    assert_eq!(site.post(&site.session("revision"), "/documents/1/retention", &[("do", "unblock")]).status, 303);
    assert_eq!(looks(&site), [true; 16]);
}

#[test]
fn an_ended_document_is_a_number_that_nobody_has_for_who_reads_mailboxes() {
    let site = stage();
    site.web.archive.end(vec![1], Ending::Term, Vec::new()).unwrap();
    let anna = site.session("anna");
    for path in ["/documents/N", "/go/N", "/documents/N/retention", "/documents/N/proof"] {
        let [gone, none] = ["1", "4711"].map(|number| site.get(Some(&anna), &path.replace('N', number)));
        assert_eq!((gone.status, &gone.body), (none.status, &none.body), "{path}");
    }
    let token = site.api_token("anna", ALL);
    let ask = |token: &str, path: &str| site.call(token, Method::Get, path, &Value::Null);
    assert_eq!(ask(&token, "/documents/1").body, ask(&token, "/documents/4711").body);
    for name in ["chefin", "revision"] {
        let page = site.get(Some(&site.session(name)), "/documents/1");
        assert!(page.status == 410 && page.text().contains("its term was over"), "{}", page.text());
        let token = site.api_token(name, ALL);
        for path in ["/documents/1", "/documents/1/retention"] {
            let answer = ask(&token, path);
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(answer.status == 404 && detail.contains("its term was over"), "{path}: {detail}");
        }
    }
    // An upload of the same is no way to learn of it.
    assert_eq!(site.upload(&anna, &[("x.eml", &mail("Privatsache"))]).location(), "/documents/3");
}

#[test]
fn programs_ask_and_agree_and_a_token_makes_nobody_two() {
    let site = stage();
    let (chefin, revision) = (site.api_token("chefin", ALL), site.api_token("revision", ALL));
    let post = |token: &str, path: &str, body: Value| site.call(token, Method::Post, path, &body).status;
    let reason = json!({ "reason": "privat" });
    let sure = json!({ "sure": true });
    assert_eq!(post(&site.api_token("anna", ALL), "/documents/1/erasure", reason.clone()), 403);
    // Without the right to administer it is no token of an administrator.
    let reads = site.api_token("chefin", Rights { administer: false, ..ALL });
    assert_eq!(post(&reads, "/documents/1/erasure", reason.clone()), 403);
    assert_eq!(post(&chefin, "/documents/1/erasure", json!({ "reason": "" })), 400);
    assert_eq!(post(&chefin, "/documents/4711/erasure", reason.clone()), 404);
    assert_eq!(post(&chefin, "/documents/1/erasure/agree", sure.clone()), 409);
    assert_eq!(post(&chefin, "/documents/1/erasure", reason.clone()), 204);
    assert_eq!(post(&revision, "/documents/1/erasure", reason.clone()), 409);
    let listed = site.call(&revision, Method::Get, "/erasures", &Value::Null).json();
    assert_eq!((&listed["erasures"][0]["number"], &listed["erasures"][0]["who"]), (&1.into(), &"chefin".into()));
    // Another token, another session, and a token for the auditor that the same person made.
    assert_eq!(post(&site.api_token("chefin", ALL), "/documents/1/erasure/agree", sure.clone()), 409);
    let cookie = site.session("chefin");
    assert_eq!(site.post(&cookie, "/documents/1/retention", &[("do", "agree"), ("sure", "1")]).status, 400);
    let find = |name: &str| users::user(&site.web.archive, name).unwrap().unwrap();
    let (owner, maker) = (find("revision"), find("chefin"));
    let created = archivista::clock::now();
    let new = New { name: "x", owner: &owner, maker: &maker, rights: ALL, created, ends: created + 86_400 };
    let lent = tokens::make(&site.web.archive, new, "test").unwrap().1;
    assert_eq!(post(&lent, "/documents/1/erasure/agree", sure.clone()), 409);
    assert!(site.web.archive.view().unwrap().document(1).unwrap().is_some());
    // Nor the other way round.
    assert_eq!(post(&lent, "/documents/2/erasure", reason), 204);
    assert_eq!(post(&chefin, "/documents/2/erasure/agree", sure.clone()), 409);
    assert_eq!(post(&revision, "/documents/2/erasure/refuse", Value::Null), 204);
    assert!(site.web.archive.view().unwrap().is_blocked(2).unwrap(), "refused is not unblocked");
    let unblock = site.call(&revision, Method::Patch, "/documents/2/retention", &json!({ "is_blocked": false }));
    assert_eq!(unblock.status, 204, "{}", unblock.text());
    // As long as it is asked for it stays blocked.
    let unblock = site.call(&chefin, Method::Patch, "/documents/1/retention", &json!({ "is_blocked": false }));
    assert_eq!(unblock.status, 409);
    assert_eq!(post(&revision, "/documents/1/erasure/agree", json!({ "sure": false })), 400);
    assert_eq!(post(&revision, "/documents/1/erasure/agree", sure), 204);
    assert!(
        site.journal()
            .iter()
            .any(|event| event.who == "revision" && event.what == Happening::Erased(1, "chefin".into()))
    );
    assert!(
        site.call(&chefin, Method::Get, "/erasures", &Value::Null).json()["erasures"].as_array().unwrap().is_empty()
    );
}

#[test]
fn terms_and_holds_are_set_on_pages_and_by_programs() {
    let site = stage();
    let chefin = site.session("chefin");
    let row = |definition, mailbox, folder, count, unit| {
        [
            ("rule-definition", definition),
            ("rule-mailbox", mailbox),
            ("rule-folder", folder),
            ("rule-count", count),
            ("rule-unit", unit),
        ]
    };
    let usual = [("count", "7"), ("unit", "years")];
    // Mistakes stand at their fields, and what was written stays.
    let wrong = [
        &[("count", "0"), ("unit", "years")][..],
        &row("company", "nobody", "", "3", "months"),
        &row("company", "", "X", "", "years"),
    ]
    .concat();
    let answer = site.post(&chefin, "/admin/retention", &wrong);
    let page = answer.text();
    assert!(
        answer.status == 400
            && page.matches("Give 1 to 100 years").count() == 2
            && page.contains("has no mailbox of this name"),
        "{page}"
    );
    assert!(page.contains("value=\"nobody\""));
    // A shorter term is asked about, with what it does.
    let new =
        [&usual[..], &row("company", "anna@example.ch", "INBOX", "", "forever"), &row("/", "", "", "6", "months")]
            .concat();
    let asked = site.post(&chefin, "/admin/retention", &new);
    assert!(
        asked.status == 400 && asked.text().contains("This shortens terms. 0 documents would be due at once."),
        "{}",
        asked.text()
    );
    let sure = [&new[..], &[("sure", "1"), ("deletes", "1")]].concat();
    assert_eq!(site.post(&chefin, "/admin/retention", &sure).status, 303);
    let page = site.get(Some(&chefin), "/admin/retention").text();
    assert!(
        page.contains("holds for 1 folders")
            && page.contains("Deleting is on")
            && page.contains("value=\"anna@example.ch\""),
        "{page}"
    );
    assert!(site.get(Some(&chefin), "/admin/retention/due").text().contains("never"));
    // Longer is not.
    let token = site.api_token("chefin", ALL);
    let patch = |body: Value| site.call(&token, Method::Patch, "/retention", &body);
    let set = patch(json!({ "term": { "unit": "years", "count": 9 } })).json();
    assert_eq!(
        (&set["deletes"], &set["term"]["count"], &set["rules"][0]["mailbox"]),
        (&true.into(), &9.into(), &"anna".into())
    );
    let rules = json!([{ "definition": "company", "term": { "unit": "months", "count": 3 } }]);
    let short = patch(json!({ "rules": rules }));
    assert!(short.status == 400 && short.text().contains("2 documents would be due at once"), "{}", short.text());
    assert_eq!(patch(json!({ "rules": rules, "sure": true })).status, 200);
    for bad in
        [json!([{ "definition": "nothing", "term": { "unit": "forever" } }]), json!([{ "term": { "unit": "years" } }])]
    {
        assert_eq!(patch(json!({ "rules": bad, "sure": true })).status, 400);
    }
    // What would go at once waits, and is an alarm.
    let clock = archivista::retention::OwnClock::default();
    archivista::retention::pass::run(&site.web.archive, &clock, &mut || Ok(())).unwrap();
    let overview = site.get(Some(&chefin), "/admin").text();
    assert!(overview.contains("Retention waits for you: 2 documents would be deleted at once."), "{overview}");
    let waits = site.call(&token, Method::Get, "/retention", &Value::Null).json()["waits"].clone();
    assert_eq!((&waits["why"], &waits["due"]), (&"many".into(), &2.into()));
    let pass = waits["pass"].to_string();
    assert_eq!(site.post(&chefin, "/admin/retention/confirm", &[("time", &pass)]).status, 400);
    let own = site.call(&token, Method::Patch, "/documents/2/retention", &json!({ "own_term": { "unit": "forever" } }));
    assert_eq!(own.status, 204, "{}", own.text());
    assert_eq!(site.call(&token, Method::Post, "/retention/confirm", &json!({ "pass": 7 })).status, 409);
    assert_eq!(site.post(&chefin, "/admin/retention/confirm", &[("time", &pass), ("sure", "1")]).status, 303);
    assert!(!site.get(Some(&chefin), "/admin").text().contains("Retention waits for you"));
    archivista::retention::pass::run(&site.web.archive, &clock, &mut || Ok(())).unwrap();
    let view = site.web.archive.view().unwrap();
    assert!(view.document(1).unwrap().is_none() && view.document(2).unwrap().is_some());
    drop(view);
    let of = site.call(&token, Method::Get, "/documents/2/retention", &Value::Null).json();
    assert_eq!((&of["over"], &of["why"]), (&Value::Null, &"term of its own".into()));
    let shorter = site.post(&chefin, "/documents/2/retention", &[("do", "term"), ("count", ""), ("unit", "years")]);
    assert!(shorter.status == 400 && shorter.text().contains("This shortens the term"), "{}", shorter.text());
    let page = site.get(Some(&site.session("revision")), "/documents/2/retention").text();
    assert!(!page.contains("value=\"term\""), "an auditor changes nothing: {page}");

    for lang in ["de", "en"] {
        site.post(&chefin, "/account", &[("language", lang)]);
        for path in ["", "/due", "/holds", "/documents", "/documents?number=4711"] {
            let page = site.get(Some(&chefin), &format!("/admin/retention{path}"));
            assert_eq!(page.status, 200, "{path}");
        }
    }
    let found = site.get(Some(&chefin), "/admin/retention/documents?number=2");
    assert_eq!(found.location(), "/documents/2/retention");
}

#[test]
fn holds_are_set_on_pages_and_by_programs() {
    let site = stage();
    let (chefin, token) = (site.session("chefin"), site.api_token("chefin", ALL));
    let holds = "/admin/retention/holds";
    for (fields, said) in [
        (vec![("name", ""), ("reason", "x"), ("numbers", "2")], "The name has letters"),
        (vec![("name", "a"), ("reason", "")], "Give a reason"),
        (vec![("name", "a"), ("reason", "x"), ("numbers", "two")], "Give file numbers"),
        (vec![("name", "a"), ("reason", "x"), ("numbers", "2"), ("mailbox", "anna")], "not both"),
        (vec![("name", "a"), ("reason", "x"), ("from", "2026-02-30")], "Give days"),
        (vec![("name", "a"), ("reason", "x"), ("definition", "company"), ("mailbox", "nobody")], "has no mailbox"),
    ] {
        let answer = site.post(&chefin, holds, &fields);
        assert!(answer.status == 400 && answer.text().contains(said), "{said}: {}", answer.text());
    }
    let good = [("name", "Klage"), ("reason", "Gericht"), ("definition", "company"), ("mailbox", "anna@example.ch")];
    assert_eq!(site.post(&chefin, holds, &good).status, 303);
    assert!(site.post(&chefin, holds, &good).text().contains("There is or was a hold of this name"));
    assert_eq!(site.post(&chefin, "/documents/2/retention", &[("do", "ask"), ("reason", "x")]).status, 400);
    let numbers = json!({ "name": "Zahlen", "reason": "x", "numbers": [{ "low": 2, "high": 9 }] });
    assert_eq!(site.call(&token, Method::Post, "/holds", &numbers).status, 201);
    assert_eq!(site.call(&token, Method::Post, "/holds/zahlen/lift", &Value::Null).status, 204);
    let listed = site.call(&token, Method::Get, "/holds", &Value::Null).json();
    assert_eq!((&listed["holds"][0]["name"], &listed["holds"][0]["mailbox"]), (&"Klage".into(), &"anna".into()));
    assert_eq!(listed["holds"][1]["lifted"]["who"], "chefin");
}
