//! Promise: over the API a further field is checked, changed and seen as on the pages: a value that does not fit changes nothing
//! and is named with its reason, and of a field that the owner of a token may not see no answer tells.

use serde_json::{Value, json};

use crate::support::web::Site;
use archivista::settings::administration::{Field, Versioning};
use archivista::settings::tokens::Rights;
use archivista::settings::users::Role;
use archivista::web::request::Method;

const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };

/// An archive with a mail of anna's, and tokens of an administrator and of her.
fn stage() -> (Site, String, String) {
    let site = Site::new();
    site.user("chefin", Role::Administrator, &[]);
    site.user("anna", Role::User, &["anna"]);
    site.mail("anna", b"Subject: Offerte\r\n\r\nx\r\n", 1_700_000_000);
    let (chefin, anna) = (site.api_token("chefin", ALL), site.api_token("anna", ALL));
    (site, chefin, anna)
}

fn define(site: &Site, token: &str, name: &str, settings: &Value) {
    let answer = site.call(token, Method::Post, "/fields", &json!({ "name": name, "settings": settings }));
    assert_eq!(answer.status, 201, "{name}: {}", answer.text());
}

fn get(site: &Site, token: &str, target: &str) -> Value {
    let answer = site.call(token, Method::Get, target, &Value::Null);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()
}

#[test]
fn values_are_checked_and_each_wrong_one_has_its_reason() {
    let (site, chefin, anna) = stage();
    define(&site, &chefin, "Betrag", &json!({ "kind": "number", "is_column": true }));
    define(&site, &chefin, "Art", &json!({ "kind": "selection", "values": ["Offerte", "Rechnung"] }));
    define(&site, &chefin, "A/B", &json!({ "changed_by": "administrators" }));
    let change = |body: Value| site.call(&anna, Method::Patch, "/documents/1", &body);
    let wrong = change(json!({
        "note": "x", "fields": { "Betrag": "zwölf", "Art": "Mahnung", "A/B": "x", "Erfunden": "x" }
    }));
    let errors = wrong.json()["errors"].clone();
    let reason = |at: &str| {
        let error = errors.as_array().unwrap().iter().find(|error| error["at"] == at);
        error.unwrap_or_else(|| panic!("{at}: {errors}"))["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!((wrong.status, &wrong.json()["reason"]), (400, &json!("refused")));
    assert!(reason("/fields/Betrag").contains("no number") && reason("/fields/Art").contains("one of the values"));
    assert!(reason("/fields/A~1B").contains("may not change") && reason("/fields/Erfunden").contains("no such field"));
    assert_eq!(get(&site, &anna, "/documents/1")["note"], "", "nothing is changed");
    assert_eq!(change(json!({ "fields": { "Betrag": "1’200,50", "Art": "Rechnung" } })).status, 204);
    assert_eq!(
        get(&site, &anna, "/documents/1")["fields"],
        json!({ "Betrag": "1200.50", "Art": "Rechnung", "A/B": "" })
    );
    let found = get(&site, &anna, "/documents?q=betrag:%3E1000");
    assert_eq!(found["documents"][0]["fields"], json!({ "Betrag": "1200.50" }));
    site.administer(|all| all.shows_note = false);
    assert_eq!(change(json!({ "note": "x" })).json()["errors"][0]["at"], "/note");
    // Whoever may not change the field for publishing does not publish.
    site.administer(|all| all.publishing = Some(Field::Other("A/B".into())));
    assert_eq!(change(json!({ "is_published": true })).status, 403);
}

#[test]
fn of_a_field_of_others_no_answer_tells() {
    let (site, chefin, anna) = stage();
    let secret = json!({ "seen_by": "administrators", "is_column": true });
    define(&site, &chefin, "Lohnklasse", &secret);
    define(&site, &chefin, "Kunde", &json!({ "is_column": true }));
    site.administer(|all| all.link_title = Some(Field::Other("Lohnklasse".into())));
    site.change(1, |metadata| {
        metadata.fields.insert("Lohnklasse".into(), "Streng77".into());
        metadata.fields.insert("Kunde".into(), "Muster".into());
    });
    for target in ["/documents", "/documents/1", "/documents/1/proof", "/documents/1/link", "/documents?sort=title"] {
        let text = get(&site, &anna, target).to_string();
        assert!(!text.contains("Lohnklasse") && !text.contains("Streng77"), "{target}: {text}");
    }
    for query in ["streng77", "lohnklasse:streng77", "lohnklasse:*"] {
        assert_eq!(get(&site, &anna, &format!("/documents?q={query}"))["documents"], json!([]), "{query}");
    }
    assert_eq!(get(&site, &anna, "/documents?q=kunde:muster")["documents"][0]["number"], 1);
    let of = |name: &str| {
        let answer = site.call(&anna, Method::Patch, "/documents/1", &json!({ "fields": { name: "Streng77" } }));
        (answer.status, answer.text().replace(name, ""))
    };
    assert_eq!(of("Lohnklasse"), of("Erfunden"), "it looks like none");
    assert_eq!(site.call(&anna, Method::Get, "/fields", &Value::Null).status, 403);
}

#[test]
fn defined_fields_are_moved_taken_away_and_brought_back() {
    let (site, chefin, _) = stage();
    let call = |method, target: &str, body: Value| site.call(&chefin, method, target, &body);
    for name in ["Kunde", "Frist Ende"] {
        define(&site, &chefin, name, &json!({}));
    }
    let again = call(Method::Post, "/fields", json!({ "name": "kunde", "settings": {} }));
    assert_eq!((again.status, &again.json()["errors"][0]["at"]), (400, &json!("/name")));
    let wrong = json!({ "settings": { "seen_by": "users", "seen_names": ["niemand"] } });
    let wrong = call(Method::Patch, "/fields/Kunde", wrong);
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["at"]), (400, &json!("/settings/seen_names")));
    let changed =
        json!({ "settings": { "kind": "date", "changed_by": "users", "changed_names": ["anna"] }, "move": "up" });
    let changed = call(Method::Patch, "/fields/Frist%20Ende", changed).json();
    let expected = json!({ "kind": "date", "values": [], "seen_by": "everybody", "changed_by": "users", "changed_names": ["anna"], "is_column": false });
    assert_eq!((&changed["fields"][0]["name"], &changed["fields"][0]["settings"]), (&json!("Frist Ende"), &expected));
    site.change(1, |metadata| drop(metadata.fields.insert("Kunde".into(), "Muster".into())));
    assert_eq!(call(Method::Delete, "/fields/Frist%20Ende", Value::Null).status, 204);
    assert_eq!(call(Method::Delete, "/fields/Kunde", Value::Null).status, 204);
    let left = get(&site, &chefin, "/fields");
    assert_eq!(left["fields"].as_array().unwrap().len(), 1);
    assert_eq!(left["fields"][0]["is_hidden"], true, "documents have values in it");
    assert_eq!(call(Method::Patch, "/fields/Kunde", json!({ "settings": {} })).status, 404);
    let back = call(Method::Patch, "/fields/Kunde", json!({ "bring_back": true, "settings": { "is_column": true } }));
    assert_eq!(back.json()["fields"][0]["settings"]["is_column"], true, "{}", back.text());
    site.administer(|all| all.file_name = Some(Field::Other("Kunde".into())));
    assert_eq!(call(Method::Delete, "/fields/Kunde", Value::Null).status, 409);
}

