//! Promise: a compilation lists chosen documents under a title at a short address of its own, for everybody, as long as each of
//! them is published; what is withdrawn is not told from what never was, and whoever manages one sees of it what it may.

use crate::support::web::{Answer, HOST, Site};
use archivista::archive::commit::Happening;
use archivista::settings::administration::Field;
use archivista::settings::compilations;
use archivista::settings::tokens::Rights;
use archivista::settings::users::{self, Role};
use archivista::web::request::Method;
use serde_json::{Value, json};

const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };

struct Stage {
    site: Site,
    anna: String,
    numbers: [u64; 3],
}

/// A public archive with three files of Anna's, the first two published.
fn stage() -> Stage {
    let site = Site::new();
    let anna = site.user("anna", Role::User, &[]);
    let numbers = ["eins.txt", "zwei.txt", "drei.txt"].map(|name| site.file(&anna, name, name.as_bytes()));
    site.administer(|all| {
        all.publishing = Some(Field::Other("Web".into()));
        all.is_public = true;
    });
    let stage = Stage { site, anna, numbers };
    stage.publish(numbers[0], true);
    stage.publish(numbers[1], true);
    stage
}

impl Stage {
    fn publish(&self, number: u64, is_published: bool) {
        let action = if is_published { "publish" } else { "withdraw" };
        let answer = self.site.post(&self.anna, "/selection", &[("action", action), ("number", &number.to_string())]);
        assert_eq!(answer.status, 303, "{}", answer.text());
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.site.post(&self.anna, path, fields)
    }

    fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields);
        assert_eq!(answer.status, 303, "{path} {fields:?}: {}", answer.text());
        answer.location().to_owned()
    }

    /// Makes one of all three, by the table.
    fn make(&self, title: &str) -> String {
        let numbers = self.numbers.map(|number| number.to_string());
        let chosen: Vec<(&str, &str)> = numbers.iter().map(|number| ("number", number.as_str())).collect();
        let page = self.post("/selection", &[&[("action", "compile")], &chosen[..]].concat());
        assert_eq!(page.status, 200);
        assert!(page.text().contains("eins") && page.text().contains("drei"), "{}", page.text());
        self.done("/compilations", &[&[("title", title)], &chosen[..]].concat())
    }

    /// What a visitor sees, in its order; `None`: nothing there.
    fn public(&self, name: &str) -> Option<Vec<String>> {
        let answer = self.site.get(None, &format!("/c/{name}"));
        if answer.status == 404 {
            assert_eq!(answer.text(), self.site.get(None, "/c/nothing").text());
            return None;
        }
        assert_eq!((answer.status, answer.header("X-Robots-Tag")), (200, Some("noindex")));
        let text = answer.text();
        let entries = text.split("<li class=\"card\">").skip(1);
        Some(
            entries
                .map(|entry| entry.split('>').nth(1).unwrap().split('<').next().unwrap().trim().to_owned())
                .collect(),
        )
    }
}

