//! The pages as people use them: real clicks and keys in Chromium. A flow fails at any error on the console, any break of
//! the content security policy, any request to another host.

use crate::support::archivista::Archivista;
use crate::support::browser;
use crate::support::serving::Serving;
use serde_json::json;

#[test]
fn somebody_sets_up_the_archive_and_lets_a_second_person_in() {
    let archivista = Archivista::new();
    let serving = Serving::start(&archivista, &[]);
    let more = json!({ "language": "de-CH", "setup_code": serving.setup_code });
    browser::flow("setup_and_users", &serving.origin(), &more);
}
