//! Holds: what neither ends nor is erased, whatever its term says.

use serde_json::{Value, json};

use super::super::Response;
use super::super::admin::retention::holds::{self as pages, Written};
use super::call::{Answer, Asked, Body, Call, Result, json as answer, nothing, time};
use super::problem::{Problem, Reason};
use super::schema::{Member, Named, SAID, Schema, TIME, Wrong, has, may};
use crate::limits::HOLD_RANGES;
use crate::settings::holds::{self, Hold, NAME_CHARS, REASON_CHARS, Scope};

pub const CALLS: &[Call] = &[
    Call::get("/holds", "listHolds", "All holds, those that were lifted too", Answer::Json(200, &HOLDS), list),
    Call::post("/holds", "setHold", "Set a hold", Answer::Json(201, &HOLD), set).sent(Body::Json(&NEW)),
    Call::post("/holds/{name}/lift", "liftHold", "Lift a hold; it stays in the list", Answer::Nothing, lift),
];

const RANGE: Schema = Schema::Object(&[
    has("low", Schema::Integer(1, i64::MAX), "Lowest document number"),
    has("high", Schema::Integer(1, i64::MAX), "Highest"),
]);
const NUMBERS: Schema = Schema::List(&RANGE, HOLD_RANGES);

const PLACES: [Member; 4] = [
    may("definition", Schema::Maybe(&Schema::Text(0, 64)), "Null: all of them; empty: uploads"),
    may("mailbox", Schema::Text(0, 1000), "Name or identity; empty: all of them"),
    may("from", Schema::Maybe(&Schema::Text(0, 10)), "Day of receipt, as 2026-11-21; null: without a bound"),
    may("until", Schema::Maybe(&Schema::Text(0, 10)), "The same, included"),
];

const HOLD: Named = Named {
    name: "Hold",
    schema: Schema::Object(&[
        has("name", SAID, ""),
        has("reason", SAID, ""),
        has("who", SAID, "Who set it"),
        has("set", TIME, ""),
        has("numbers", NUMBERS, "The documents; none: those of the places"),
        PLACES[0],
        PLACES[1],
        PLACES[2],
        PLACES[3],
        has(
            "lifted",
            Schema::Maybe(&Schema::Object(&[has("who", SAID, ""), has("time", TIME, "")])),
            "Null: it is in force",
        ),
    ]),
};
const HOLDS: Named = Named {
    name: "Holds",
    schema: Schema::Object(&[has("holds", Schema::List(&Schema::Named(&HOLD), 1_000_000), "Those in force first")]),
};

const NEW: Named = Named {
    name: "NewHold",
    schema: Schema::Object(&[
        has("name", Schema::Text(1, NAME_CHARS), "Never used again"),
        has("reason", Schema::Text(1, REASON_CHARS), "It stays in the journal for good"),
        may("numbers", NUMBERS, "Either these, or the places below"),
        PLACES[0],
        PLACES[1],
        PLACES[2],
        PLACES[3],
    ]),
};

fn shown(hold: &Hold) -> Value {
    let lifted = hold.lifted.as_ref().map(|lifted| json!({ "who": lifted.who, "time": time(lifted.time) }));
    let mut json = json!({
        "name": hold.name, "reason": hold.reason, "who": hold.who, "set": time(hold.set), "numbers": [], "lifted": lifted,
    });
    match &hold.what {
        Scope::Numbers(ranges) => {
            json["numbers"] = ranges.iter().map(|(low, high)| json!({ "low": low, "high": high })).collect();
        }
        Scope::Places(places) => {
            let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
            json["definition"] = json!(places.definition);
            json["mailbox"] = json!(places.mailbox);
            json["from"] = json!(day(places.from));
            json["until"] = json!(day(places.until));
        }
    }
    json
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let all = holds::holds(&asked.context.web.archive)?;
    Ok(answer(200, json!({ "holds": all.iter().map(shown).collect::<Vec<_>>() })))
}

fn set(asked: &Asked<'_>) -> Result<Response> {
    let ranges = asked.body["numbers"].as_array().into_iter().flatten();
    let numbers: Vec<String> = ranges.map(|range| format!("{}-{}", range["low"], range["high"])).collect();
    let written = Written {
        name: asked.text("name"),
        reason: asked.text("reason"),
        numbers: &numbers.join(" "),
        definition: asked.body["definition"].as_str(),
        mailbox: asked.text("mailbox"),
        from: asked.text("from"),
        until: asked.text("until"),
    };
    let hold = pages::create(&asked.context, &written)?.map_err(|wrong| {
        let t = &asked.context.t.retention;
        let errors =
            wrong.iter().map(|wrong| Wrong { at: format!("/{}", wrong.key()), what: wrong.sentence(t).into() });
        Problem::of(Reason::Refused, errors.collect())
    })?;
    Ok(answer(201, shown(&hold)))
}

fn lift(asked: &Asked<'_>) -> Result<Response> {
    pages::end(&asked.context)?;
    Ok(nothing())
}
