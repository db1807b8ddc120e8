//! Promise: each of the 16 fields of Archive administration is explained beside it and has its effect, and so does a defined
//! field of each kind, with real clicks, on a wide screen and at 360 px, light and dark, without what axe finds serious.

use std::fs;

use serde_json::json;

use crate::support::archivista::Archivista;
use crate::support::browser::flow;
use crate::support::serving::Serving;

#[test]
fn an_administrator_sets_each_and_sees_what_it_does() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let mut administrator = serving.set_up();
    let csrf = administrator.get("/account").csrf();
    assert_eq!(administrator.post("/account", &[("csrf", &csrf), ("language", "de")]).status, 303);
    let dir = tempfile::tempdir().unwrap();
    let (plan, mail) = (dir.path().join("plan.pdf"), dir.path().join("brief.eml"));
    fs::write(&plan, "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n").unwrap();
    fs::write(&mail, "From: Beat <beat@example.ch>\r\nTo: anna@example.ch\r\nSubject: Brief\r\n\r\nGuten Tag\r\n")
        .unwrap();
    let config = json!({ "language": "de-CH", "folder": dir.path(), "plan": plan, "mail": mail });
    flow("fields", &serving.origin(), &config);
}
