//! Promise: compilations and rights work with real clicks, scroll nowhere sideways from 360 px on, and have nothing that axe finds
//! serious, light and dark.

use crate::support::browser;
use crate::support::served::Served;
use crate::support::web::Site;
use archivista::language::Lang;
use archivista::settings::document_fields::{DocumentField, DocumentFields};
use archivista::settings::password::Password;
use archivista::settings::users::{self, Role, User};
use archivista::settings::{self, definition_file};
use serde_json::json;

/// Of `people.mjs`.
const PASSWORD: &str = "Ein ganzer Satz ist gut.";

/// Anna administers and reads everything.
fn site() -> Site {
    let site = Site::new();
    site.user("anna", Role::Administrator, &[]);
    let mut anna = users::user(&site.web.archive, "anna").unwrap().unwrap();
    anna.password = Password::new(PASSWORD).unwrap();
    anna.language = Some(Lang::De);
    users::put_user(&site.web.archive, &anna, "test").unwrap();
    site
}

#[test]
fn a_compilation_is_made_and_visited() {
    let site = site();
    let anna = site.session("anna");
    for name in ["prospekt.txt", "lageplan.txt", "intern.txt"] {
        site.file(&anna, name, name.as_bytes());
    }
    let mail = b"From: Anna <anna@example.ch>\r\nTo: alle@example.ch\r\nSubject: Einladung\r\n\r\nGuten Tag\r\n";
    site.mail("anna", mail, 1_700_000_000);
    let fields = DocumentFields(vec![DocumentField { name: "Web".into(), ..DocumentField::default() }]);
    fields.write(&site.web.archive, "test").unwrap();
    site.administer(|all| all.archive_name = "Muster & Söhne AG".into());
    let served = Served::of(&site);
    browser::flow("compilations", &served.origin, &json!({ "language": "de-CH" }));
}

#[test]
fn rights_are_given_and_a_definition_ends() {
    let site = site();
    for number in 0..200 {
        site.mail(&format!("m{number:03}"), format!("Subject: {number}\r\n\r\nx").as_bytes(), number);
    }
    let model = users::user(&site.web.archive, "anna").unwrap().unwrap();
    for number in 0..50 {
        let user = User { name: format!("u{number:02}"), role: Role::User, ..model.clone() };
        users::put_user(&site.web.archive, &user, "test").unwrap();
    }
    let file = site.data().with_file_name("company.toml");
    let text =
        "name = 'company'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = 9\naccount = 'anna'\npassword = 'geheim'\n";
    std::fs::write(&file, text).unwrap();
    settings::put(&site.web.archive, &definition_file::read(&file).unwrap(), "test").unwrap();
    let served = Served::of(&site);
    browser::flow("rights", &served.origin, &json!({ "language": "de-CH" }));
}
