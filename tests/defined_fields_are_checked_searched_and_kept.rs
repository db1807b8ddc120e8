//! Promise: a field that an administrator defines takes what fits its kind and nothing else, is found by its name, is seen and
//! changed by whom it is for, and is never lost with its values.

use crate::support::web::{Site, unescaped};
use archivista::settings::document_fields::{DocumentFields, Kind, Who};
use archivista::settings::users::Role;

const MAIL: &[u8] = b"From: a@example.ch\r\nSubject: Offerte\r\n\r\nGuten Tag\r\n";

/// An archive with an administrator, a user of one mailbox and a mail in it.
struct Stage {
    site: Site,
    chefin: String,
    anna: String,
    mail: u64,
}

impl Stage {
    fn new() -> Self {
        let site = Site::new();
        let chefin = site.user("chefin", Role::Administrator, &[]);
        let anna = site.user("anna", Role::User, &["anna"]);
        let mail = site.mail("anna", MAIL, 1_700_000_000);
        Self { site, chefin, anna, mail }
    }

    fn define(&self, name: &str, kind: &str, more: &[(&str, &str)]) {
        let mut fields = vec![("name", name), ("kind", kind)];
        fields.extend(more);
        let answer = self.site.post(&self.chefin, "/admin/fields", &fields);
        assert_eq!(answer.status, 303, "{name}: {}", answer.text());
    }

    /// What a form of the Fields tab brings.
    fn enter(&self, cookie: &str, values: &[(&str, &str)]) -> (u16, String) {
        let named: Vec<(String, &str)> = values.iter().map(|(name, value)| (format!("field:{name}"), *value)).collect();
        let fields: Vec<(&str, &str)> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let answer = self.site.post(cookie, &format!("/documents/{}/fields", self.mail), &fields);
        (answer.status, unescaped(&answer.text()))
    }

    fn value(&self, name: &str) -> Option<String> {
        let document = self.site.web.archive.view().unwrap().document(self.mail).unwrap().unwrap();
        document.metadata.fields.get(name).cloned()
    }

    fn found(&self, cookie: &str, query: &str) -> usize {
        let query = archivista::web::request::encode(query);
        self.site.get(Some(cookie), &format!("/?q={query}")).text().matches("data-row").count()
    }

    fn tab(&self, cookie: &str) -> String {
        unescaped(&self.site.get(Some(cookie), &format!("/documents/{}/fields", self.mail)).text())
    }
}

