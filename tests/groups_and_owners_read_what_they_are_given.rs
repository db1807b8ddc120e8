//! Promise: a right is given to a user, to a group, or to the owner of a definition, and holds and ends at once; whoever has none
//! learns of a document neither title nor number, and not that there is one: not by search, table, links, counts, versions, field
//! suggestions, compilations, nor by the API.

use crate::support::web::{Answer, Site};
use archivista::settings::administration::{Field, Versioning};
use archivista::settings::document_fields::{DocumentField, DocumentFields, Who};
use archivista::settings::groups::{self, Group};
use archivista::settings::tokens::Rights;
use archivista::settings::users::{self, MailboxId, Role};
use archivista::settings::{self, definition_file};
use archivista::web::request::Method;
use serde_json::{Value, json};

const ALL: Rights = Rights { read: true, change: true, administer: true, metrics: true };
const MAIL: &[u8] = b"From: a@example.ch\r\nSubject: Geheimsache\r\n\r\nhello\r\n";

struct Stage {
    site: Site,
    chefin: String,
    beat: String,
    mail: u64,
}

/// Anna's mailbox in definition `company`; Beat may read nothing.
fn stage() -> Stage {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    let beat = site.user("beat", Role::User, &[]);
    site.user("anna", Role::User, &["anna"]);
    define(&site, "company", "");
    let mail = site.mail("anna", MAIL, 1_700_000_000);
    site.change(mail, |metadata| {
        metadata.fields.insert("Kunde".into(), "Geheimkunde".into());
    });
    Stage { site, chefin, beat, mail }
}

fn define(site: &Site, name: &str, owner: &str) {
    let file = site.data().with_file_name("definition.toml");
    let text = format!(
        "name = '{name}'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = 9\nencryption = 'none'\naccount = 'anna'\n\
         password = 'geheim'\nowner = '{owner}'\n"
    );
    std::fs::write(&file, text).unwrap();
    settings::put(&site.web.archive, &definition_file::read(&file).unwrap(), "test").unwrap();
}

impl Stage {
    fn admin(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.site.post(&self.chefin, path, fields)
    }

    fn done(&self, path: &str, fields: &[(&str, &str)]) {
        let answer = self.admin(path, fields);
        assert_eq!(answer.status, 303, "{path} {fields:?}: {}", answer.text());
    }

    /// Ticks or unticks one box of the matrix.
    fn right(&self, holder: &str, reads: bool) {
        let name = if reads { "is" } else { "was" };
        self.done("/admin/rights", &[("mailbox", "company\r\nanna"), ("holder", holder), (name, "0.0")]);
    }

    /// Whether Beat gets to see the mail, everywhere the same.
    fn beat_reads(&self) -> bool {
        let site = &self.site;
        let number = self.mail;
        let page = |path: &str| site.get(Some(&self.beat), path);
        let token = site.api_token("beat", ALL);
        let call = |path: &str| site.call(&token, Method::Get, path, &Value::Null);
        let reads = page(&format!("/documents/{number}")).status == 200;
        for path in ["fields", "source", "proof", "html", "download"] {
            let expected = if reads { 200 } else { 404 };
            assert_eq!(page(&format!("/documents/{number}/{path}")).status, expected, "{path}");
        }
        assert_eq!(page(&format!("/go/{number}")).status, if reads { 303 } else { 404 });
        for path in ["/", "/?q=geheimsache", "/?sort=title", "/?sort=number", "/?q=kunde:geheimkunde"] {
            assert_eq!(page(path).text().contains("Geheimsache"), reads, "{path}");
        }
        let links = [("action", "links"), ("number", &*number.to_string())];
        assert_eq!(site.post(&self.beat, "/selection", &links).text().contains("Geheimsache"), reads);
        for below in ["", "/proof", "/link", "/content"] {
            let path = format!("/documents/{number}{below}");
            assert_eq!(call(&path).status, if reads { 200 } else { 404 }, "{path}");
            if !reads {
                assert_eq!(call(&path).text(), call(&format!("/documents/4711{below}")).text(), "{path}");
            }
        }
        let found = call("/documents").json();
        assert_eq!(found["documents"].as_array().unwrap().len(), usize::from(reads), "{found}");
        reads
    }
}

