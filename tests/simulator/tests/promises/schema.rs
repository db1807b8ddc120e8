//! What the simulator emits exists in the schema of Graph, with its type. The schema and the examples of the documentation are
//! not part of this tree: the variable `GRAPH_SCHEMA` names their folder, or it lies beside the tree as `../shared/graph`.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::stage::{Stage, USER};

/// Types by name, each with its properties and their types, those of its base among them; and the members of enumerations.
#[derive(Default)]
struct Schema {
    base: HashMap<String, String>,
    properties: HashMap<String, HashMap<String, String>>,
    members: HashMap<String, Vec<String>>,
}

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/graph");
    let folder = std::env::var_os("GRAPH_SCHEMA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let found = folder.join("v1.0-mail.csdl.xml").is_file();
    if !found {
        eprintln!("the schema of Graph is not at hand; set GRAPH_SCHEMA to its folder");
    }
    found.then_some(folder)
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

impl Schema {
    /// The file has one element a line.
    fn read(text: &str) -> Self {
        let (mut schema, mut inside) = (Self::default(), String::new());
        for line in text.lines().map(str::trim) {
            let name = attribute(line, "Name").unwrap_or_default().to_owned();
            if line.starts_with("<EntityType") || line.starts_with("<ComplexType") || line.starts_with("<EnumType") {
                if let Some(base) = attribute(line, "BaseType") {
                    schema.base.insert(name.clone(), base.replace("graph.", ""));
                }
                schema.properties.entry(name.clone()).or_default();
                inside = name;
            } else if line.starts_with("<Property ") || line.starts_with("<NavigationProperty") {
                let kind = attribute(line, "Type").unwrap().to_owned();
                schema.properties.get_mut(&inside).unwrap().insert(name, kind);
            } else if line.starts_with("<Member") {
                schema.members.entry(inside.clone()).or_default().push(name);
            }
        }
        schema
    }

    fn kind_of(&self, of: &str, property: &str) -> Option<&str> {
        let own = self.properties.get(of).and_then(|all| all.get(property)).map(String::as_str);
        own.or_else(|| self.kind_of(self.base.get(of)?, property))
    }

    /// Whether an object is of a type; what it says of its own type goes before.
    fn check(&self, of: &str, value: &Value, values: bool) {
        let told = value["@odata.type"].as_str().and_then(|kind| kind.strip_prefix("#microsoft.graph."));
        let of = told.unwrap_or(of);
        assert!(self.properties.contains_key(of), "no type {of}");
        for (name, value) in value.as_object().unwrap_or_else(|| panic!("{of}: {value}")) {
            if name.contains('@') {
                continue;
            }
            let kind = self.kind_of(of, name).unwrap_or_else(|| panic!("{of} has no property {name}"));
            self.check_value(of, name, kind, value, values);
        }
    }

    fn check_value(&self, of: &str, name: &str, kind: &str, value: &Value, values: bool) {
        if value.is_null() {
            return;
        }
        if let Some(inner) = kind.strip_prefix("Collection(").and_then(|kind| kind.strip_suffix(')')) {
            let all = value.as_array().unwrap_or_else(|| panic!("{of}.{name} is a collection: {value}"));
            for each in all {
                self.check_value(of, name, inner, each, values);
            }
            return;
        }
        let text = value.as_str();
        let right = match kind {
            "Edm.String" => text.is_some(),
            "Edm.Boolean" => value.is_boolean(),
            "Edm.Int32" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "Edm.DateTimeOffset" => text.is_some_and(|text| !values || text.parse::<jiff::Timestamp>().is_ok()),
            "Edm.Binary" => text.is_some_and(|text| {
                use base64::Engine;
                !values || base64::prelude::BASE64_STANDARD.decode(text).is_ok()
            }),
            _ => {
                let kind = kind.strip_prefix("graph.").unwrap();
                match self.members.get(kind) {
                    Some(members) => text.is_some_and(|text| !values || members.iter().any(|member| member == text)),
                    // Types that the cut-out leaves away cannot be looked into.
                    None if !self.properties.contains_key(kind) => true,
                    None => {
                        self.check(kind, value, values);
                        true
                    }
                }
            }
        };
        assert!(right, "{of}.{name} is {kind}, not {value}");
    }
}

const MIME: &str = "From: A <a@b.ch>\r\nTo: c@d.ch\r\nCc: e@f.ch\r\nReply-To: g@h.ch\r\nSubject: s\r\nImportance: high\r\n\
    Date: Mon, 3 Jun 2002 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"xxxxxxxx\"\r\n\r\n\
    --xxxxxxxx\r\n\r\ntext\r\n--xxxxxxxx\r\nContent-Type: a/b; name=c\r\nContent-Disposition: attachment\r\n\r\nx\r\n\
    --xxxxxxxx\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--xxxxxxxx--\r\n";

/// Objects that the simulator emits, with their types.
fn emitted() -> Vec<(&'static str, Value)> {
    let stage = Stage::new(3);
    let added = stage.control(json!({ "op": "add", "mailbox": USER, "mime": MIME }));
    let id = added["immutable_id"].as_str().unwrap();
    let mut objects = Vec::new();
    let mut each = |kind, path: &str| {
        let reply = stage.of_user(path);
        assert_eq!(reply.status, 200, "{reply:?}");
        let body = reply.json();
        match body["value"].as_array() {
            Some(value) => objects.extend(value.iter().map(|value| (kind, value.clone()))),
            None => objects.push((kind, body)),
        }
    };
    each("message", &format!("messages/{id}"));
    each("message", &format!("messages/{id}?$select=subject,internetMessageHeaders,uniqueBody,conversationIndex"));
    each(
        "message",
        "mailFolders/inbox/messages?$expand=singleValueExtendedProperties($filter=id%20eq%20'Integer%200x0E08')",
    );
    each("message", "mailFolders/inbox/messages/delta");
    each("mailFolder", "mailFolders?includeHiddenFolders=true&$top=100");
    each("mailFolder", "mailFolders/inbox");
    each("attachment", &format!("messages/{id}/attachments"));
    each("mailboxSettings", "mailboxSettings");
    let inner =
        stage.of_user(&format!("messages/{id}/attachments")).json()["value"][1]["id"].as_str().unwrap().to_owned();
    each("attachment", &format!("messages/{id}/attachments/{inner}?$expand=microsoft.graph.itemattachment/item"));
    objects
        .push(("message", stage.post(&format!("messages/{id}/move"), &json!({ "destinationId": "archive" })).json()));
    objects
}

#[test]
fn everything_emitted_exists_in_the_schema_with_its_type() {
    let Some(folder) = folder() else { return };
    let schema = Schema::read(&fs::read_to_string(folder.join("v1.0-mail.csdl.xml")).unwrap());
    let objects = emitted();
    assert!(objects.len() > 20);
    for (kind, object) in &objects {
        schema.check(kind, object, true);
    }
}

#[test]
fn the_documented_examples_have_nothing_that_is_not_emitted() {
    let Some(folder) = folder() else { return };
    let schema = Schema::read(&fs::read_to_string(folder.join("v1.0-mail.csdl.xml")).unwrap());
    let emitted = emitted();
    let mut seen = 0;
    for entry in fs::read_dir(folder.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let example: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let kind = example["type"].as_str().unwrap_or_default().replace("microsoft.graph.", "");
        let body = &example["response"]["json"];
        if !schema.properties.contains_key(&kind) || !body.is_object() {
            continue;
        }
        let objects = body["value"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        for object in objects {
            schema.check(&kind, &object, false);
            let told = object["@odata.type"].as_str().unwrap_or(&kind).replace("#microsoft.graph.", "");
            let same: Vec<_> = emitted
                .iter()
                .filter(|(kind, each)| each["@odata.type"].as_str().unwrap_or(kind).ends_with(&told))
                .collect();
            // Reference attachments come of mails that the stage does not have.
            for name in object.as_object().unwrap().keys().filter(|_| !same.is_empty()) {
                if !name.contains('@') {
                    assert!(same.iter().any(|(_, each)| each.get(name).is_some()), "{}: {told}.{name}", path.display());
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
