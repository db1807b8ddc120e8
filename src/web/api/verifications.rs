//! Verifications of the whole archive: reports, one under way, and a new one.

use serde_json::{Value, json};

use super::super::{Response, WebError};
use super::call::{Answer, Asked, Call, Result, json as answer, maybe_time, nothing, time};
use super::problem::{Problem, Reason};
use super::schema::{COUNT, MAYBE_TIME, Named, SAID, Schema, TIME, has};
use crate::archive::Archive;
use crate::clock;
use crate::limits::{VERIFICATION_DOCUMENTS, VERIFICATION_FINDINGS, VERIFICATIONS};
use crate::settings::verifications::{self, Standing, Verification};
use crate::verification::{Stage, Underway};

pub const CALLS: &[Call] = &[
    Call::get(
        "/verifications",
        "listVerifications",
        "The last verifications of the whole archive, newest first, and what is under way",
        Answer::Json(200, &LIST),
        list,
    ),
    Call::post("/verifications", "verify", "Verify the whole archive at full speed", Answer::Json(202, &BEGUN), begin)
        .conflicting(),
    Call::get("/verifications/{number}", "getVerification", "One report", Answer::Json(200, &REPORT), show),
    Call::post(
        "/verifications/{number}/cancel",
        "cancelVerification",
        "End one that is under way; it leaves no report",
        Answer::Nothing,
        cancel,
    ),
];

const BEGUN: Named = Named { name: "VerificationBegun", schema: Schema::Object(&[has("is_begun", Schema::Flag, "")]) };

const BY: Schema = Schema::Word(&["scrub", "person", "console"]);

const REPORT: Named = Named {
    name: "Verification",
    schema: Schema::Object(&[
        has("number", COUNT, ""),
        has("began", TIME, ""),
        has("ended", TIME, ""),
        has("by", BY, "scrub: the box itself"),
        has("who", SAID, ""),
        has("release", SAID, "That verified"),
        has("is_clean", Schema::Flag, "All was read, and nothing found"),
        has("is_complete", Schema::Flag, "It came to its end"),
        has("packs", COUNT, ""),
        has("bytes", COUNT, ""),
        has("commits", COUNT, ""),
        has("documents", COUNT, ""),
        has("head", SAID, "The last link"),
        has("findings", COUNT, "How many"),
        has("lines", Schema::List(&SAID, VERIFICATION_FINDINGS + 1), "The first of them"),
        has("damaged", Schema::List(&COUNT, VERIFICATION_DOCUMENTS), "Numbers of documents"),
        has("notes", Schema::List(&SAID, VERIFICATION_FINDINGS), ""),
    ]),
};

const UNDERWAY: Schema = Schema::Object(&[
    has("id", COUNT, "To cancel it"),
    has("by", BY, ""),
    has("who", SAID, ""),
    has("began", TIME, ""),
    has("is_reading", Schema::Flag, "Else it holds the catalog against the log"),
    has("looked", COUNT, "Bytes"),
    has("total", COUNT, ""),
]);

const LIST: Named = Named {
    name: "Verifications",
    schema: Schema::Object(&[
        has("verifications", Schema::List(&Schema::Named(&REPORT), VERIFICATIONS), ""),
        has("next", MAYBE_TIME, "When the next one is due; null: nothing is archived yet"),
        has("underway", Schema::List(&UNDERWAY, 100), ""),
    ]),
};

/// Of `GET /system`.
pub const STANDING: Schema = Schema::Object(&[
    has("number", COUNT, ""),
    has("ended", TIME, ""),
    has("is_clean", Schema::Flag, ""),
    has("findings", COUNT, ""),
    has("damaged", Schema::List(&COUNT, VERIFICATION_DOCUMENTS), "Numbers of documents"),
]);

/// As [`STANDING`] says; `null` where there is none.
pub fn last(archive: &Archive) -> Result<Value> {
    let last = Standing::at(archive, clock::now())?.last;
    Ok(last.map_or(Value::Null, |last| {
        json!({
            "number": last.number,
            "ended": time(last.ended),
            "is_clean": last.is_clean(),
            "findings": last.findings,
            "damaged": last.damaged,
        })
    }))
}

fn of(report: &Verification) -> Value {
    json!({
        "number": report.number,
        "began": time(report.began),
        "ended": time(report.ended),
        "by": report.by.code(),
        "who": report.who,
        "release": report.release,
        "is_clean": report.is_clean(),
        "is_complete": report.is_complete,
        "packs": report.packs,
        "bytes": report.bytes,
        "commits": report.commits,
        "documents": report.documents,
        "head": report.head,
        "findings": report.findings,
        "lines": report.lines,
        "damaged": report.damaged,
        "notes": report.notes,
    })
}

fn going_on(one: &Underway) -> Value {
    json!({
        "id": one.id,
        "by": one.by.code(),
        "who": one.who,
        "began": time(one.began),
        "is_reading": one.stage == Stage::Reads,
        "looked": one.looked,
        "total": one.total,
    })
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let web = asked.context.web;
    let next = Standing::at(&web.archive, clock::now())?.next;
    Ok(answer(
        200,
        json!({
            "verifications": verifications::all(&web.archive)?.iter().map(of).collect::<Vec<_>>(),
            "next": maybe_time(next),
            "underway": web.verifier.underway().iter().map(going_on).collect::<Vec<_>>(),
        }),
    ))
}

fn show(asked: &Asked<'_>) -> Result<Response> {
    let number = asked.context.number(0)?;
    let all = verifications::all(&asked.context.web.archive)?;
    let report = all.iter().find(|report| report.number == number).ok_or(WebError::NotFound)?;
    Ok(answer(200, of(report)))
}

fn begin(asked: &Asked<'_>) -> Result<Response> {
    let (web, who) = (asked.context.web, asked.context.who());
    if !web.verifier.begin(&web.archive, &who).map_err(WebError::from)? {
        return Err(Problem::new(Reason::Conflict).saying(asked.context.t.verification.busy));
    }
    Ok(answer(202, json!({ "is_begun": true })))
}

fn cancel(asked: &Asked<'_>) -> Result<Response> {
    let id = asked.context.number(0)?;
    if asked.context.web.verifier.cancel(id) { Ok(nothing()) } else { Err(Problem::new(Reason::NotFound)) }
}