#[test]
fn a_right_holds_and_ends_at_once_however_it_is_given() {
    let stage = stage();
    assert!(!stage.beat_reads());
    stage.right("user:beat", true);
    assert!(stage.beat_reads());
    stage.right("user:beat", false);
    assert!(!stage.beat_reads());
    // By a group that has the mailbox, as long as he is in it and it has it.
    stage.done("/admin/groups", &[("group", "Verkauf Süd"), ("member", "beat")]);
    assert!(!stage.beat_reads());
    stage.right("group:verkauf süd", true);
    assert!(stage.beat_reads());
    let group = "/admin/groups/Verkauf%20S%C3%BCd";
    stage.done(group, &[("was", "beat"), ("member", "anna")]);
    assert!(!stage.beat_reads());
    stage.done(group, &[("was", "anna"), ("member", "anna"), ("member", "BEAT"), ("member", "nobody")]);
    assert!(stage.beat_reads());
    assert_eq!(groups::groups(&stage.site.web.archive).unwrap()[0].members, ["anna", "beat"]);
    stage.done(&format!("{group}/delete"), &[]);
    assert!(!stage.beat_reads());
    // A group of that name made anew is another one.
    stage.done("/admin/groups", &[("group", "Verkauf Süd"), ("member", "beat")]);
    assert!(!stage.beat_reads());
    // By a definition that belongs to him, or to his group.
    let edit = |owner: &str| {
        stage.admin(
            "/admin/sources/company/edit",
            &[
                ("server", "127.0.0.1"),
                ("port", "9"),
                ("encryption", "none"),
                ("account", "anna"),
                ("password", ""),
                ("interval_minutes", "5"),
                ("owner", owner),
            ],
        )
    };
    for (owner, reads) in [("beat", true), ("anna", false), ("Verkauf Süd", true), ("", false)] {
        assert_eq!(edit(owner).status, 303, "{owner}");
        assert_eq!(stage.beat_reads(), reads, "{owner}");
    }
    let wrong = edit("niemand");
    assert!(wrong.status == 400 && wrong.text().contains("neither a user nor a group"), "{}", wrong.text());
    let page = stage.site.get(Some(&stage.chefin), "/admin/sources/company/edit").text();
    assert!(
        page.contains("<option value=\"Verkauf Süd\">") && page.contains("reads all that this definition archives")
    );
}

#[test]
fn a_name_that_is_given_again_gives_no_right_of_its_predecessor() {
    let stage = stage();
    let archive = &stage.site.web.archive;
    define(&stage.site, "company", "beat");
    stage.done("/admin/groups", &[("group", "Verkauf"), ("member", "beat"), ("member", "anna")]);
    assert!(stage.beat_reads());
    // Whoever owns a definition is not removed before that belongs to somebody else.
    let refused = stage.admin("/admin/users/beat/delete", &[]);
    assert!(refused.status == 400 && refused.text().contains("another owner: company"), "{}", refused.text());
    define(&stage.site, "company", "Verkauf");
    let refused = stage.admin("/admin/groups/Verkauf/delete", &[]);
    assert!(refused.status == 400 && refused.text().contains("another owner: company"), "{}", refused.text());
    let field =
        DocumentField { name: "Lohn".into(), seen_by: Who::Users(vec!["beat".into()]), ..DocumentField::default() };
    DocumentFields(vec![field]).write(archive, "test").unwrap();
    let before = users::user(archive, "beat").unwrap().unwrap();
    let before = users::User { mailboxes: Vec::new(), ..before };
    stage.done("/admin/users/beat/delete", &[]);
    assert_eq!(DocumentFields::read(archive).unwrap().0[0].seen_by, Who::Users(Vec::new()));
    assert_eq!(groups::group(archive, "verkauf").unwrap().unwrap().members, ["anna"]);
    // One name, one meaning.
    let user = |name: &str| {
        let password = "a long enough password";
        stage.admin("/admin/users", &[("user", name), ("role", "user"), ("password", password), ("again", password)])
    };
    assert!(user("VERKAUF").text().contains("A group has this name already."));
    for (name, said) in
        [("anna", "already"), ("verkauf", "already"), ("a/b", "The name of a group has"), ("", "The name of")]
    {
        let answer = stage.admin("/admin/groups", &[("group", name)]);
        assert!(answer.status == 400 && answer.text().contains(said), "{name}: {}", answer.text());
    }
    define(&stage.site, "company", "spaeter");
    assert!(user("spaeter").text().contains("A definition has an owner of this name"));
    let answer = stage.admin("/admin/groups", &[("group", "Spaeter")]);
    assert!(answer.text().contains("A definition has an owner of this name"), "{}", answer.text());
    assert_eq!(user("beat").status, 400, "the journal names the one before");
    // Older releases gave a name again.
    users::put_user(archive, &users::User { created: before.created + 1, ..before }, "test").unwrap();
    let beat = stage.site.session("beat");
    assert!(!Stage { beat, ..stage }.beat_reads());
}

