//! Terms: of the archive, and of single documents.

use serde_json::{Value, json};

use super::super::admin::retention::rules::{self, What, Written};
use super::super::admin::retention::{self as pages};
use super::super::dms::retention as of_document;
use super::super::{Response, WebError};
use super::call::{Answer, Asked, Body, Call, Result, Right, json as answer, maybe_time, nothing, time};
use super::documents::gone;
use super::erasures::done;
use super::problem::{Problem, Reason};
use super::schema::{COUNT, MAYBE_TIME, Member, Named, SAID, Schema, TIME, Wrong, has, may};
use crate::limits::RETENTION_RULES;
use crate::retention::Terms;
use crate::settings::erasures;
use crate::settings::retention::{self, MOST_MONTHS, Retention, Term};
use crate::settings::retention_passes::{self as passes, Doubt};

pub const CALLS: &[Call] = &[
    Call::get(
        "/retention",
        "getRetention",
        "For how long documents are kept, and whether they end",
        Answer::Json(200, &SHOWN),
        show,
    ),
    Call::patch(
        "/retention",
        "changeRetention",
        "Set it; what is not sent stays. What shortens a term has to be confirmed",
        Answer::Json(200, &SHOWN),
        change,
    )
    .sent(Body::Json(&CHANGE)),
    Call::post(
        "/retention/confirm",
        "confirmRetention",
        "Confirm that what a pass waits for is right: those documents end",
        Answer::Nothing,
        confirm,
    )
    .sent(Body::Json(&CONFIRM))
    .conflicting(),
    Call::get(
        "/documents/{number}/retention",
        "getDocumentRetention",
        "Until when a document is kept, for administrators and auditors",
        Answer::Json(200, &OF_DOCUMENT),
        one,
    )
    .with(Right::Decide),
    Call::patch(
        "/documents/{number}/retention",
        "changeDocumentRetention",
        "Block or unblock a document, for administrators and auditors; give it a term of its own, for administrators",
        Answer::Nothing,
        change_one,
    )
    .with(Right::Decide)
    .sent(Body::Json(&CHANGE_ONE))
    .conflicting(),
];

const TERM: Schema = Schema::Object(&[
    has("unit", Schema::Word(&["years", "months", "forever"]), ""),
    may(
        "count",
        Schema::Maybe(&Schema::Integer(1, MOST_MONTHS as i64)),
        "Of years at most 100; null where it is for ever",
    ),
]);
const RULE: &[Member] = &[
    may("definition", Schema::Text(0, 64), "Its name; empty: uploads"),
    may("mailbox", Schema::Text(0, 1000), "Name or identity; empty: all"),
    may("folder", Schema::Text(0, 1000), "As people see it, a * at the end for all that begins so; empty: all"),
    has("term", TERM, ""),
];
const RULES: Schema = Schema::List(&Schema::Object(RULE), RETENTION_RULES);

const SHOWN: Named = Named {
    name: "Retention",
    schema: Schema::Object(&[
        has("deletes", Schema::Flag, "Whether documents whose term is over end at all"),
        has("term", TERM, "Where no rule holds"),
        has("rules", RULES, ""),
        has("next", MAYBE_TIME, "Of the next pass; null: there is none"),
        has(
            "last",
            Schema::Maybe(&Schema::Object(&[
                has("time", TIME, ""),
                has("looked", COUNT, "Documents"),
                has("ended", COUNT, ""),
                has("held", COUNT, "Kept because of a hold"),
                has("freed", COUNT, "Bytes"),
            ])),
            "The last pass",
        ),
        has(
            "waits",
            Schema::Maybe(&Schema::Object(&[
                has("pass", Schema::Integer(0, i64::MAX), "For confirmRetention"),
                has("why", Schema::Word(&["many", "clock"]), "Very many at once, or a clock that went far ahead"),
                has("due", COUNT, "So many would end"),
            ])),
            "What the last pass waits for; null: for nothing",
        ),
    ]),
};

const CHANGE: Named = Named {
    name: "RetentionChange",
    schema: Schema::Object(&[
        may("deletes", Schema::Flag, ""),
        may("term", TERM, ""),
        may("rules", RULES, "All of them"),
        may("sure", Schema::Flag, "Needed where a term becomes shorter, or where deletes becomes true"),
    ]),
};

const CONFIRM: Named = Named {
    name: "RetentionConfirmation",
    schema: Schema::Object(&[has("pass", Schema::Integer(0, i64::MAX), "As waits of getRetention says")]),
};

const OF_DOCUMENT: Named = Named {
    name: "DocumentRetention",
    schema: Schema::Object(&[
        has("number", Schema::Integer(1, i64::MAX), ""),
        has("over", MAYBE_TIME, "When its term is over; null: never"),
        has("term", TERM, "The longest that applies"),
        has("why", SAID, "By what, for people"),
        has("own_term", Schema::Maybe(&TERM), ""),
        has("held_by", SAID, "Names of holds; empty: none"),
        has("is_blocked", Schema::Flag, ""),
        has("erasure_is_asked", Schema::Flag, ""),
    ]),
};

const CHANGE_ONE: Named = Named {
    name: "DocumentRetentionChange",
    schema: Schema::Object(&[
        may("is_blocked", Schema::Flag, "Kept from all who read their mailboxes only"),
        may("own_term", Schema::Maybe(&TERM), "It can only lengthen; null: none"),
        may("sure", Schema::Flag, "Needed where own_term becomes shorter"),
    ]),
};

