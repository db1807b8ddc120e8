//! The control interface over the network.

use serde_json::json;

use crate::stage::{Stage, USER};

#[test]
fn control_answers_over_the_network_and_says_what_is_wrong() {
    let stage = Stage::new(2);
    let ask = |body: serde_json::Value| stage.client.ask("POST", "/_control", &[], body.to_string().as_bytes());
    let list = ask(json!([{ "op": "messages", "mailbox": USER }, { "op": "counters" }])).json();
    assert_eq!(list[0].as_array().unwrap().len(), 2);
    assert_eq!(list[1]["calls"]["token"], 1);
    assert_eq!(ask(json!({ "op": "nonsense" })).status, 400);
    assert_eq!(ask(json!({ "op": "log" })).json()[0]["path"], "/tenant/oauth2/v2.0/token");
}
