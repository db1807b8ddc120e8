//! The `OpenAPI` 3.1 document, made from the table of calls.

use serde_json::{Map, Value, json};

use super::super::request::Method;
use super::call::{self, Answer, Asked, Body, Call, PATH, Result, Right};
use super::problem::{self, MEDIA_TYPE};
use super::schema::{Member, Schema};
use super::{BEGIN, calls};
use crate::web::Response;

/// `/api/v1/openapi.json`
#[expect(clippy::unnecessary_wraps, reason = "every call has this form")]
pub fn show(_: &Asked<'_>) -> Result<Response> {
    Ok(call::json(200, document()))
}

/// The whole document.
pub fn document() -> Value {
    let mut named = Map::new();
    let problem = Schema::Named(&problem::SCHEMA).document(&mut named);
    let mut paths = Map::new();
    for call in calls() {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[method(call.method)] = operation(call, &problem, &mut named);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Archivista Box",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Everything that the pages of the archive do. Times are RFC 3339, sizes bytes. Errors are problem \
                details (RFC 9457) with a reason that a program can act on. Every call is made with the rights that \
                the owner of the token has at that moment, as far as the token has them too.",
        },
        "servers": [{ "url": BEGIN }],
        "paths": paths,
        "components": {
            "schemas": named,
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "A token that was made under Own account, or by an administrator.",
            } },
        },
    })
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get | Method::Head => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

fn operation(call: &Call, problem: &Value, named: &mut Map<String, Value>) -> Value {
    let right = match call.right {
        Right::None => "Without a token.",
        Right::Token => "With any token.",
        Right::Read => "Right: read.",
        Right::Change => "Right: change.",
        Right::Administer => "Right: administer.",
        Right::Decide => "Right: administer, or read where the owner of the token is an auditor.",
    };
    let mut operation = json!({
        "operationId": call.id,
        "summary": call.what,
        "description": right,
        "responses": responses(call, problem, named),
    });
    let parameters: Vec<Value> = path_parameters(call, named).into_iter().chain(query(call, named)).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    match call.body {
        Body::None => {}
        Body::Json(shape) => {
            let schema = Schema::Named(shape).document(named);
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        }
        Body::Files => {
            let files = json!({
                "type": "object",
                "properties": { "files": {
                    "type": "array", "items": { "type": "string", "format": "binary" }, "minItems": 1,
                } },
                "required": ["files"],
            });
            operation["requestBody"] =
                json!({ "required": true, "content": { "multipart/form-data": { "schema": files } } });
        }
    }
    if call.right != Right::None {
        operation["security"] = json!([{ "token": [] }]);
    }
    operation
}

fn path_parameters(call: &Call, named: &mut Map<String, Value>) -> Vec<Value> {
    let parameters = call.path_parameters().filter_map(|name| PATH.iter().find(|(known, _)| *known == name));
    parameters
        .map(|(name, schema)| json!({ "name": name, "in": "path", "required": true, "schema": schema.document(named) }))
        .collect()
}

fn query(call: &Call, named: &mut Map<String, Value>) -> Vec<Value> {
    let parameter = |Member { name, schema, what, is_needed }: &Member| {
        json!({
            "name": name, "in": "query", "required": is_needed, "description": what, "schema": schema.document(named),
        })
    };
    call.query.iter().map(parameter).collect()
}

fn responses(call: &Call, problem: &Value, named: &mut Map<String, Value>) -> Value {
    let mut responses = Map::new();
    let binary = |media_type: &str, what: &str| json!({ "description": what, "content": { media_type: {} } });
    match call.answer {
        Answer::Json(status, shape) => {
            let schema = Schema::Named(shape).document(named);
            let answer = json!({ "description": "Done", "content": { "application/json": { "schema": schema } } });
            responses.insert(status.to_string(), answer);
        }
        Answer::Nothing => {
            responses.insert("204".into(), json!({ "description": "Done" }));
        }
        Answer::Bytes(media_type, has_ranges) => {
            responses.insert("200".into(), binary(media_type, "The bytes"));
            if has_ranges {
                responses.insert("206".into(), binary(media_type, "A part of the bytes"));
            }
        }
    }
    for status in call.problems() {
        responses.insert(status.to_string(), refused(status, problem));
    }
    // Said by the gate before anybody looks at the call, in a sentence of plain text.
    let said = |what: &str| json!({ "description": what, "content": { "text/plain": {} } });
    for (status, what) in [
        (400, "Not valid HTTP/1.1"),
        (403, "A long body without a token"),
        (408, "Too slow"),
        (413, "The body is too long"),
        (414, "The address is too long"),
        (431, "The header is too long"),
        (501, "Transfer-Encoding or Upgrade"),
        (503, "Busy; try again in a moment"),
        (507, "The disk is full"),
    ] {
        match responses.get_mut(&status.to_string()) {
            Some(response) => response["content"]["text/plain"] = json!({}),
            None => drop(responses.insert(status.to_string(), said(what))),
        }
    }
    responses.into()
}

fn refused(status: u16, problem: &Value) -> Value {
    let mut response =
        json!({ "description": "Not done: see reason", "content": { MEDIA_TYPE: { "schema": problem } } });
    match status {
        401 => response["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" } } }),
        429 => response["headers"] = json!({ "Retry-After": { "schema": { "type": "integer" } } }),
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_call_has_a_name_of_its_own() {
        let document = document();
        let text = document.to_string();
        for rest in text.split("#/components/schemas/").skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        let mut names: Vec<&str> = calls().map(|call| call.id).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_parameter_of_a_path_is_known() {
        for call in calls() {
            for name in call.path_parameters() {
                assert!(PATH.iter().any(|(known, _)| *known == name), "{} {name}", call.path);
            }
        }
    }
}