#[test]
fn what_is_published_is_listed_and_vanishes_with_it() {
    let stage = stage();
    let [one, two, three] = stage.numbers;
    assert_eq!(stage.make("Frühlingsbrief 2026"), "/compilations/fruehlingsbrief-2026");
    assert_eq!(stage.public("fruehlingsbrief-2026"), None, "nobody published it yet");
    let path = "/compilations/fruehlingsbrief-2026";
    let page = stage.site.get(Some(&stage.anna), path).text();
    assert!(page.contains(&format!("https://{HOST}/c/fruehlingsbrief-2026")) && page.contains("not public"), "{page}");
    stage.done(&format!("{path}/published"), &[("published", "1")]);
    let public = || stage.public("fruehlingsbrief-2026");
    assert_eq!(public().unwrap(), ["eins", "zwei"]);
    let text = stage.site.get(None, "/c/fruehlingsbrief-2026").text();
    assert!(
        text.contains("<h1>Frühlingsbrief 2026</h1>") && !text.contains("drei") && !text.contains("anna"),
        "{text}"
    );
    assert!(text.contains(&format!("href=\"/go/{one}\"")));
    stage.publish(three, true);
    assert_eq!(public().unwrap(), ["eins", "zwei", "drei"]);
    stage.publish(one, false);
    assert_eq!(public().unwrap(), ["zwei", "drei"]);
    // Order, taking out, putting in.
    let documents = format!("{path}/documents");
    stage.done(&documents, &[("up", &three.to_string())]);
    assert_eq!(public().unwrap(), ["drei", "zwei"]);
    stage.done(&documents, &[("down", &three.to_string())]);
    stage.done(&documents, &[("remove", &three.to_string())]);
    assert_eq!(public().unwrap(), ["zwei"]);
    stage.done(
        &documents,
        &[("numbers", &format!("{three}; https://{HOST}/perl/avclient/index.pl?target=new&go={two}"))],
    );
    assert_eq!(public().unwrap(), ["zwei", "drei"]);
    for (numbers, said) in [("4711", "4711"), ("eins", "eins"), ("", "one file number at least")] {
        let answer = stage.post(&documents, &[("numbers", numbers)]);
        assert!(answer.status == 400 && answer.text().contains(said), "{numbers}: {}", answer.text());
    }
    // Another title, text and address: the old one leads nowhere.
    let text = "Guten Tag\r\n<b>mehr</b>: https://example.ch/mehr";
    let new = [("title", "Sommer <i>brief</i>"), ("introduction", text), ("name", "sommer")];
    assert_eq!(stage.done(path, &new), "/compilations/sommer");
    assert_eq!((public(), stage.public("sommer").unwrap().len()), (None, 2));
    let page = stage.site.get(None, "/c/sommer").text();
    assert!(
        page.contains("<h1>Sommer &lt;i&gt;brief&lt;/i&gt;</h1>") && page.contains("&lt;b&gt;mehr&lt;/b&gt;"),
        "{page}"
    );
    assert!(page.contains("<a href=\"https://example.ch/mehr\""), "{page}");
    // Withdrawn, not public, deleted: all the same to a visitor.
    stage.done("/compilations/sommer/published", &[]);
    assert_eq!(stage.public("sommer"), None);
    stage.done("/compilations/sommer/published", &[("published", "1")]);
    stage.site.administer(|all| all.is_public = false);
    assert_eq!(stage.public("sommer"), None);
    assert_eq!(stage.site.get(Some(&stage.anna), "/c/sommer").status, 404);
    stage.site.administer(|all| all.is_public = true);
    assert!(stage.public("sommer").is_some());
    stage.done("/compilations/sommer/delete", &[]);
    assert_eq!(stage.public("sommer"), None);
    let changed = |key: &str| {
        let what = Happening::SettingChanged(format!("compilation/{key}"));
        stage.site.journal().iter().filter(|event| event.who == "anna" && event.what == what).count()
    };
    assert!(changed("fruehlingsbrief-2026") >= 6 && changed("sommer") >= 4);
}

#[test]
fn wrong_words_get_their_sentence_and_addresses_are_given_once() {
    let stage = stage();
    assert_eq!(stage.make("Brief"), "/compilations/brief");
    assert_eq!(stage.make("Brief"), "/compilations/brief-2");
    for (field, value, said) in [
        ("title", "", "Give 1 to 200 characters."),
        ("title", &"x".repeat(201), "Give 1 to 200 characters."),
        ("name", "brief", "This address is taken already."),
        ("name", "Brief", "Only small letters"),
        ("name", "a/b", "Only small letters"),
        ("name", &"x".repeat(61), "Only small letters"),
    ] {
        let fields: Vec<(&str, &str)> = match field {
            "title" => vec![("title", value)],
            _ => vec![("title", "Neu"), ("name", value)],
        };
        let answer = stage.post("/compilations", &fields);
        assert!(answer.status == 400 && answer.text().contains(said), "{field} {value}: {}", answer.text());
    }
    assert_eq!(stage.post("/compilations", &[("title", "日本")]).status, 400, "an address cannot be made from it");
    assert_eq!(stage.done("/compilations", &[("title", "日本"), ("name", "japan")]), "/compilations/japan");
    assert_eq!(stage.post("/compilations/brief-2", &[("title", "x"), ("name", "brief")]).status, 400);
    // From the table into one that is there: what is in it stays once.
    let into = [("into", "japan"), ("number", "1"), ("number", "2"), ("number", "1")];
    stage.done("/compilations", &into);
    stage.done("/compilations", &into);
    let kept = compilations::compilation(&stage.site.web.archive, "japan").unwrap().unwrap();
    assert_eq!(kept.documents, [1, 2]);
}

