//! Fetching as a whole: paused or not; and the end of a run before its time.

use serde_json::json;

use super::super::Response;
use super::super::admin::definition;
use super::call::{Answer, Asked, Body, Call, Result, json as answer};
use super::problem::{Problem, Reason};
use super::schema::{Named, Schema, has};
use crate::fetch::wait::Wait;
use crate::settings::fetching::Fetching;

pub const CALLS: &[Call] = &[
    Call::get(
        "/fetching",
        "getFetching",
        "Whether anything is fetched, and what it waits for",
        Answer::Json(200, &FETCHING),
        show,
    ),
    Call::patch(
        "/fetching",
        "changeFetching",
        "Pause all fetching, also over a restart, or let it go on; runs that are under way end",
        Answer::Json(200, &FETCHING),
        change,
    )
    .sent(Body::Json(&CHANGE)),
    Call::post(
        "/definitions/{name}/cancel",
        "cancelRun",
        "End the run that is under way; what it archived stays",
        Answer::Json(202, &CANCELLED),
        cancel,
    )
    .conflicting(),
];

const FETCHING: Named = Named {
    name: "Fetching",
    schema: Schema::Object(&[
        has("paused", Schema::Flag, "By a person"),
        has(
            "waits",
            Schema::Maybe(&Schema::Word(&["clock", "guard", "paused", "disk"])),
            "Why no run begins; null: nothing keeps it from beginning",
        ),
    ]),
};

const CHANGE: Named = Named { name: "FetchingChange", schema: Schema::Object(&[has("paused", Schema::Flag, "")]) };

const CANCELLED: Named = Named { name: "Cancelled", schema: Schema::Object(&[has("is_cancelled", Schema::Flag, "")]) };

fn show(asked: &Asked<'_>) -> Result<Response> {
    let web = asked.context.web;
    let waits = web.fetcher.waits(&web.archive).map(Wait::code);
    Ok(answer(200, json!({ "paused": Fetching::read(&web.archive)?.paused, "waits": waits })))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let web = asked.context.web;
    let turn = web.settings();
    web.fetcher.pause(&web.archive, asked.body["paused"] == true, &asked.context.who())?;
    drop(turn);
    show(asked)
}

fn cancel(asked: &Asked<'_>) -> Result<Response> {
    let definition = definition(&asked.context)?;
    if asked.context.web.fetcher.cancel(&definition.name, &asked.context.who()) {
        return Ok(answer(202, json!({ "is_cancelled": true })));
    }
    Err(Problem::new(Reason::Conflict).saying("No run of this definition is under way."))
}
