//! Definitions that end, and that are taken up again.

use super::super::Response;
use super::super::admin::{definition, ended};
use super::call::{Answer, Asked, Body, Call, Result};
use super::definitions::{DEFINITION, one, wrong};
use super::problem::{Problem, Reason};
use super::schema::{Named, Schema, has, may};

pub const CALLS: &[Call] = &[
    Call::post(
        "/definitions/{name}/end",
        "endDefinition",
        "End a definition: nothing is fetched any more, what it archived stays and is found",
        Answer::Json(200, &DEFINITION),
        end,
    )
    .sent(Body::Json(&END)),
    Call::post(
        "/definitions/{name}/resume",
        "resumeDefinition",
        "Take an ended definition up again",
        Answer::Json(200, &DEFINITION),
        resume,
    )
    .sent(Body::Json(&RESUME)),
];

const END: Named = Named {
    name: "DefinitionEnd",
    schema: Schema::Object(&[may("owner", Schema::Text(0, 200), "Another owner from now on; empty: nobody")]),
};
const RESUME: Named = Named {
    name: "DefinitionResume",
    schema: Schema::Object(&[has("sure", Schema::Flag, "Has to be true: mails are fetched again")]),
};

fn end(asked: &Asked<'_>) -> Result<Response> {
    let mistake = ended::end(&asked.context, asked.body["owner"].as_str())?;
    wrong(mistake.as_slice(), "")?;
    one(asked)
}

fn resume(asked: &Asked<'_>) -> Result<Response> {
    definition(&asked.context)?;
    if asked.body["sure"] != true {
        return Err(Problem::at(Reason::Refused, "/sure", "Confirm that mails are fetched again."));
    }
    ended::resume(&asked.context)?;
    one(asked)
}
