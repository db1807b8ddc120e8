//! Fetching as a whole: paused or not, how much it may disturb, when its silence is told; and the end of a run before its time.

use serde_json::{Value, json};

use super::super::Response;
use super::super::admin::definition;
use super::super::admin::fetching::{keep, sentence};
use super::call::{Answer, Asked, Body, Call, Result, json as answer};
use super::problem::{Problem, Reason};
use super::schema::{Named, Schema, Wrong, has, may};
use crate::fetch::wait::Wait;
use crate::language::Lang;
use crate::limits::HOURS;
use crate::settings::fetching::{Fetching, LEAST_BANDWIDTH, MOST_BANDWIDTH, MOST_SILENCE};
use crate::settings::hours::Hours;

pub const CALLS: &[Call] = &[
    Call::get(
        "/fetching",
        "getFetching",
        "Whether anything is fetched, and what holds for all definitions",
        Answer::Json(200, &FETCHING),
        show,
    ),
    Call::patch(
        "/fetching",
        "changeFetching",
        "Set it; what is not sent stays. A pause lasts over a restart, and ends the runs that are under way",
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

const CANCELLED: Named = Named { name: "Cancelled", schema: Schema::Object(&[has("is_cancelled", Schema::Flag, "")]) };

const SPAN: Schema = Schema::Text(1, 100);
const SPANS: Schema = Schema::List(&SPAN, HOURS);
const BANDWIDTH: Schema = Schema::Integer(LEAST_BANDWIDTH as i64, MOST_BANDWIDTH as i64);
const SILENCE: Schema = Schema::Integer(1, MOST_SILENCE as i64);

const WHAT_QUIET: &str = "When nothing is fetched, as Mo-Fr 08:00-18:00, in the time zone of the archive";
const WHAT_BANDWIDTH: &str = "kB per second of all sources together; null: as the line allows";
const WHAT_BOUNDED: &str = "When the bandwidth is limited; none: always";
const WHAT_SILENCE: &str = "Hours without a new mail that the overview tells of; null: never";

const FETCHING: Named = Named {
    name: "Fetching",
    schema: Schema::Object(&[
        has("paused", Schema::Flag, "By a person"),
        has(
            "waits",
            Schema::Maybe(&Schema::Word(&["clock", "guard", "paused", "disk", "quiet"])),
            "Why no run begins; null: nothing keeps it from beginning",
        ),
        has("quiet", SPANS, WHAT_QUIET),
        has("bandwidth", Schema::Maybe(&BANDWIDTH), WHAT_BANDWIDTH),
        has("bounded", SPANS, WHAT_BOUNDED),
        has("silence", Schema::Maybe(&SILENCE), WHAT_SILENCE),
    ]),
};

const CHANGE: Named = Named {
    name: "FetchingChange",
    schema: Schema::Object(&[
        may("paused", Schema::Flag, ""),
        may("quiet", SPANS, WHAT_QUIET),
        may("bandwidth", Schema::Maybe(&BANDWIDTH), WHAT_BANDWIDTH),
        may("bounded", SPANS, WHAT_BOUNDED),
        may("silence", Schema::Maybe(&SILENCE), WHAT_SILENCE),
    ]),
};

fn show(asked: &Asked<'_>) -> Result<Response> {
    let web = asked.context.web;
    let set = Fetching::read(&web.archive)?;
    let lines = |hours: &Hours| hours.text(Lang::En).lines().map(str::to_owned).collect::<Vec<_>>();
    let shown = json!({
        "paused": set.paused, "waits": web.fetcher.waits(&web.archive).map(Wait::code),
        "quiet": lines(&set.quiet), "bandwidth": set.bandwidth, "bounded": lines(&set.bounded), "silence": set.silence,
    });
    Ok(answer(200, shown))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let old = Fetching::read(&asked.context.web.archive)?;
    let hours = |key: &str, old: &Hours| match &asked.body[key] {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        _ => old.text(Lang::En),
    };
    let number = |key: &str, old: Option<u32>| match asked.body.get(key) {
        Some(number) => number.as_u64().map(|number| number.to_string()).unwrap_or_default(),
        None => old.map(|number| number.to_string()).unwrap_or_default(),
    };
    let entered = Fetching::entered(
        &hours("quiet", &old.quiet),
        &number("bandwidth", old.bandwidth),
        &hours("bounded", &old.bounded),
        &number("silence", old.silence),
    );
    let new = entered.map_err(|wrong| {
        let wrong =
            wrong.iter().map(|wrong| Wrong { at: format!("/{}", wrong.key()), what: sentence(&asked.context, wrong) });
        Problem::of(Reason::Refused, wrong.collect())
    })?;
    keep(&asked.context, new)?;
    if let Some(is_paused) = asked.body["paused"].as_bool() {
        let web = asked.context.web;
        let _turn = web.settings();
        web.fetcher.pause(&web.archive, is_paused, &asked.context.who())?;
    }
    show(asked)
}

fn cancel(asked: &Asked<'_>) -> Result<Response> {
    let definition = definition(&asked.context)?;
    if asked.context.web.fetcher.cancel(&definition.name, &asked.context.who()) {
        return Ok(answer(202, json!({ "is_cancelled": true })));
    }
    Err(Problem::new(Reason::Conflict).saying("No run of this definition is under way."))
}