#[test]
fn a_user_learns_nothing_of_what_a_group_next_to_him_reads() {
    let stage = stage();
    let site = &stage.site;
    stage.done("/admin/groups", &[("group", "Verkauf"), ("member", "anna")]);
    stage.right("group:Verkauf", true);
    site.administer(|all| {
        all.combobox = 50;
        all.versioning = Versioning::Key;
        all.version_key = Some(Field::Other("Kunde".into()));
        all.publishing = Some(Field::Other("Web".into()));
    });
    let own = site.file(&stage.beat, "eigen.txt", b"eigen");
    site.change(own, |metadata| drop(metadata.fields.insert("Kunde".into(), "Geheimkunde".into())));
    let anna = site.session("anna");
    site.post(&anna, "/compilations", &[("title", "Brief"), ("number", &stage.mail.to_string())]);
    let seen = |cookie: &str| {
        let pages = [
            "/".to_owned(),
            "/?q=kunde:geheimkunde".to_owned(),
            "/compilations".to_owned(),
            "/compilations/brief".to_owned(),
            format!("/documents/{own}"),
        ];
        pages.map(|path| site.get(Some(cookie), &path).text()).concat()
    };
    let pages = seen(&stage.beat);
    assert!(!pages.contains("Geheimsache") && !pages.contains("Brief"), "{pages}");
    // Versions of one key: he sees his own only, and of values of the field those of his own documents.
    assert!(!pages.contains("<ol reversed>"), "{pages}");
    site.change(own, |metadata| drop(metadata.fields.insert("Kunde".into(), "Meier".into())));
    let fields = site.get(Some(&stage.beat), &format!("/documents/{own}/fields")).text();
    assert!(fields.contains("<option value=\"Meier\">") && !fields.contains("Geheimkunde"), "{fields}");
    // Nor does a number that he guesses get into a compilation of his.
    let made = site.post(&stage.beat, "/compilations", &[("title", "Mein"), ("number", &stage.mail.to_string())]);
    let unknown = site.post(&stage.beat, "/compilations", &[("title", "Mein"), ("number", "4711")]);
    assert_eq!((made.status, unknown.status), (400, 400));
    let plain = |answer: &Answer| answer.text().replace("4711", &stage.mail.to_string());
    assert_eq!(plain(&made), plain(&unknown));
    // A token without a right to documents gives no look at them, whatever its owner's groups.
    let token = site.api_token("anna", Rights { metrics: true, ..Rights::default() });
    assert_eq!(site.call(&token, Method::Get, "/documents", &Value::Null).status, 403);
    assert_eq!(site.call(&token, Method::Get, "/compilations", &Value::Null).status, 403);
}

