//! What is done with several documents at a time: exported, and played back into their mailboxes.

use serde_json::{Value, json};

use super::super::dms::restore::{self, Restore, State as Mail};
use super::super::dms::state::State;
use super::super::dms::{access, export};
use super::super::request::Form;
use super::super::{Context, Response};
use super::call::{Answer, Asked, Body, Call, Result, Right, json as answer, time};
use super::problem::{Problem, Reason};
use super::schema::{MAYBE_TIME, Member, Named, SAID, Schema, has, may};
use crate::archive::commit::Number;
use crate::limits::{CHOSEN, QUERY_CHARS, RESTORED};

pub const CALLS: &[Call] = &[
    Call::post(
        "/exports",
        "exportDocuments",
        "Documents as one ZIP file: those that are named, or all that a search finds, the newest first. It holds each byte for \
         byte, and index.csv, whose last line says so where there was no room for all",
        Answer::Bytes("application/zip", false),
        send,
    )
    .with(Right::Read)
    .sent(Body::Json(&EXPORT)),
    Call::post(
        "/restores",
        "restoreMails",
        "Play mails back into the mailboxes that they came from. It goes on by itself: ask for its state. The same mails once more within seconds are the same run",
        Answer::Json(202, &RESTORE),
        begin,
    )
    .with(Right::Change)
    .sent(Body::Json(&WANTED))
    .conflicting(),
    Call::get(
        "/restores/{id}",
        "getRestore",
        "How far playing back is; of the owner's own, as long as the box remembers them",
        Answer::Json(200, &RESTORE),
        one,
    )
    .with(Right::Change),
];

const NUMBERS: Schema = Schema::List(&Schema::Integer(1, i64::MAX), CHOSEN);

const EXPORT: Named = Named {
    name: "ExportWanted",
    schema: Schema::Object(&[
        may("numbers", NUMBERS, "These documents; in place of a search"),
        may("q", Schema::Text(0, QUERY_CHARS), "As for findDocuments"),
        may("only", Schema::Word(&["all", "mails", "files"]), "all by default"),
    ]),
};

const WANTED: Named = Named {
    name: "RestoreWanted",
    schema: Schema::Object(&[
        has("numbers", NUMBERS, "Mails"),
        may("definition", Schema::Text(1, 200), "Together with mailbox: which of several, as proveDocument names them"),
        may("mailbox", Schema::Text(1, 500), "Its name or its identity"),
    ]),
};

const MAIL: &[Member] = &[
    has("number", Schema::Integer(1, i64::MAX), ""),
    has("state", Schema::Word(&["waits", "done", "failed"]), ""),
    has("mailbox", SAID, "Empty where it came from none"),
    has("detail", SAID, "Where it lies now, or why it was not played back: a sentence for people"),
];

const RESTORE: Named = Named {
    name: "Restore",
    schema: Schema::Object(&[
        has("id", SAID, ""),
        has("began", MAYBE_TIME, ""),
        has("is_running", Schema::Flag, ""),
        has("mails", Schema::List(&Schema::Object(MAIL), RESTORED), ""),
    ]),
};

/// The documents that are named, each of which the owner of the token may read.
fn numbers(asked: &Asked<'_>) -> Result<Vec<Number>> {
    let mut numbers = Vec::new();
    for (place, number) in asked.body["numbers"].as_array().into_iter().flatten().enumerate() {
        let number = number.as_u64().unwrap_or_default();
        if access::with_right(&asked.context, number)?.is_none() {
            let what = "It does not exist, or the owner of the token may not see it.";
            return Err(Problem::at(Reason::Refused, format!("/numbers/{place}"), what));
        }
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

fn send(asked: &Asked<'_>) -> Result<Response> {
    let body = &asked.body;
    match (body.get("numbers").is_some(), body.get("q").is_some()) {
        (true, true) => Err(Problem::at(Reason::Refused, "/q", "Give either numbers or q.")),
        (false, false) => Err(Problem::at(Reason::Refused, "/numbers", "Give numbers, or q to search by.")),
        (true, false) => {
            let numbers = numbers(asked)?;
            if numbers.is_empty() {
                return Err(Problem::at(Reason::Refused, "/numbers", "There is no number in it."));
            }
            Ok(export::chosen(&asked.context, numbers)?)
        }
        (false, true) => {
            let mut form = Form::default();
            form.push("q", asked.text("q"));
            form.push("only", body["only"].as_str().unwrap_or("all"));
            Ok(export::found(&asked.context, &State::of(&form))?)
        }
    }
}

fn begin(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let (definition, mailbox) = (asked.text("definition"), asked.text("mailbox"));
    if definition.is_empty() != mailbox.is_empty() {
        return Err(Problem::at(Reason::Refused, "/mailbox", "Give definition and mailbox, or neither."));
    }
    let (all, mut wanted) = (restore::Ways::of(context)?, Vec::new());
    for (place, number) in numbers(asked)?.into_iter().enumerate() {
        let Some(shown) = access::with_right(context, number)? else { continue };
        let ways = all.to(&shown)?;
        let is_wanted = |item: &&crate::fetch::restore::Item| {
            item.definition == definition && (item.mailbox.id == mailbox || item.mailbox.name == mailbox)
        };
        let into = if mailbox.is_empty() { ways.first() } else { ways.iter().find(is_wanted) };
        let Some(item) = into else {
            let what = "This document came from no such mailbox that the owner of the token may read.";
            return Err(Problem::at(Reason::Refused, format!("/numbers/{place}"), what));
        };
        let into = (item.definition.as_str(), item.mailbox.id.as_str());
        wanted.push(all.wanted(&shown, Some(into))?);
    }
    if wanted.is_empty() {
        return Err(Problem::at(Reason::Refused, "/numbers", "There is no number in it."));
    }
    let owner = restore::owner(context)?;
    let begun = context.web.restores.begin(&context.web.archive, &context.web.fetcher, owner.clone(), wanted)?;
    let restore = begun.and_then(|id| context.web.restores.of(&owner, id));
    let busy =
        || Problem::new(Reason::Conflict).saying("Other mails are being played back just now. Try again in a minute.");
    Ok(answer(202, told(context, &restore.ok_or_else(busy)?)))
}

fn one(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    Ok(answer(200, told(context, &restore::found(context)?)))
}

fn told(context: &Context<'_>, restore: &Restore) -> Value {
    let mail = |mail: &restore::Mail| {
        let state = match &mail.state {
            Mail::Waits => "waits",
            state if state.is_back() => "done",
            Mail::Done(_) | Mail::Failed(_) | Mail::NoMailbox => "failed",
        };
        json!({ "number": mail.number, "state": state, "mailbox": mail.mailbox, "detail": restore::said(context, mail) })
    };
    json!({
        "id": restore.id.to_string(),
        "began": time(restore.began),
        "is_running": restore.is_running,
        "mails": restore.mails.iter().map(mail).collect::<Vec<_>>(),
    })
}