#[test]
fn each_manages_its_own_and_sees_of_it_what_it_may() {
    let stage = stage();
    stage.make("Brief");
    let [_, _, hidden] = stage.numbers;
    let beat = stage.site.user("beat", Role::User, &[]);
    let auditor = stage.site.user("revision", Role::Auditor, &[]);
    let admin = stage.site.user("verwalter", Role::Administrator, &[]);
    let mut user = users::user(&stage.site.web.archive, "verwalter").unwrap().unwrap();
    user.reads_all = false;
    users::put_user(&stage.site.web.archive, &user, "test").unwrap();
    stage
        .site
        .administer(|all| all.admin_networks = archivista::settings::networks::Networks::entered("0.0.0.0/0").unwrap());
    let page = |cookie: &str| stage.site.get(Some(cookie), "/compilations/brief");
    assert_eq!(
        (page(&beat).status, page(&beat).text()),
        (404, stage.site.get(Some(&beat), "/compilations/none").text())
    );
    assert!(!stage.site.get(Some(&beat), "/compilations").text().contains("Brief"));
    for (path, fields) in
        [("", &[("title", "x")][..]), ("/documents", &[("remove", "1")]), ("/published", &[]), ("/delete", &[])]
    {
        let path = format!("/compilations/brief{path}");
        assert_eq!(stage.site.post(&beat, &path, fields).status, 404, "{path}");
        assert_eq!(stage.site.post(&auditor, &path, fields).status, 403, "{path}");
    }
    assert!(page(&auditor).text().contains("drei") && !page(&auditor).text().contains("<button class=\"first\""));
    // An administrator who may not read helps without seeing what is not public, and what it does not see stays in its place.
    assert!(page(&admin).text().contains("eins") && !page(&admin).text().contains("drei"));
    assert!(!page(&admin).text().contains(&format!("value=\"{hidden}\"")));
    let documents = || compilations::compilation(&stage.site.web.archive, "brief").unwrap().unwrap().documents;
    stage.done("/compilations/brief/documents", &[("up", &hidden.to_string())]);
    let before = documents();
    assert_eq!(before, [1, 3, 2]);
    stage.site.post(&admin, "/compilations/brief/documents", &[("up", "2")]);
    assert_eq!(documents(), [2, 1, 3]);
    stage.site.post(&admin, "/compilations/brief/documents", &[("remove", "1")]);
    assert_eq!(documents(), [2, 3]);
    stage.site.post(&admin, "/compilations/brief/documents", &[("remove", &hidden.to_string())]);
    assert_eq!(documents(), [2, 3]);
    // Whoever gets the name of who made it gets nothing of it.
    let mut anna = users::user(&stage.site.web.archive, "anna").unwrap().unwrap();
    users::remove_user(&stage.site.web.archive, "anna", "test").unwrap();
    anna.created += 1;
    users::put_user(&stage.site.web.archive, &anna, "test").unwrap();
    assert_eq!((page(&stage.anna).status, page(&stage.site.session("anna")).status), (303, 404));
}

#[test]
fn a_mail_is_listed_only_where_mails_are_public() {
    let stage = stage();
    let mail = stage.site.mail("anna", b"Subject: Rundbrief\r\n\r\nx", 1);
    stage.site.change(mail, |metadata| drop(metadata.fields.insert("Web".into(), "x".into())));
    let path = stage.done("/compilations", &[("title", "Brief"), ("number", "1")]);
    stage.done(&format!("{path}/published"), &[("published", "1")]);
    stage.site.user("chefin", Role::Administrator, &[]);
    stage
        .site
        .administer(|all| all.admin_networks = archivista::settings::networks::Networks::entered("0.0.0.0/0").unwrap());
    let chefin = stage.site.session("chefin");
    let added = stage.site.post(&chefin, &format!("{path}/documents"), &[("numbers", &mail.to_string())]);
    assert_eq!(added.status, 303);
    assert_eq!(stage.public("brief").unwrap(), ["eins"]);
    stage.site.administer(|all| all.public_mails = true);
    assert_eq!(stage.public("brief").unwrap(), ["eins", "Rundbrief"]);
}