#[test]
fn the_matrix_changes_only_what_somebody_changed() {
    let stage = stage();
    let site = &stage.site;
    site.mail("beat", b"Subject: x\r\n\r\nx", 1);
    let both = [("mailbox", "company\nanna"), ("mailbox", "company\nbeat"), ("holder", "user:beat")];
    let mailboxes = || {
        let user = users::user(&site.web.archive, "beat").unwrap().unwrap();
        user.mailboxes.into_iter().map(|id| id.mailbox).collect::<Vec<_>>()
    };
    stage.done("/admin/rights", &[&both[..], &[("is", "0.0"), ("is", "1.0")]].concat());
    assert_eq!(mailboxes(), ["anna", "beat"]);
    // Somebody else takes one away; whoever still has the older page gives a third without bringing it back.
    stage.done("/admin/rights", &[&both[..], &[("was", "0.0"), ("was", "1.0"), ("is", "1.0")]].concat());
    stage.done("/admin/rights", &[&both[..], &[("was", "0.0"), ("is", "0.0"), ("was", "1.0")]].concat());
    assert_eq!(mailboxes(), [""; 0]);
    // What is none is no right; who reads everything is given none.
    for holder in ["user:nobody", "group:nobody", "user:chefin", "x", "group:"] {
        stage.done("/admin/rights", &[("mailbox", "company\nanna"), ("holder", holder), ("is", "0.0")]);
    }
    stage.done("/admin/rights", &[("mailbox", "company\nfremd"), ("holder", "user:beat"), ("is", "0.0")]);
    assert_eq!(mailboxes(), [""; 0]);
    assert_eq!(stage.admin("/admin/rights", &[("is", "7.7")]).status, 404);
    // The API, likewise.
    let token = site.api_token("chefin", ALL);
    let change = |body: Value| site.call(&token, Method::Patch, "/rights", &json!({ "changes": [body] }));
    let right = |more: Value| {
        let mut right = json!({ "definition": "company", "mailbox": "anna", "reads": true });
        right.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        right
    };
    assert_eq!(change(right(json!({ "user": "beat" }))).status, 204);
    assert_eq!(mailboxes(), ["anna"]);
    for wrong in [
        json!({}),
        json!({ "user": "beat", "group": "x" }),
        json!({ "user": "nobody" }),
        json!({ "group": "nobody" }),
        json!({ "user": "chefin" }),
        json!({ "user": "beat", "mailbox": "fremd" }),
    ] {
        let answer = change(right(wrong.clone()));
        assert_eq!((answer.status, &answer.json()["errors"][0]["at"]), (400, &json!("/changes/0")), "{wrong}");
    }
    let rights = site.call(&token, Method::Get, "/rights", &Value::Null).json();
    let row = rights["mailboxes"].as_array().unwrap().iter().find(|row| row["mailbox"] == "anna").unwrap();
    assert_eq!((&row["users"], &row["groups"], &row["owner"]), (&json!(["anna", "beat"]), &json!([]), &json!("")));
}

