//! Documents: found, looked at, changed, proved, linked to, uploaded.

use serde_json::{Value, json};

use super::super::dms::fields::{self, Edits};
use super::super::dms::state::{Only, State};
use super::super::dms::upload::Refused;
use super::super::dms::{access, ended, link, proof, upload, versions, view};
use super::super::happening::Teller;
use super::super::multipart::MultipartError;
use super::super::request::Form;
use super::super::{Context, Response, WebError, show};
use super::call::{Answer, Asked, Body, Call, Result, Right, json as answer, maybe_time, nothing, time};
use super::problem::{Problem, Reason};
use super::schema::{COUNT, MAYBE_TIME, Member, Named, SAID, Schema, TIME, Wrong, below, bound, has, may};
use crate::archive::commit::{Metadata, Number};
use crate::archive::rows::Document;
use crate::ingest::Defect;
use crate::language::Lang;
use crate::limits::{
    ACCESSES, API_LIST, API_PAGE, DEFINED_FIELDS, DOCUMENT_FIELDS, FIELD_CHARS, NOTE_CHARS, PAGE_DOCUMENTS, PARTS,
    QUERY_CHARS, QUERY_TERMS, VERSIONS,
};
use crate::mail::{Part, file_name};
use crate::search::{Ask, Found, IndexError, Query, find};
use crate::settings::administration::{Field, Versioning};

pub const CALLS: &[Call] = &[
    Call::get("/documents", "findDocuments", "Find documents, page by page", Answer::Json(200, &FOUND), list)
        .with(Right::Read)
        .asking(FIND),
    Call::post(
        "/documents",
        "uploadDocuments",
        "Upload files; each becomes a document",
        Answer::Json(201, &UPLOADED),
        send,
    )
    .with(Right::Change)
    .sent(Body::Files),
    Call::get("/documents/{number}", "getDocument", "What is known of a document", Answer::Json(200, &DOCUMENT), one)
        .with(Right::Read),
    Call::patch(
        "/documents/{number}",
        "changeDocument",
        "Change fields of a document, or publish it",
        Answer::Nothing,
        change,
    )
    .with(Right::Change)
    .sent(Body::Json(&CHANGE)),
    Call::get(
        "/documents/{number}/proof",
        "proveDocument",
        "What proves a document, where it was seen and who looked at it",
        Answer::Json(200, &PROOF),
        prove,
    )
    .with(Right::Read),
    Call::get(
        "/documents/{number}/link",
        "linkDocument",
        "The access link of a document",
        Answer::Json(200, &LINK),
        linked,
    )
    .with(Right::Read),
];

const FIND: &[Member] = &[
    may(
        "q",
        Schema::Text(0, QUERY_CHARS),
        "As in the search field: words, \"phrases\", from:, to:, cc:, subject:, file:, note:, owner:, mailbox:, folder:, before:, \
         after:, further fields by their names; version:all finds earlier versions too",
    ),
    may("only", Schema::Word(&["all", "mails", "files"]), "all by default"),
    may("sort", Schema::Word(&["date", "number", "title", "from", "size", "relevance"]), "date by default"),
    may("order", Schema::Word(&["up", "down"]), "down by default for date, number and size, else up"),
    may("limit", Schema::Integer(1, bound(API_PAGE)), "Documents of a page, 50 by default"),
    may("cursor", Schema::Text(1, 60), "next or previous of another page, with the same q, sort and order"),
];

const SUMMARY: Named = Named {
    name: "DocumentSummary",
    schema: Schema::Object(&[
        has("number", Schema::Integer(1, i64::MAX), "The document number"),
        has("kind", Schema::Word(&["mail", "file"]), ""),
        has("title", SAID, ""),
        has("from", SAID, ""),
        has("to", SAID, ""),
        has("cc", SAID, ""),
        has("date", MAYBE_TIME, "As the sender says"),
        has("time", MAYBE_TIME, "When a server received it, else its date, else when it was archived; never changes"),
        has("size", COUNT, "Bytes"),
        has("media_name", SAID, "File name of a file"),
        has("attachments", COUNT, "How many"),
        has("is_published", Schema::Flag, ""),
        has("fields", Schema::Map(&SAID, DEFINED_FIELDS), "Defined fields that are columns of the table"),
    ]),
};

