//! Erasure before the term is over: one person asks, another one agrees.

use serde_json::{Value, json};

use super::super::Response;
use super::super::dms::retention::{self as pages, Decision, Refusal};
use super::call::{Answer, Asked, Body, Call, Result, Right, json as answer, nothing, time};
use super::problem::{Problem, Reason};
use super::schema::{Named, SAID, Schema, TIME, has};
use crate::settings::erasures::{self, REASON_CHARS};

pub const CALLS: &[Call] = &[
    Call::get(
        "/erasures",
        "listErasures",
        "What is asked to be erased, for administrators and auditors",
        Answer::Json(200, &ERASURES),
        list,
    )
    .with(Right::Decide),
    Call::post(
        "/documents/{number}/erasure",
        "askErasure",
        "Ask for the erasure of a document, which is blocked at once; for administrators and auditors",
        Answer::Nothing,
        ask,
    )
    .with(Right::Decide)
    .sent(Body::Json(&ASK))
    .conflicting(),
    Call::post(
        "/documents/{number}/erasure/agree",
        "agreeErasure",
        "Agree to what another person asked for: the document ends for good",
        Answer::Nothing,
        agree,
    )
    .with(Right::Decide)
    .sent(Body::Json(&AGREE))
    .conflicting(),
    Call::post(
        "/documents/{number}/erasure/refuse",
        "refuseErasure",
        "Refuse it, or take it back; the document stays blocked",
        Answer::Nothing,
        refuse,
    )
    .with(Right::Decide)
    .conflicting(),
];

const ERASURES: Named = Named {
    name: "Erasures",
    schema: Schema::Object(&[has(
        "erasures",
        Schema::List(
            &Schema::Object(&[
                has("number", Schema::Integer(1, i64::MAX), "Of the document"),
                has("who", SAID, "Who asks"),
                has("time", TIME, ""),
                has("reason", SAID, ""),
            ]),
            1_000_000,
        ),
        "",
    )]),
};

const ASK: Named = Named {
    name: "ErasureRequest",
    schema: Schema::Object(&[has(
        "reason",
        Schema::Text(1, REASON_CHARS),
        "It stays in the journal for good: nothing that stands in the mail",
    )]),
};

const AGREE: Named = Named {
    name: "ErasureAgreement",
    schema: Schema::Object(&[has("sure", Schema::Flag, "Has to be true: this cannot be undone")]),
};

/// What was not done as a problem.
pub(super) fn done(asked: &Asked<'_>, decision: Decision) -> Result<()> {
    let t = &asked.context.t.retention;
    decision.map_err(|refusal| {
        let sentence = refusal.sentence(t);
        match refusal {
            Refusal::Reason => Problem::at(Reason::Refused, "/reason", sentence),
            Refusal::Unsure | Refusal::Shorter => Problem::at(Reason::Refused, "/sure", sentence),
            Refusal::Term => Problem::at(Reason::Refused, "/own_term", sentence),
            _ => Problem::new(Reason::Conflict).saying(sentence),
        }
    })
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let all = erasures::erasures(&asked.context.web.archive)?;
    let shown = all
        .iter()
        .map(|one| json!({ "number": one.number, "who": one.who, "time": time(one.time), "reason": one.reason }));
    Ok(answer(200, json!({ "erasures": shown.collect::<Vec<Value>>() })))
}

fn ask(asked: &Asked<'_>) -> Result<Response> {
    done(asked, pages::ask(&asked.context, asked.text("reason"))?)?;
    Ok(nothing())
}

fn agree(asked: &Asked<'_>) -> Result<Response> {
    done(asked, pages::agree(&asked.context, asked.body["sure"] == true)?)?;
    Ok(nothing())
}

fn refuse(asked: &Asked<'_>) -> Result<Response> {
    done(asked, pages::refuse(&asked.context)?)?;
    Ok(nothing())
}