#[test]
fn groups_are_managed_by_the_api() {
    let stage = stage();
    let token = stage.site.api_token("chefin", ALL);
    let call = |method, path: &str, body: Value| stage.site.call(&token, method, path, &body);
    let made = call(Method::Post, "/groups", json!({ "name": "Verkauf", "members": ["beat"] }));
    assert_eq!((made.status, &made.json()["members"]), (201, &json!(["beat"])), "{}", made.text());
    let mailbox = json!({ "definition": "company", "mailbox": "anna" });
    let changed = call(Method::Patch, "/groups/Verkauf", json!({ "mailboxes": [mailbox] }));
    assert_eq!((changed.status, &changed.json()["mailboxes"]), (200, &json!([mailbox])));
    assert!(stage.beat_reads());
    for (method, path, body, at) in [
        (Method::Post, "/groups", json!({ "name": "verkauf" }), "/name"),
        (Method::Post, "/groups", json!({ "name": "Neu", "members": ["beat", "nobody"] }), "/members/1"),
        (
            Method::Patch,
            "/groups/Verkauf",
            json!({ "mailboxes": [{ "definition": "x", "mailbox": "y" }] }),
            "/mailboxes/0",
        ),
        (Method::Patch, "/definitions/company", json!({ "owner": "niemand" }), "/owner"),
    ] {
        let answer = call(method, path, body);
        assert_eq!((answer.status, &answer.json()["errors"][0]["at"]), (400, &json!(at)), "{}", answer.text());
    }
    assert_eq!(call(Method::Patch, "/definitions/company", json!({ "owner": "Verkauf" })).status, 200);
    assert_eq!(call(Method::Delete, "/groups/Verkauf", Value::Null).status, 409);
    assert_eq!(call(Method::Patch, "/definitions/company", json!({ "owner": "" })).status, 200);
    assert_eq!(call(Method::Patch, "/groups/Verkauf", json!({ "members": [] })).status, 200);
    assert!(!stage.beat_reads());
    assert_eq!(call(Method::Delete, "/groups/Verkauf", Value::Null).status, 204);
    assert_eq!(call(Method::Get, "/groups/Verkauf", Value::Null).status, 404);
    assert_eq!(call(Method::Get, "/groups", Value::Null).json(), json!({ "groups": [] }));
}

/// A document is one for all who have it; who has it too, who had it first and when is nobody's business.
#[test]
fn a_mail_that_others_have_too_tells_nothing_of_them() {
    let stage = stage();
    let site = &stage.site;
    site.user("carla", Role::User, &[]);
    define(site, "first", "carla");
    define(site, "second", "beat");
    let raw = b"From: a@example.ch\r\nSubject: An alle\r\n\r\nhello\r\n";
    let number = site.mail_of("first", ("carla", "carla@example.ch"), raw, 1_700_000_000);
    site.change(number, |metadata| {
        metadata.archived = 1_600_000_000;
        metadata.fields.insert("Projekt".into(), "Blau".into());
    });
    let secret = site.mail_of("first", ("carla", "carla@example.ch"), b"Subject: Carlas\r\n\r\nx\r\n", 1);
    site.change(secret, |metadata| drop(metadata.fields.insert("Nur Carla".into(), "Rot".into())));
    assert_eq!(site.mail_of("second", ("beat", "beat@example.ch"), raw, 1_700_000_001), number);
    let token = site.api_token("beat", ALL);
    let call = |path: &str| site.call(&token, Method::Get, path, &Value::Null).json();
    let document = call(&format!("/documents/{number}"));
    assert_eq!(document["owner"], "beat");
    assert!(document["archived"].as_str().unwrap() > "2020-12", "{document}");
    let proof = call(&format!("/documents/{number}/proof"));
    assert_eq!(proof["archived"], document["archived"]);
    let first = site.web.archive.view().unwrap().document_row(number).unwrap().unwrap().commit;
    assert!(proof["commit"].as_u64().unwrap() > first, "{proof}");
    let found = |query: &str| call(&format!("/documents?q={query}"))["documents"].as_array().unwrap().len();
    assert_eq!((found("owner:carla"), found("owner:beat"), found("projekt:blau")), (0, 1, 1));
    // Of a field that only others have no search tells: it is a word as any other, and none that wants a value.
    assert_eq!(call("/documents?q=%22nur+carla:%22")["hints"], call("/documents?q=%22nur+niemand:%22")["hints"]);
    assert_eq!(found("%22nur+carla:rot%22"), 0);
    for path in [
        "/".to_owned(),
        "/?reduced=0".into(),
        format!("/documents/{number}/fields"),
        format!("/documents/{number}/proof"),
    ] {
        let page = site.get(Some(&stage.beat), &path);
        assert!(page.status == 200 && !page.text().contains("carla"), "{path}: {}", page.text());
    }
    // Whoever reads everything sees what is stored.
    let chefin = site.api_token("chefin", ALL);
    let document = site.call(&chefin, Method::Get, &format!("/documents/{number}"), &Value::Null).json();
    assert_eq!((&document["owner"], document["archived"].as_str().unwrap() < "2020-12"), (&json!("carla"), true));
}

