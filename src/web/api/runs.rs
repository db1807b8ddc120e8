//! Runs of a definition, its connection test, and what became of every mail.

use serde_json::{Value, json};

use super::super::admin::{definition, sources};
use super::super::{Response, WebError};
use super::call::{Answer, Asked, Body, Call, Result, json as answer, maybe_time, time};
use super::problem::{Problem, Reason};
use super::schema::{COUNT, MAYBE_TIME, Member, Named, SAID, Schema, TIME, bound, has, may};
use crate::archive::commit::{FolderNumber, Outcome};
use crate::fetch::completeness::{self, Counts};
use crate::hash::{hex, unhex};
use crate::language::Lang;
use crate::limits::{FAILED_PER_PAGE, FOLDERS_PER_PAGE, RUNS_LOOKED, TEST_STEPS};
use crate::source::{RemoteId, Step};

pub const CALLS: &[Call] = &[
    Call::get("/definitions/{name}/runs", "listRuns", "The last runs, newest first", Answer::Json(200, &RUNS), runs)
        .asking(&[may("limit", Schema::Integer(1, bound(RUNS_MOST)), "20 by default")]),
    Call::post(
        "/definitions/{name}/runs",
        "run",
        "Ask for a run; it begins as soon as it can",
        Answer::Json(202, &ASKED),
        run,
    )
    .sent(Body::Json(&RUN_ASKED))
    .conflicting(),
    Call::get("/definitions/{name}/test", "getTest", "The last connection test", Answer::Json(200, &TEST), tested),
    Call::post("/definitions/{name}/test", "test", "Begin a connection test", Answer::Json(202, &ASKED), test)
        .conflicting(),
    Call::get(
        "/definitions/{name}/completeness",
        "getCompleteness",
        "What became of every mail, folder by folder",
        Answer::Json(200, &COMPLETENESS),
        complete,
    )
    .asking(&[may("from", Schema::Integer(0, 1_000_000_000), "So many folders are passed over")]),
    Call::get(
        "/definitions/{name}/folders/{folder}/failed",
        "listFailed",
        "Mails of a folder that the server did not hand out",
        Answer::Json(200, &FAILED),
        failed,
    )
    .asking(CURSOR),
];

/// Runs that are answered at most.
const RUNS_MOST: usize = 200;

const CURSOR: &[Member] = &[may("cursor", Schema::Text(1, 1000), "next of another page")];

const RUN: Schema = Schema::Object(&[
    has("started", TIME, ""),
    has("ended", TIME, ""),
    has("seen", COUNT, ""),
    has("archived", COUNT, ""),
    has("same", COUNT, ""),
    has("left_out", COUNT, ""),
    has("failed", COUNT, ""),
    has("unexplained", COUNT, ""),
    has("bytes", COUNT, "Of archived and same mails"),
    has("trouble", SAID, "What ended it before its time; empty where nothing did"),
]);

const RUNS: Named = Named { name: "Runs", schema: Schema::Object(&[has("runs", Schema::List(&RUN, RUNS_MOST), "")]) };

const RUN_ASKED: Named = Named {
    name: "RunAsked",
    schema: Schema::Object(&[may("reconcile", Schema::Flag, "Compare all mails on the server with the ledger")]),
};

const ASKED: Named = Named { name: "Asked", schema: Schema::Object(&[has("is_asked", Schema::Flag, "")]) };

const TEST: Named = Named {
    name: "Test",
    schema: Schema::Object(&[
        has("began", MAYBE_TIME, "null: none since the program started"),
        has("is_running", Schema::Flag, ""),
        has("has_failed", Schema::Flag, "So far"),
        has(
            "steps",
            Schema::List(
                &Schema::Object(&[
                    has("mailbox", SAID, ""),
                    has("passed", Schema::Flag, ""),
                    has("sentence", SAID, ""),
                ]),
                TEST_STEPS,
            ),
            "",
        ),
        has("more", COUNT, "Steps that are not listed"),
    ]),
};

const REASONS: Schema = Schema::Map(&COUNT, 1000);

const COUNTS: Named = Named {
    name: "Counts",
    schema: Schema::Object(&[
        has("on_server", COUNT, "When it was listed last"),
        has("archived", COUNT, ""),
        has("same", COUNT, ""),
        has("left_out", REASONS, "By reason"),
        has("deleted", COUNT, ""),
        has("failed", REASONS, "By reason"),
        has("unexplained", COUNT, "On the server, without an outcome"),
        has("after_due", COUNT, "Still to be moved or deleted on the server"),
    ]),
};

const COMPLETENESS: Named = Named {
    name: "Completeness",
    schema: Schema::Object(&[
        has("sum", Schema::Named(&COUNTS), "Of all folders"),
        has(
            "folders",
            Schema::List(
                &Schema::Object(&[
                    has("folder", COUNT, "Its number, for the list of failed mails"),
                    has("mailbox", SAID, ""),
                    has("name", SAID, ""),
                    has("reconciled", MAYBE_TIME, ""),
                    has("counts", Schema::Named(&COUNTS), ""),
                ]),
                FOLDERS_PER_PAGE,
            ),
            "",
        ),
        has("next", Schema::Maybe(&COUNT), "from of the next page"),
    ]),
};

