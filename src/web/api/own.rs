//! What a program asks about the API and its own token.

use serde_json::json;

use super::super::Response;
use super::super::entry::users::role_code;
use super::bearer;
use super::call::{Answer, Asked, Call, Result, Right, json as answer, time};
use super::openapi;
use super::problem::{Problem, Reason};
use super::schema::{MAYBE_TIME, Named, SAID, Schema, has};

pub const CALLS: &[Call] = &[
    Call::get("/openapi.json", "getOpenApi", "This document", Answer::Json(200, &DOCUMENT), openapi::show)
        .with(Right::None),
    Call::get("/token", "getToken", "Whose token this is, and what it gives now", Answer::Json(200, &TOKEN), token)
        .with(Right::Token),
];

const DOCUMENT: Named = Named { name: "OpenApi", schema: Schema::Free };

const TOKEN: Named = Named {
    name: "OwnToken",
    schema: Schema::Object(&[
        has("id", SAID, ""),
        has("name", SAID, ""),
        has("user", SAID, "Whom it acts for"),
        has("role", Schema::Word(&super::people::ROLES), "Of that user"),
        has("rights", Schema::List(&Schema::Word(&RIGHTS), 4), "What it gives as long as its owner has it"),
        has("ends", MAYBE_TIME, ""),
        has("release", SAID, "Of the program"),
    ]),
};

const RIGHTS: [&str; 4] = ["read", "change", "administer", "metrics"];

fn token(asked: &Asked<'_>) -> Result<Response> {
    let (token, owner) = bearer::found(asked.context.web, asked.context.request)?;
    let rights = bearer::rights(&token, &owner);
    let (Some(_), name) = (&asked.context.person, &owner.name) else { return Err(Problem::new(Reason::TokenMissing)) };
    Ok(answer(
        200,
        json!({
            "id": token.id,
            "name": token.name,
            "user": name,
            "role": role_code(owner.role),
            "rights": rights.names(),
            "ends": time(token.ends),
            "release": env!("CARGO_PKG_VERSION"),
        }),
    ))
}