#[test]
fn old_pages_bring_nothing_back() {
    let stage = stage();
    let archive = &stage.site.web.archive;
    let members = || groups::group(archive, "Verkauf").unwrap().unwrap().members;
    stage.done("/admin/groups", &[("group", "Verkauf"), ("member", "beat"), ("member", "anna")]);
    let page = stage.site.get(Some(&stage.chefin), "/admin/groups/Verkauf").text();
    assert!(page.contains("name=\"was\" value=\"beat\"") && page.contains("name=\"was\" value=\"anna\""), "{page}");
    // Somebody else takes Beat out; whoever still has the page from before adds the administrator.
    stage.done("/admin/groups/Verkauf", &[("was", "anna"), ("was", "beat"), ("member", "anna")]);
    let old = [("was", "anna"), ("was", "beat"), ("member", "anna"), ("member", "beat"), ("member", "chefin")];
    stage.done("/admin/groups/Verkauf", &old);
    assert_eq!(members(), ["anna", "chefin"]);

    let beat = || users::user(archive, "beat").unwrap().unwrap();
    let was = [("was:role", "user"), ("was:inactive", ""), ("was:reads_all", "")];
    let with = |more: &[(&'static str, &'static str)]| [&was[..], more].concat();
    stage.done("/admin/users/beat", &with(&[("role", "auditor"), ("inactive", "1")]));
    // The page from before says nothing of either, and has a new password only.
    let password = [("role", "user"), ("password", "another long password"), ("again", "another long password")];
    stage.done("/admin/users/beat", &with(&password));
    assert_eq!((beat().role, beat().inactive), (Role::Auditor, true));
    let page = stage.site.get(Some(&stage.chefin), "/admin/users/beat").text();
    assert!(page.contains("name=\"was:role\" value=\"auditor\"") && page.contains("name=\"was:inactive\" value=\"1\""));
}

/// What was read of a mailbox before a switch is read afterwards, by a right that is shown, taken away, and bound to the mailbox
/// and not to its name.
#[test]
fn a_right_follows_its_mailbox_through_a_switch_once() {
    let stage = stage();
    let site = &stage.site;
    let archive = &site.web.archive;
    define(site, "cloud", "");
    let cloud = settings::definition(archive, "cloud").unwrap();
    settings::put(archive, &settings::Definition { succeeds: Some("company".into()), ..cloud }, "test").unwrap();
    stage.right("user:beat", true);
    let in_cloud = |mailbox: &str, subject: &str| {
        let raw = format!("Subject: {subject}\r\n\r\nx\r\n");
        site.mail_of("cloud", (mailbox, "ANNA"), raw.as_bytes(), 1)
    };
    let reads = |number: u64| site.get(Some(&stage.beat), &format!("/documents/{number}")).status == 200;
    let first = in_cloud("object-1", "nach dem Wechsel");
    assert!(reads(first));
    let given = || users::user(archive, "beat").unwrap().unwrap().mailboxes;
    let right = |mailbox: &str| MailboxId { definition: "cloud".into(), mailbox: mailbox.into() };
    assert!(given().contains(&right("object-1")));
    // The name is given to somebody else.
    let other = in_cloud("object-2", "einer anderen Person");
    assert!(!reads(other) && !given().contains(&right("object-2")));
    let token = site.api_token("chefin", ALL);
    let change = |mailbox: &str| {
        let change = json!({ "definition": "cloud", "mailbox": mailbox, "user": "beat", "reads": false });
        let answer = site.call(&token, Method::Patch, "/rights", &json!({ "changes": [change] }));
        assert_eq!(answer.status, 204, "{}", answer.text());
    };
    change("object-1");
    change("object-2");
    let third = in_cloud("object-1", "noch eine");
    assert!(!reads(first) && !reads(other) && !reads(third), "what was taken away stays away");
}