fn term_json(term: Term) -> Value {
    json!({ "unit": term.unit(), "count": term.count() })
}

fn term_of(sent: &Value) -> Option<Term> {
    let count = sent["count"].as_u64().map(|count| count.to_string()).unwrap_or_default();
    Term::entered(&count, sent["unit"].as_str().unwrap_or_default())
}

fn show(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let view = context.view()?;
    let set = Retention::of(&view)?;
    let last = passes::last(&view)?;
    drop(view);
    let rules: Vec<Value> = set
        .rules
        .iter()
        .map(|rule| {
            json!({ "definition": rule.definition, "mailbox": rule.mailbox, "folder": rule.folder, "term": term_json(rule.term) })
        })
        .collect();
    let waits = pages::waiting(context)?.map(|(pass, waits)| {
        let why = if waits.why == Doubt::Many { "many" } else { "clock" };
        json!({ "pass": pass.time, "why": why, "due": waits.due })
    });
    let next = pages::next(context, &set, last.as_ref());
    let last = last.map(|pass| {
        json!({ "time": time(pass.time), "looked": pass.looked, "ended": pass.ended, "held": pass.held, "freed": pass.freed })
    });
    Ok(answer(
        200,
        json!({
            "deletes": set.deletes, "term": term_json(set.term), "rules": rules, "next": maybe_time(next), "last": last, "waits": waits,
        }),
    ))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let (context, body) = (&asked.context, &asked.body);
    let t = &context.t.retention;
    let mut new = Retention::read(&context.web.archive)?;
    if let Some(deletes) = body["deletes"].as_bool() {
        new.deletes = deletes;
    }
    if let Some(term) = body.get("term") {
        new.term = term_of(term).ok_or_else(|| Problem::at(Reason::Refused, "/term", t.term_wrong))?;
    }
    if let Some(sent) = body["rules"].as_array() {
        let text = |rule: &Value, name: &str| rule[name].as_str().unwrap_or_default().to_owned();
        let texts: Vec<[String; 3]> =
            sent.iter().map(|rule| ["definition", "mailbox", "folder"].map(|name| text(rule, name))).collect();
        let written: Vec<(usize, Written<'_>)> = texts
            .iter()
            .zip(sent)
            .map(|([definition, mailbox, folder], rule)| Written {
                definition: Some(definition),
                mailbox: mailbox.trim(),
                folder,
                term: term_of(&rule["term"]),
            })
            .enumerate()
            .collect();
        new.rules = rules::rules(context, &written)?.map_err(|wrong| {
            let at = |wrong: &rules::Wrong| match (wrong.row, wrong.what) {
                (Some(row), What::Term) => format!("/rules/{row}/term"),
                (Some(row), What::Mailbox) => format!("/rules/{row}/mailbox"),
                (Some(row), _) => format!("/rules/{row}"),
                (None, _) => "/rules".into(),
            };
            let errors = wrong.iter().map(|wrong| Wrong { at: at(wrong), what: wrong.sentence(t).into() });
            Problem::of(Reason::Refused, errors.collect())
        })?;
    }
    if body["sure"] != true
        && let Some(counted) = rules::shortens(context, &new)?
    {
        return Err(Problem::at(Reason::Refused, "/sure", rules::question(context, &counted)));
    }
    rules::keep(context, &new)?;
    show(asked)
}

fn confirm(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    if pages::confirm(context, asked.body["pass"].as_i64().unwrap_or_default())? {
        return Ok(nothing());
    }
    Err(Problem::new(Reason::Conflict).saying(context.t.retention.confirm_stale))
}

/// The document that the path names, or that it ended.
fn decided(asked: &Asked<'_>) -> Result<u64> {
    match of_document::decided(&asked.context) {
        Err(WebError::NotFound) => Err(gone(&asked.context)?),
        number => Ok(number?),
    }
}

fn one(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let number = decided(asked)?;
    let view = context.view()?;
    let document = view.document(number)?.ok_or(Problem::new(Reason::NotFound))?;
    let end = Terms::read(&view)?.end(&view, number, &document)?;
    let (own, is_blocked) = (retention::own_term(&view, number)?, view.is_blocked(number)?);
    drop(view);
    let is_asked = erasures::erasure(&context.web.archive, number)?.is_some();
    Ok(answer(
        200,
        json!({
            "number": number,
            "over": maybe_time(end.over),
            "term": term_json(end.term),
            "why": of_document::why(context, &end.why),
            "own_term": own.map(term_json),
            "held_by": of_document::held(context, number)?,
            "is_blocked": is_blocked,
            "erasure_is_asked": is_asked,
        }),
    ))
}

fn change_one(asked: &Asked<'_>) -> Result<Response> {
    let (context, body) = (&asked.context, &asked.body);
    decided(asked)?;
    if let Some(sent) = body.get("own_term") {
        let term = if sent.is_null() { None } else { term_of(sent) };
        if term.is_none() && !sent.is_null() {
            return Err(Problem::at(Reason::Refused, "/own_term", context.t.retention.term_wrong));
        }
        done(asked, of_document::give_term(context, term, body["sure"] == true)?)?;
    }
    if let Some(is_blocked) = body["is_blocked"].as_bool() {
        done(asked, of_document::block(context, is_blocked)?)?;
    }
    Ok(nothing())
}