const FOUND: Named = Named {
    name: "DocumentPage",
    schema: Schema::Object(&[
        has("documents", Schema::List(&Schema::Named(&SUMMARY), API_PAGE), ""),
        has("next", Schema::Maybe(&SAID), "Cursor of the next page; null at the end"),
        has("previous", Schema::Maybe(&SAID), "Cursor of the page before"),
        has("is_partial", Schema::Flag, "Many documents were looked at and the page is not full: next goes on"),
        has("only_newest", Schema::Flag, "Only the newest documents were put in this order"),
        has(
            "is_behind",
            Schema::Flag,
            "The search index has not read all of the archive yet: documents may be missing",
        ),
        has("hints", Schema::List(&SAID, 2 * QUERY_TERMS + 3), "What of q could not be understood or done"),
    ]),
};

const ATTACHMENT: Named = Named {
    name: "Attachment",
    schema: Schema::Object(&[
        has("part", COUNT, "For /documents/{number}/attachments/{part}"),
        has("name", SAID, ""),
        has("media_type", SAID, "As the mail says; nothing to rely on"),
        has("size", COUNT, "About so many bytes"),
        has("within", Schema::Maybe(&COUNT), "The part that it is inside of: a parameter of its address"),
    ]),
};

const ENVELOPE: Named = Named {
    name: "Envelope",
    schema: Schema::Object(&[
        has("sender", SAID, ""),
        has("on_behalf_of", SAID, ""),
        has("to", SAID, "In parentheses the list or forwarder by which somebody was reached"),
        has("cc", SAID, ""),
        has("bcc", SAID, ""),
        has("recipients", SAID, "Of whom the report does not say how they were addressed"),
    ]),
};

const DOCUMENT: Named = Named {
    name: "Document",
    schema: Schema::Object(&[
        has("number", Schema::Integer(1, i64::MAX), "The document number"),
        has("kind", Schema::Word(&["mail", "file"]), ""),
        has("title", SAID, ""),
        has("from", SAID, ""),
        has("to", SAID, ""),
        has("cc", SAID, ""),
        has("date", MAYBE_TIME, "As the sender says"),
        has("time", MAYBE_TIME, "When a server received it, else its date, else when it was archived; never changes"),
        has("archived", MAYBE_TIME, ""),
        has("size", COUNT, "Bytes"),
        has("sha256", SAID, "Of the bytes as they were archived"),
        has(
            "envelope",
            Schema::Maybe(&Schema::Named(&ENVELOPE)),
            "Of a journal report: among whom the mail within it went",
        ),
        has("message_id", SAID, ""),
        has("media_name", SAID, "File name of a file"),
        has("media_type", SAID, "Of a file, told by its bytes"),
        has("owner", SAID, ""),
        has("note", SAID, "Empty where the archive shows none"),
        has(
            "fields",
            Schema::Map(&SAID, API_LIST),
            "Further fields by name, empty ones too; those that the owner of the token may see",
        ),
        has("is_published", Schema::Flag, ""),
        has(
            "versions",
            Schema::List(&Schema::Object(VERSION), 2 * VERSIONS + 2),
            "Where it is one of several, the oldest first; those that the owner of the token may read",
        ),
        has("defects", Schema::List(&SAID, 100), "What of the mail could not be read as it should be"),
        has("attachments", Schema::List(&Schema::Named(&ATTACHMENT), PARTS), ""),
    ]),
};

const VERSION: &[Member] = &[
    has("version", COUNT, ""),
    has("number", Schema::Integer(1, i64::MAX), "The document number"),
    has("archived", MAYBE_TIME, ""),
];

const CHANGE: Named = Named {
    name: "DocumentChange",
    schema: Schema::Object(&[
        may("title", Schema::Text(0, FIELD_CHARS), "Of a file; the title of a mail stays"),
        may("note", Schema::Text(0, NOTE_CHARS), ""),
        may(
            "fields",
            Schema::Map(&Schema::Text(0, FIELD_CHARS), DOCUMENT_FIELDS),
            "By name; an empty text empties a field. The kind of a field says what may stand in it",
        ),
        may("is_published", Schema::Flag, "By the field for publishing"),
        may("is_published_sure", Schema::Flag, "Needed where a mail becomes published"),
    ]),
};