#[test]
fn versions_are_told_and_only_the_newest_is_found() {
    let (site, chefin, anna) = stage();
    site.mail("anna", b"Subject: Neue Offerte\r\n\r\ny\r\n", 1_700_000_001);
    site.mail("beat", b"Subject: Fremde Offerte\r\n\r\nz\r\n", 1_700_000_002);
    for number in 1..=3 {
        site.change(number, |metadata| drop(metadata.fields.insert("Vertrag".into(), "V-1".into())));
    }
    let numbers = |target: &str| -> Vec<u64> {
        let found = get(&site, &anna, target);
        found["documents"].as_array().unwrap().iter().map(|row| row["number"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers("/documents"), [2, 1]);
    let change = |body: Value| site.call(&chefin, Method::Patch, "/administration", &body);
    assert_eq!(change(json!({ "versioning": "key" })).json()["errors"][0]["at"], "/version_key");
    assert_eq!(change(json!({ "versioning": "key", "version_key": "date" })).status, 400);
    assert_eq!(change(json!({ "field_columns": 4 })).status, 400);
    let set = change(json!({ "versioning": "key", "version_key": "other:Vertrag", "combobox": 7, "layout": "dark" }));
    let settings = &set.json()["settings"];
    assert_eq!((&settings["version_key"], &settings["combobox"]), (&json!("other:Vertrag"), &json!(7)));
    site.administer(|all| assert_eq!((all.versioning, all.combobox), (Versioning::Key, 7)));
    assert_eq!(numbers("/documents"), [2]);
    assert_eq!(numbers("/documents?q=version:all"), [2, 1]);
    assert!(numbers("/documents?only=files").is_empty());
    let versions = get(&site, &anna, "/documents/1")["versions"].clone();
    let known: Vec<_> = versions.as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()).collect();
    assert_eq!(known, [1, 2], "of others nothing is told");
}