#[test]
fn each_kind_takes_what_fits_it_and_is_found_by_its_name() {
    let stage = Stage::new();
    stage.define("Kunde", "text", &[("is_column", "1")]);
    stage.define("Betrag CHF", "number", &[("is_column", "1")]);
    stage.define("Fällig am", "date", &[("is_column", "1")]);
    stage.define("Bezahlt", "yes_no", &[]);
    stage.define("Art", "selection", &[("values", "Offerte\r\nRechnung\r\n\r\nOfferte")]);
    assert_eq!(
        DocumentFields::read(&stage.site.web.archive).unwrap().get("Art").unwrap().values,
        ["Offerte", "Rechnung"]
    );

    for (language, sentences) in [
        ("de", ["Das ist keine Zahl.", "Das ist kein Tag.", "Wählen Sie einen der Werte"]),
        ("en", ["This is no number.", "This is no day.", "Choose one of the values"]),
    ] {
        stage.site.post(&stage.anna, "/account", &[("language", language)]);
        let wrong = [("Kunde", "Muster"), ("Betrag CHF", "zwölf"), ("Fällig am", "31.2.2026"), ("Art", "Mahnung")];
        let (status, page) = stage.enter(&stage.anna, &wrong);
        assert_eq!(status, 400);
        for sentence in sentences {
            assert!(page.contains(sentence), "{sentence}: {page}");
        }
        // What was entered is to be corrected, and nothing of it is kept.
        assert!(wrong.iter().all(|(_, value)| page.contains(&format!("value=\"{value}\""))), "{page}");
        assert!(wrong.iter().all(|(name, _)| stage.value(name).is_none()));
    }
    let good = [
        ("Kunde", "Muster & Söhne"),
        ("Betrag CHF", "1’200,50"),
        ("Fällig am", "21.11.2026"),
        ("Bezahlt", "yes"),
        ("Art", "Rechnung"),
    ];
    assert_eq!(stage.enter(&stage.anna, &good).0, 303);
    let kept = ["Muster & Söhne", "1200.50", "2026-11-21", "yes", "Rechnung"];
    for ((name, _), kept) in good.iter().zip(kept) {
        assert_eq!(stage.value(name).as_deref(), Some(kept));
    }
    let table = unescaped(&stage.site.get(Some(&stage.anna), "/").text());
    for cell in ["Muster & Söhne", "1’200.50", "21.11.2026"] {
        assert!(table.contains(&format!(">{cell}</td>")), "{cell}: {table}");
    }
    assert!(!table.contains("data-field=\"Art\""));
    for (query, found) in [
        ("kunde:muster", 1),
        ("KUNDE:\"muster & söhne\"", 1),
        ("kunde:meier", 0),
        ("\"betrag chf\":1200.5", 1),
        ("\"Betrag CHF\":>2000", 0),
        ("\"fällig am\":2026-11", 1),
        ("\"fällig am\":<1.12.2026", 1),
        ("bezahlt:ja", 1),
        ("bezahlt:nein", 0),
        ("art:rechnung offerte", 1),
        ("art:offerte", 0),
        ("erfunden:x", 0),
    ] {
        assert_eq!(stage.found(&stage.anna, query), found, "{query}");
    }
    // A box that is not ticked comes as an empty value alone.
    assert_eq!(stage.enter(&stage.anna, &[("Bezahlt", ""), ("Kunde", "")]).0, 303);
    assert_eq!((stage.value("Bezahlt"), stage.value("Kunde")), (None, None));
    assert_eq!(stage.found(&stage.anna, "bezahlt:nein"), 1);
    // What was there before a field had its kind stays until somebody changes it.
    stage.site.change(stage.mail, |metadata| drop(metadata.fields.insert("Betrag CHF".into(), "etwa hundert".into())));
    assert_eq!(stage.enter(&stage.anna, &[("Betrag CHF", "etwa hundert"), ("Kunde", "M")]).0, 303);
    assert_eq!(stage.enter(&stage.anna, &[("Betrag CHF", "etwa zwölf")]).0, 400);
    assert_eq!(stage.value("Betrag CHF").as_deref(), Some("etwa hundert"));
}

#[test]
fn names_that_cannot_be_are_refused_with_a_sentence() {
    let stage = Stage::new();
    stage.define("Kunde", "text", &[]);
    for (language, sentences) in [
        (
            "de",
            [
                "Geben Sie einen Namen an.",
                "Dieses Wort gehört",
                "gibt es schon",
                "Höchstens 60",
                "mindestens einen Wert",
            ],
        ),
        (
            "en",
            ["Give a name.", "This word belongs", "There is a field of this name", "At most 60", "at least one value"],
        ),
    ] {
        stage.site.post(&stage.chefin, "/account", &[("language", language)]);
        let tries = [("", "text"), ("Betreff", "text"), ("KUNDE", "number"), ("a:b", "text"), ("Art", "selection")];
        for ((name, kind), sentence) in tries.into_iter().zip(sentences) {
            let answer = stage.site.post(&stage.chefin, "/admin/fields", &[("name", name), ("kind", kind)]);
            assert_eq!(answer.status, 400, "{name}");
            assert!(answer.text().contains(sentence), "{name}: {}", answer.text());
        }
    }
    let rights = [("name", "Lohn"), ("kind", "text"), ("seen_by", "users"), ("seen_names", "anna, niemand")];
    let answer = stage.site.post(&stage.chefin, "/admin/fields", &rights);
    assert!(
        answer.status == 400 && unescaped(&answer.text()).contains("There is no user \"niemand\"."),
        "{}",
        answer.text()
    );
    assert_eq!(DocumentFields::read(&stage.site.web.archive).unwrap().0.len(), 1);
}