const FAILED: Named = Named {
    name: "Failed",
    schema: Schema::Object(&[
        has(
            "failed",
            Schema::List(
                &Schema::Object(&[
                    has("id", SAID, "On the server"),
                    has("why", SAID, ""),
                    has("tries", COUNT, ""),
                    has("next_try", MAYBE_TIME, ""),
                ]),
                FAILED_PER_PAGE,
            ),
            "",
        ),
        has("next", Schema::Maybe(&SAID), "Cursor of the next page"),
    ]),
};

fn runs(asked: &Asked<'_>) -> Result<Response> {
    let definition = definition(&asked.context)?;
    let runs = asked.context.view()?.runs(&definition.name, asked.asked_number("limit", 20), RUNS_LOOKED)?;
    let run = |run: &crate::archive::commit::Run| {
        json!({
            "started": time(run.started),
            "ended": time(run.ended),
            "seen": run.seen,
            "archived": run.archived,
            "same": run.same,
            "left_out": run.left_out,
            "failed": run.failed,
            "unexplained": run.unexplained,
            "bytes": run.bytes,
            "trouble": run.trouble,
        })
    };
    Ok(answer(200, json!({ "runs": runs.iter().map(run).collect::<Vec<_>>() })))
}

fn run(asked: &Asked<'_>) -> Result<Response> {
    let definition = definition(&asked.context)?;
    if sources::ask_run(&asked.context, &definition, asked.body["reconcile"] == true)? {
        return Ok(answer(202, json!({ "is_asked": true })));
    }
    Err(Problem::new(Reason::Conflict).saying("The definition is inactive or has ended; nothing is fetched."))
}

fn tested(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let definition = definition(context)?;
    let Some(test) = context.web.tests.of(&definition.name) else {
        let none = json!({ "began": null, "is_running": false, "has_failed": false, "steps": [], "more": 0 });
        return Ok(answer(200, none));
    };
    // An administrator reads no mail by being one.
    let shows_mail = context.person()?.user.reads_everything();
    let step = |(mailbox, step): &(String, Step)| match step {
        Step::Passed(passed) => {
            json!({ "mailbox": mailbox, "passed": true, "sentence": passed.sentence(Lang::En, shows_mail) })
        }
        Step::Failed(error) => json!({ "mailbox": mailbox, "passed": false, "sentence": error.sentence(Lang::En) }),
    };
    Ok(answer(
        200,
        json!({
            "began": time(test.began),
            "is_running": test.is_running(),
            "has_failed": test.has_failed,
            "steps": test.steps.iter().map(step).collect::<Vec<_>>(),
            "more": test.more,
        }),
    ))
}

fn test(asked: &Asked<'_>) -> Result<Response> {
    let definition = definition(&asked.context)?;
    if super::super::admin::test::test(&asked.context, definition, false)? {
        return Ok(answer(202, json!({ "is_asked": true })));
    }
    Err(Problem::new(Reason::Conflict).saying(asked.context.t.admin.test_busy))
}

fn counts(counts: &Counts) -> Value {
    let left_out: serde_json::Map<String, Value> =
        counts.left_out.iter().map(|(why, count)| (completeness::left_out(*why).to_owned(), (*count).into())).collect();
    json!({
        "on_server": counts.on_server,
        "archived": counts.archived,
        "same": counts.same,
        "left_out": left_out,
        "deleted": counts.deleted,
        "failed": counts.failed,
        "unexplained": counts.unexplained,
        "after_due": counts.after_due,
    })
}

fn complete(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let definition = definition(context)?;
    let from = asked.asked_number("from", 0);
    let (mut sum, mut shown, mut count) = (Counts::default(), Vec::new(), 0);
    completeness::of(&context.view()?, &definition.name, |folder| {
        sum.join(&folder.counts);
        if (from..from.saturating_add(FOLDERS_PER_PAGE)).contains(&count) {
            let named = &folder.row.folder;
            shown.push(json!({
                "folder": named.number,
                "mailbox": named.mailbox_name,
                "name": named.name,
                "reconciled": maybe_time(folder.reconciled),
                "counts": counts(&folder.counts),
            }));
        }
        count += 1;
        Ok::<_, WebError>(())
    })?;
    let next = Some(from.saturating_add(FOLDERS_PER_PAGE)).filter(|next| *next < count);
    Ok(answer(200, json!({ "sum": counts(&sum), "folders": shown, "next": next })))
}

fn failed(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let definition = definition(context)?;
    let view = context.view()?;
    let number: FolderNumber = context.parameters[1].parse().map_err(|_| WebError::NotFound)?;
    view.folder(number)?.filter(|row| row.folder.definition == definition.name).ok_or(WebError::NotFound)?;
    let wrong = || Problem::at(Reason::Invalid, "cursor", "This is no cursor of a page.");
    let above = unhex(asked.asked_text("cursor")).ok_or_else(wrong)?;
    let (entries, is_more) = completeness::failed(&view, number, &above, FAILED_PER_PAGE)?;
    let failed = entries.iter().filter_map(|entry| match &entry.outcome {
        Outcome::Failed { why, tries, again } => Some(json!({
            "id": RemoteId(entry.remote.clone()).to_string(),
            "why": why,
            "tries": tries,
            "next_try": time(*again),
        })),
        _ => None,
    });
    let next = entries.last().filter(|_| is_more).map(|last| hex(&last.remote));
    Ok(answer(200, json!({ "failed": failed.collect::<Vec<_>>(), "next": next })))
}