const UPLOADED: Named = Named {
    name: "Uploaded",
    schema: Schema::Object(&[has(
        "numbers",
        Schema::List(&Schema::Integer(1, i64::MAX), API_LIST),
        "Document numbers; a file that is there already keeps its own",
    )]),
};

const LINK: Named = Named {
    name: "AccessLink",
    schema: Schema::Object(&[
        has("title", SAID, ""),
        has("address", SAID, ""),
        has("text", SAID, "Title, line end, address: what is copied"),
        has(
            "mailto",
            Schema::Maybe(&SAID),
            "An address that opens a new mail with it; null where it is too long for one",
        ),
    ]),
};

const SEEN: Schema = Schema::Object(&[
    has("definition", SAID, "Empty: an upload"),
    has("mailbox", SAID, ""),
    has("folder", SAID, ""),
    has("seen", MAYBE_TIME, ""),
    has("received", MAYBE_TIME, "As the server says"),
    has("flags", Schema::List(&SAID, 10_000), ""),
]);

const PROOF: Named = Named {
    name: "Proof",
    schema: Schema::Object(&[
        has("number", Schema::Integer(1, i64::MAX), ""),
        has("sha256", SAID, ""),
        has("size", COUNT, "Bytes"),
        has("archived", MAYBE_TIME, ""),
        has("commit", COUNT, "The commit that archived it where the owner of the token may read"),
        has(
            "chain",
            Schema::Object(&[has("sequence", COUNT, ""), has("commit", SAID, "")]),
            "The newest commit of the chain",
        ),
        has(
            "variants",
            Schema::List(&SAID, 100_000),
            "SHA-256 of other renderings that are kept with it; only for whoever reads everything",
        ),
        has("seen", Schema::List(&SEEN, ACCESSES), "Places that the owner of the token may read"),
        has(
            "accesses",
            Schema::List(
                &Schema::Object(&[has("time", TIME, ""), has("who", SAID, ""), has("what", SAID, "")]),
                ACCESSES,
            ),
            "Newest first; own ones only for whoever does not read everything",
        ),
        has("accesses_are_cut", Schema::Flag, "There may be older ones"),
    ]),
};

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_mail() { "mail" } else { "file" }
}

/// Values of further fields. Who asks sees them all.
fn values<'a>(metadata: &Metadata, names: impl Iterator<Item = &'a str>) -> Value {
    let value = |name: &str| metadata.fields.get(name).map(String::as_str).unwrap_or_default().into();
    names.map(|name| (name.to_owned(), value(name))).collect::<serde_json::Map<_, _>>().into()
}

fn summary(context: &Context<'_>, number: Number, document: &Document) -> Value {
    let metadata = &document.metadata;
    let columns = context.fields.shown().filter(|field| field.is_column && context.sees(&field.name));
    json!({
        "number": number,
        "kind": kind(metadata),
        "title": metadata.title,
        "from": metadata.from,
        "to": metadata.to,
        "cc": metadata.cc,
        "date": maybe_time(metadata.date),
        "time": time(document.time),
        "size": document.size,
        "media_name": metadata.media_name,
        "attachments": metadata.attachments.len(),
        "is_published": link::is_published(&context.administration, metadata),
        "fields": values(metadata, columns.map(|field| field.name.as_str())),
    })
}

/// A cursor, and in front of it a letter where it leads back.
fn cursor(at: Option<crate::search::Cursor>, back: bool) -> Value {
    at.map_or(Value::Null, |at| format!("{}{at}", if back { "b" } else { "" }).into())
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let given = asked.asked_text("cursor");
    let (at, back) = given.strip_prefix('b').map_or((given, false), |at| (at, true));
    let wrong = || Problem::at(Reason::Invalid, "cursor", "This is no cursor of a page.");
    let at = if at.is_empty() { None } else { Some(at.parse().map_err(|()| wrong())?) };
    let mut form = Form::default();
    form.push("sort", asked.asked_text("sort"));
    form.push("order", asked.asked_text("order"));
    form.push("only", asked.asked_text("only"));
    let state = State::of(&form);
    let (order, only) = (state.order, state.only.unwrap_or(Only::All));
    let view = context.view()?;
    let query = Query::parse(asked.asked_text("q"), &show::zone(), &context.searchable());
    let query = query.newest(context.ties()).only(only.kind());
    let reads = context.reads(&view)?;
    let most = asked.asked_number("limit", PAGE_DOCUMENTS);
    let ask = Ask { query: &query, order, at, back, most };
    let mut hints: Vec<String> = query.hints().iter().map(|hint| hint.sentence(Lang::En)).collect();
    let found = find(&context.web.index, &view, &reads, ask, |number, document| summary(context, number, document));
    let found = match found {
        Err(why @ (IndexError::TooMany | IndexError::TooLong)) => {
            hints.push(why.to_string());
            Found::default()
        }
        found => found?,
    };
    // Where the bound was reached, the same way goes on.
    let further = found.further.is_some();
    let next = if further && !back { found.further } else { found.after };
    let previous = if further && back { found.further } else { found.before };
    Ok(answer(
        200,
        json!({
            "documents": found.rows,
            "next": cursor(next, false),
            "previous": cursor(previous, true),
            "is_partial": further,
            "only_newest": found.only_newest,
            "is_behind": found.is_behind,
            "hints": hints,
        }),
    ))
}