#[test]
fn two_hundred_mailboxes_and_fifty_users_are_shown_page_by_page() {
    let site = Site::new();
    let chefin = site.user("chefin", Role::Administrator, &[]);
    for number in 0..200 {
        site.mail(&format!("m{number:03}"), format!("Subject: {number}\r\n\r\nx").as_bytes(), number);
    }
    // Not through the page: fifty passwords take their time.
    let model = {
        site.user("model", Role::User, &[]);
        users::user(&site.web.archive, "model").unwrap().unwrap()
    };
    users::remove_user(&site.web.archive, "model", "test").unwrap();
    for number in 0..50 {
        let user = users::User { name: format!("u{number:02}"), ..model.clone() };
        users::put_user(&site.web.archive, &user, "test").unwrap();
    }
    let group = Group {
        name: "Alle".into(),
        members: vec!["u00".into()],
        mailboxes: vec![MailboxId { definition: "company".into(), mailbox: "m001".into() }],
    };
    groups::put_group(&site.web.archive, &group, "test").unwrap();
    let page = |query: &str| site.get(Some(&chefin), &format!("/admin/rights{query}")).text();
    let boxes = |page: &str| page.matches("type=\"checkbox\"").count();
    let first = page("");
    assert_eq!(boxes(&first), 50 * 12);
    assert!(first.contains("m000@") && first.contains("m049@") && !first.contains("m050@"), "{first}");
    assert!(first.contains("by group") && first.contains("Read everything: chefin"), "{first}");
    let last = page("?row=150&column=48");
    assert_eq!(boxes(&last), 50 * 3);
    assert!(last.contains("m199@") && last.contains(">u49<"), "{last}");
    let found = page("?mailboxes=m123&people=U4");
    assert_eq!(boxes(&found), 10);
    assert!(page("?people=nobody").contains("Nothing fits the filter."));
    // A place beyond the end is the beginning.
    assert_eq!(boxes(&page("?row=999999&column=x")), 50 * 12);
}

#[test]
fn an_auditor_reads_all_and_each_access_is_in_the_journal() {
    let stage = stage();
    let site = &stage.site;
    site.user("revision", Role::Auditor, &[]);
    let file = site.file(&stage.beat, "plan.pdf", b"%PDF-1.7");
    let looked = |number: u64| {
        let is = |event: &archivista::archive::commit::Event| event.who == "revision" && event.what.names(number);
        site.journal().iter().filter(|event| is(event)).count()
    };
    let (mail, file_page) = (stage.mail, format!("/documents/{file}"));
    for path in ["", "/fields", "/source", "/proof", "/html", "/download"] {
        let before = looked(mail);
        let cookie = site.session("revision");
        assert_eq!(site.get(Some(&cookie), &format!("/documents/{mail}{path}")).status, 200, "{path}");
        assert_eq!(looked(mail), before + 1, "{path}");
    }
    for path in ["", "/file", "/download"] {
        let before = looked(file);
        let cookie = site.session("revision");
        assert_eq!(site.get(Some(&cookie), &format!("{file_page}{path}")).status, 200, "{path}");
        assert_eq!(looked(file), before + 1, "{path}");
    }
    for below in ["", "/content", "/html", "/proof"] {
        let before = looked(mail);
        let token = site.api_token("revision", ALL);
        let answer = site.call(&token, Method::Get, &format!("/documents/{mail}{below}"), &Value::Null);
        assert_eq!(answer.status, 200, "{below}");
        assert_eq!(looked(mail), before + 1, "{below}");
    }
    let token = site.api_token("revision", ALL);
    for (path, body) in [
        (format!("/documents/{mail}"), json!({ "note": "x" })),
        ("/compilations".to_owned(), json!({ "title": "x" })),
        ("/groups".to_owned(), json!({ "name": "x" })),
        ("/rights".to_owned(), json!({ "changes": [] })),
    ] {
        let method = if path == "/compilations" || path == "/groups" { Method::Post } else { Method::Patch };
        assert_eq!(site.call(&token, method, &path, &body).status, 403, "{path}");
    }
}