#[test]
fn compilations_are_made_by_the_api() {
    let stage = stage();
    stage
        .site
        .administer(|all| all.admin_networks = archivista::settings::networks::Networks::entered("0.0.0.0/0").unwrap());
    let token = stage.site.api_token("anna", ALL);
    let call = |method, path: &str, body: Value| stage.site.call(&token, method, path, &body);
    let [one, two, three] = stage.numbers;
    let body = json!({ "title": "Brief", "documents": [two, one, two], "introduction": "Hallo", "is_published": true });
    let made = call(Method::Post, "/compilations", body);
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!((&made["name"], &made["address"]), (&json!("brief"), &json!(format!("https://{HOST}/c/brief"))));
    assert_eq!(
        made["documents"],
        json!([
            { "number": two, "title": "zwei", "is_public": true },
            { "number": one, "title": "eins", "is_public": true },
        ])
    );
    assert_eq!(stage.public("brief").unwrap(), ["zwei", "eins"]);
    let changed = call(Method::Patch, "/compilations/brief", json!({ "documents": [three, one], "name": "neu" }));
    assert_eq!(
        (changed.status, &changed.json()["documents"][0]["is_public"]),
        (200, &json!(false)),
        "{}",
        changed.text()
    );
    assert_eq!((stage.public("brief"), stage.public("neu").unwrap()), (None, vec!["eins".to_owned()]));
    for (body, at) in [
        (json!({ "documents": [one, 4711] }), "/documents"),
        (json!({ "title": " " }), "/title"),
        (json!({ "name": "A b" }), "/name"),
    ] {
        let answer = call(Method::Patch, "/compilations/neu", body);
        assert_eq!((answer.status, &answer.json()["errors"][0]["at"]), (400, &json!(at)), "{}", answer.text());
    }
    let all = call(Method::Get, "/compilations", Value::Null).json();
    assert_eq!(all["compilations"].as_array().unwrap().len(), 1);
    assert_eq!(all["compilations"][0]["documents"], 2);
    // Who may only change documents learns no title by putting them together.
    let writer = stage.site.api_token("anna", Rights { change: true, ..Rights::default() });
    let body = json!({ "documents": [one, three] });
    let answer = stage.site.call(&writer, Method::Patch, "/compilations/neu", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        (&answer.json()["documents"][0]["number"], &answer.json()["documents"][0]["title"]),
        (&json!(one), &json!(""))
    );
    // An administrator gives it to somebody else; nobody else does.
    stage.site.user("chefin", Role::Administrator, &[]);
    stage.site.user("carla", Role::User, &[]);
    let chefin = stage.site.api_token("chefin", ALL);
    let give = |token: &str, to: &str| {
        stage.site.call(token, Method::Patch, "/compilations/neu", &json!({ "owner": to })).status
    };
    assert_eq!((give(&token, "carla"), give(&chefin, "nobody")), (400, 400));
    assert_eq!((give(&chefin, "carla"), call(Method::Get, "/compilations/neu", Value::Null).status), (200, 404));
    assert_eq!(give(&chefin, "anna"), 200);
    stage.site.user("beat", Role::User, &[]);
    let beat = stage.site.api_token("beat", ALL);
    let all = stage.site.call(&beat, Method::Get, "/compilations", &Value::Null).json();
    assert_eq!(all, json!({ "compilations": [] }));
    assert_eq!(stage.site.call(&beat, Method::Get, "/compilations/neu", &Value::Null).status, 404);
    assert_eq!(stage.site.call(&beat, Method::Delete, "/compilations/neu", &Value::Null).status, 404);
    let reader = stage.site.api_token("anna", Rights { read: true, ..Rights::default() });
    assert_eq!(stage.site.call(&reader, Method::Delete, "/compilations/neu", &Value::Null).status, 403);
    assert_eq!(call(Method::Delete, "/compilations/neu", Value::Null).status, 204);
    assert_eq!(stage.public("neu"), None);
}