#[test]
fn a_field_is_for_whom_it_is_for() {
    let stage = Stage::new();
    let beat = stage.site.user("beat", Role::User, &["anna"]);
    let auditor = stage.site.user("revision", Role::Auditor, &[]);
    stage.define(
        "Lohn",
        "text",
        &[("seen_by", "administrators"), ("changed_by", "administrators"), ("is_column", "1")],
    );
    stage.define("Frist", "text", &[("changed_by", "users"), ("changed_names", "ANNA")]);
    assert_eq!(
        DocumentFields::read(&stage.site.web.archive).unwrap().get("Frist").unwrap().changed_by,
        Who::Users(vec!["anna".into()])
    );
    stage
        .site
        .administer(|all| all.link_title = Some(archivista::settings::administration::Field::Other("Lohn".into())));
    assert_eq!(stage.enter(&stage.chefin, &[("Lohn", "9999 geheim"), ("Frist", "nie")]).0, 303);
    assert_eq!((stage.value("Lohn").as_deref(), stage.value("Frist")), (Some("9999 geheim"), None));
    for (person, sees) in [(&stage.chefin, true), (&auditor, true), (&stage.anna, false), (&beat, false)] {
        for path in ["", "/fields", "/proof"] {
            let page = stage.site.get(Some(person), &format!("/documents/{}{path}", stage.mail)).text();
            assert_eq!(page.contains("9999 geheim"), sees, "{path}: {page}");
            assert!(sees || !page.contains("Lohn"), "{path}: {page}");
        }
        let table = stage.site.get(Some(person), "/").text();
        assert_eq!((table.contains("9999 geheim"), table.contains("Lohn")), (sees, sees));
        for query in ["geheim", "lohn:geheim", "lohn:*"] {
            assert_eq!(stage.found(person, query), usize::from(sees), "{query}");
        }
    }
    // Whoever may not change it does not, whatever the form says.
    stage.enter(&stage.anna, &[("Lohn", "1"), ("Frist", "morgen")]);
    stage.enter(&beat, &[("Lohn", "2"), ("Frist", "heute")]);
    assert_eq!(stage.enter(&auditor, &[("Frist", "x")]).0, 403);
    assert_eq!(
        (stage.value("Lohn").as_deref(), stage.value("Frist").as_deref()),
        (Some("9999 geheim"), Some("morgen"))
    );
    let tab = stage.tab(&beat);
    assert!(tab.contains("<dt>Frist</dt><dd>morgen</dd>") && !tab.contains("field:Frist"), "{tab}");
    // Who may not write into the field for publishing does not publish.
    stage
        .site
        .administer(|all| all.publishing = Some(archivista::settings::administration::Field::Other("Frist".into())));
    let number = stage.mail.to_string();
    let publish = |cookie: &str| {
        stage.site.post(cookie, "/selection", &[("action", "publish"), ("number", number.as_str())]).status
    };
    assert_eq!((publish(&beat), publish(&stage.anna)), (403, 303));
}

#[test]
fn a_field_with_values_is_hidden_and_not_lost() {
    let stage = Stage::new();
    for name in ["Eins", "Zwei", "Drei"] {
        stage.define(name, "text", &[]);
    }
    let order = || {
        let fields = DocumentFields::read(&stage.site.web.archive).unwrap();
        fields.0.iter().map(|field| field.name.clone()).collect::<Vec<_>>()
    };
    stage.site.post(&stage.chefin, "/admin/fields/Drei/move", &[("up", "1")]);
    stage.site.post(&stage.chefin, "/admin/fields/Eins/move", &[("down", "1")]);
    assert_eq!(order(), ["Drei", "Eins", "Zwei"]);
    let tab = stage.tab(&stage.anna);
    let at = |name: &str| tab.find(&format!("field:{name}")).unwrap();
    assert!(at("Drei") < at("Eins") && at("Eins") < at("Zwei"));

    stage.enter(&stage.anna, &[("Eins", "wertvoll")]);
    let path = |name: &str| format!("/admin/fields/{name}/hidden");
    stage
        .site
        .administer(|all| all.file_name = Some(archivista::settings::administration::Field::Other("Zwei".into())));
    let refused = stage.site.post(&stage.chefin, &path("Zwei"), &[]);
    assert!(refused.status == 400 && refused.text().contains("Choose another one there first."), "{}", refused.text());
    for name in ["Eins", "Drei"] {
        assert_eq!(stage.site.post(&stage.chefin, &path(name), &[]).status, 303);
    }
    assert_eq!(order(), ["Eins", "Zwei"]);
    assert!(!stage.tab(&stage.anna).contains("wertvoll"));
    assert_eq!(stage.found(&stage.anna, "wertvoll"), 0);
    assert_eq!(stage.value("Eins").as_deref(), Some("wertvoll"));
    assert_eq!(stage.site.get(Some(&stage.chefin), "/admin/fields/Eins").status, 404);
    let answer = stage.site.post(&stage.chefin, "/admin/fields", &[("name", "eins"), ("kind", "date")]);
    assert_eq!(answer.status, 400, "its name is taken");
    assert_eq!(stage.site.post(&stage.chefin, &path("Eins"), &[("back", "1")]).status, 303);
    assert!(stage.tab(&stage.anna).contains("wertvoll"));
    assert_eq!(DocumentFields::read(&stage.site.web.archive).unwrap().kind("Eins"), Kind::Text);
}