fn attachment(part: &Part, within: Option<usize>) -> Value {
    json!({
        "part": part.number,
        "name": file_name::of(part),
        "media_type": part.media_type,
        "size": part.decoded_size(),
        "within": within,
    })
}

fn one(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let shown = match access::readable(context) {
        Err(WebError::NotFound) => return Err(gone(context)?),
        shown => shown?,
    };
    access::note_opened(context, shown.number)?;
    let (document, metadata) = (&shown.document, &shown.document.metadata);
    let mut attachments = Vec::new();
    if metadata.is_mail() {
        let (outer, inner) = view::opened(&context.web.archive, shown.number)?;
        let (mail, within) = inner.as_ref().map_or((&outer, None), |(inner, within)| (inner, Some(*within)));
        attachments.extend(view::attached(mail, &[]).into_iter().take(PARTS).map(|part| attachment(part, within)));
    }
    let names = fields::names(context, metadata);
    let defects = metadata.defects.iter().filter_map(|code| Defect::from_code(*code));
    let mut json = summary(context, shown.number, document);
    json["attachments"] = attachments.into();
    json["archived"] = time(metadata.archived);
    json["sha256"] = document.sha256.to_string().into();
    json["message_id"] = metadata.message_id.as_str().into();
    json["envelope"] = json!(metadata.envelope);
    json["media_type"] = metadata.media_type.as_str().into();
    json["owner"] = metadata.owner.as_str().into();
    json["note"] = if context.administration.shows_note { metadata.note.as_str() } else { "" }.into();
    json["fields"] = values(metadata, names.iter().map(String::as_str));
    json["versions"] = known_versions(context, &shown)?;
    json["defects"] = defects.map(|defect| defect.sentence(Lang::En)).collect::<Vec<_>>().into();
    Ok(answer(200, json))
}

/// What is said of a document that is not there: whoever may know it hears that it ended.
pub(super) fn gone(context: &Context<'_>) -> Result<Problem> {
    let ended = ended::of(context, context.number(0)?)?;
    let problem = Problem::new(Reason::NotFound);
    Ok(match ended {
        Some(ended) => problem.saying(ended::sentence(context, &ended)),
        None => problem,
    })
}

