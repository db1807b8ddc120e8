//! Promise: the pages of the administration are for administrators alone, and change nothing unless a page of the same
//! session sent the form.

use crate::support::administering::Administering;
use crate::support::archivista::Archivista;
use crate::support::serving::{ADMINISTRATOR, Serving};
use archivista::web::request::Method;
use archivista::web::routes::{self, Access};

const PASSWORD: &str = "Auch ein ganzer Satz.";

/// Every page for administrators, as method and path.
fn pages() -> Vec<(Method, String)> {
    let filled = |path: &str| {
        let path =
            path.replace("{name}", "muster").replace("{module}", "imap").replace("{folder}", "1").replace("{id}", "1");
        assert!(!path.contains('{'), "{path}");
        path
    };
    let all = routes::all().filter(|route| route.access == Access::Administrator);
    let pages: Vec<(Method, String)> = all.map(|route| (route.method, filled(route.path))).collect();
    assert!(pages.iter().filter(|(_, path)| path.starts_with("/admin")).count() >= 19);
    pages
}

fn define(admin: &mut Administering) {
    let fields = [
        ("name", "muster"),
        ("server", "imap.example.ch"),
        ("account", "a@example.ch"),
        ("password", "geheim"),
        ("inactive", "1"),
    ];
    admin.done("/admin/new/imap", &fields);
}

#[test]
fn nobody_else_sees_or_does_anything() {
    let archivista = Archivista::new();
    let (serving, mut admin) = Administering::start(&archivista, &["geheim"]);
    define(&mut admin);
    for (name, role) in [("udo", "user"), ("rita", "auditor")] {
        let fields = [("user", name), ("role", role), ("password", PASSWORD), ("again", PASSWORD)];
        admin.done("/admin/users", &fields);
        let mut other = Administering::of(serving.log_in(name, PASSWORD), &[]);
        for (method, path) in pages() {
            let answer = if method == Method::Post { other.post(&path, &[("inactive", "")]) } else { other.get(&path) };
            assert_eq!(answer.status, 403, "{name} {path}");
            assert!(!answer.text().contains("muster"), "{path}");
        }
    }
    let mut visitor = serving.visitor();
    for (method, path) in pages() {
        let answer = if method == Method::Post { visitor.post(&path, &[]) } else { visitor.get(&path) };
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").unwrap().starts_with("/login"), "{path}");
    }
    let source = admin.page("/admin/sources/muster");
    assert!(source.contains("Inactive"), "{source}");
}

#[test]
fn a_form_from_elsewhere_is_refused() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut admin = Administering::of(serving.set_up(), &[]);
    define(&mut admin);
    let mut other = serving.log_in(ADMINISTRATOR.0, ADMINISTRATOR.1);
    let foreign = other.get("/account").csrf();
    for (_, path) in pages().into_iter().filter(|(method, _)| *method == Method::Post) {
        assert_eq!(admin.browser.post(&path, &[]).status, 403, "{path} without a token");
        assert_eq!(admin.browser.post(&path, &[("csrf", &foreign)]).status, 403, "{path} with another session's token");
        let own = admin.browser.get("/account").csrf();
        let answer = admin.browser.post_from("https://evil.example", &path, &[("csrf", &own)]);
        assert_eq!(answer.status, 403, "{path} from another site");
    }
    assert!(admin.page("/admin/sources").contains("muster"));
}