#[test]
fn existing_values_are_offered_from_own_documents_only() {
    let stage = Stage::new();
    let beat = stage.site.user("beat", Role::User, &["beat"]);
    stage.define("Kunde", "text", &[]);
    let theirs = stage.site.mail("beat", b"Subject: x\r\n\r\nx\r\n", 1_700_000_001);
    for (number, value) in [(stage.mail, "Anna AG"), (theirs, "Beat AG")] {
        stage.site.change(number, move |metadata| drop(metadata.fields.insert("Kunde".into(), value.into())));
    }
    for n in 0..5 {
        let mail = stage.site.mail("anna", format!("Subject: {n}\r\n\r\nx\r\n").as_bytes(), 1_700_000_002);
        stage
            .site
            .change(mail, move |metadata| drop(metadata.fields.insert("Kunde".into(), format!("Firma {}", n / 2))));
    }
    assert!(!stage.tab(&stage.anna).contains("<datalist"));
    stage.site.administer(|all| all.combobox = 3);
    let offered = |cookie: &str, number: u64| -> Vec<String> {
        let page = stage.site.get(Some(cookie), &format!("/documents/{number}/fields")).text();
        let (_, list) = page.split_once("<datalist").unwrap();
        let list = list.split_once("</datalist>").unwrap().0.to_owned();
        list.split("value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    assert_eq!(offered(&stage.anna, stage.mail), ["Anna AG", "Firma 0", "Firma 1"]);
    assert_eq!(offered(&beat, theirs), ["Beat AG"]);
}

/// The form as a browser sends it back: every input with what was shown in it.
fn form(page: &str) -> Vec<(String, String)> {
    let value = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split_once('"')?.0.replace("&quot;", "\"").replace("&amp;", "&"))
    };
    let mut fields = Vec::new();
    for tag in page.split('<').filter(|tag| tag.starts_with("input ")) {
        let is_sent = !tag.contains("type=\"checkbox\"") || tag.contains(" checked");
        if let (Some(name), true) = (value(tag, "name"), is_sent) {
            fields.push((name, value(tag, "value").unwrap_or_default()));
        }
    }
    fields
}

/// A tab that was open while a program, or somebody else, wrote other fields; and a box to tick over an earlier text.
#[test]
fn saving_one_field_puts_back_no_other() {
    let stage = Stage::new();
    stage.define("Kunde", "text", &[]);
    stage.define("Bezahlt", "text", &[]);
    stage.site.change(stage.mail, |metadata| drop(metadata.fields.insert("Bezahlt".into(), "bar bezahlt".into())));
    let change = [("kind", "yes_no")];
    assert_eq!(stage.site.post(&stage.chefin, "/admin/fields/Bezahlt", &change).status, 303);
    let path = format!("/documents/{}/fields", stage.mail);
    let mut sent = form(&stage.site.get(Some(&stage.anna), &path).text());
    stage.site.change(stage.mail, |metadata| {
        metadata.fields.insert("Kunde".into(), "Muster".into());
        metadata.note = "von Beat".into();
    });
    sent.retain(|(name, _)| name != "note");
    sent.push(("note".into(), String::new()));
    let save = |entered: &[(String, String)]| {
        let entered: Vec<(&str, &str)> = entered.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(stage.site.post(&stage.anna, &path, &entered).status, 303);
    };
    save(&sent);
    let note = || stage.site.web.archive.view().unwrap().document(stage.mail).unwrap().unwrap().metadata.note;
    assert_eq!(
        (stage.value("Kunde").as_deref(), stage.value("Bezahlt").as_deref()),
        (Some("Muster"), Some("bar bezahlt"))
    );
    assert_eq!(note(), "von Beat");
    // What was entered counts.
    for (name, value) in &mut sent {
        if name == "field:Kunde" {
            *value = "Meier".into();
        }
    }
    sent.push(("field:Bezahlt".into(), "yes".into()));
    save(&sent);
    assert_eq!((stage.value("Kunde").as_deref(), stage.value("Bezahlt").as_deref()), (Some("Meier"), Some("yes")));
}