/// What a page lists beside the document.
fn known_versions(context: &Context<'_>, shown: &access::Shown) -> Result<Value> {
    let Some(reads) = shown.reads.as_ref().filter(|_| context.administration.versioning != Versioning::None) else {
        return Ok(json!([]));
    };
    let all = versions::all(context, &context.view()?, reads, shown.number, &shown.document.metadata)?;
    let version = |(version, number, document): &(u32, Number, Document)| json!({ "version": version, "number": number, "archived": time(document.metadata.archived) });
    Ok(if all.len() > 1 { all.iter().map(version).collect() } else { json!([]) })
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let (context, body) = (&asked.context, &asked.body);
    let shown = access::readable(context)?;
    let metadata = &shown.document.metadata;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    if body.get("title").is_some() && metadata.is_mail() {
        return Err(Problem::at(Reason::Refused, "/title", "The title of a mail is its subject, and stays."));
    }
    if body.get("note").is_some() && !context.administration.shows_note {
        return Err(Problem::at(Reason::Refused, "/note", "The archive shows no notes; see Archive administration."));
    }
    let mut edits = Edits { title: text("title"), note: text("note"), ..Edits::default() };
    for (name, value) in body["fields"].as_object().into_iter().flatten() {
        edits.fields.insert(name.clone(), value.as_str().unwrap_or_default().into());
    }
    edits.is_sure = body["is_published_sure"] == true;
    let publishes = body["is_published"].as_bool();
    let unsure = || {
        let what = "A mail would be published, with names and addresses of other people; confirm that.";
        Problem::at(Reason::Refused, "/is_published_sure", what)
    };
    if publishes.is_some() && !matches!(context.administration.publishing, Some(Field::Other(_))) {
        let what = "There is no field for publishing that could be filled; choose one in Archive administration.";
        return Err(Problem::at(Reason::Refused, "/is_published", what));
    }
    if publishes.is_some() && !access::may_publish(context) {
        let what = "The owner of the token may not change the field for publishing.";
        return Err(Problem::new(Reason::RightMissing).saying(what));
    }
    if publishes == Some(true) && !edits.is_sure && fields::asks_to_publish(context, metadata) {
        return Err(unsure());
    }
    let wrong = fields::edit(context, &shown, edits)?;
    if wrong.is_unsure {
        return Err(unsure());
    }
    if !wrong.is_none() {
        let errors =
            wrong.fields.into_iter().map(|(name, what)| Wrong { at: below("/fields", &name), what: what.into() });
        return Err(Problem::of(Reason::Refused, errors.collect()));
    }
    if let Some(publishes) = publishes
        && publishes != link::is_published(&context.administration, &access::readable(context)?.document.metadata)
    {
        fields::publish(context, shown.number, publishes)?;
    }
    Ok(nothing())
}

fn prove(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let shown = access::readable(context)?;
    access::note_opened(context, shown.number)?;
    let view = context.view()?;
    let kept = proof::kept(&view, &shown)?;
    let chain = view.position()?.unwrap_or_default();
    let variants: Vec<String> = kept.variants.iter().map(ToString::to_string).collect();
    let seen = proof::seen(&view, &shown)?.into_iter().map(|(folder, seen)| {
        json!({
            "definition": folder.definition,
            "mailbox": folder.mailbox_name,
            "folder": folder.name,
            "seen": time(seen.seen),
            "received": maybe_time(seen.received),
            "flags": seen.flags,
        })
    });
    let seen: Vec<Value> = seen.collect();
    let (events, is_cut) = proof::looked(context, &view, &shown)?;
    let teller = Teller::of(context);
    let event = |event: &crate::archive::commit::Event| json!({ "time": time(event.time), "who": event.who, "what": teller.what(&event.what) });
    Ok(answer(
        200,
        json!({
            "number": shown.number,
            "sha256": shown.document.sha256.to_string(),
            "size": shown.document.size,
            "archived": time(shown.document.metadata.archived),
            "commit": kept.commit,
            "chain": { "sequence": chain.sequence, "commit": chain.commit.to_string() },
            "variants": variants,
            "seen": seen,
            "accesses": events.iter().map(event).collect::<Vec<_>>(),
            "accesses_are_cut": is_cut,
        }),
    ))
}

fn linked(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let shown = access::readable(context)?;
    let metadata = &shown.document.metadata;
    let short = link::short(context, shown.number, metadata);
    let mailto = link::mailto(&short[0], std::slice::from_ref(&short));
    Ok(answer(
        200,
        json!({
            "mailto": mailto.map(|(address, _)| address),
            "title": link::title(context, shown.number, metadata),
            "address": link::address(context, shown.number),
            "text": link::text(context, shown.number, metadata),
        }),
    ))
}

fn send(asked: &Asked<'_>) -> Result<Response> {
    let numbers = upload::take(&asked.context, true).map_err(|refused| match refused {
        Refused::Web(error) => Problem::from(error),
        Refused::Form(MultipartError::Io(error) | MultipartError::Out(error)) => error.into(),
        Refused::Form(error) => {
            Problem::at(Reason::Invalid, "", format!("The form with files cannot be read: {error}."))
        }
    })?;
    if numbers.is_empty() {
        return Err(Problem::at(Reason::Refused, "/files", "There is no file with a name in the form."));
    }
    Ok(answer(201, json!({ "numbers": numbers })))
}
