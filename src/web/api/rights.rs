//! Groups, and the matrix mailbox × user or group.

use serde_json::{Value, json};

use super::super::entry::matrix::{self, Change, Holder};
use super::super::entry::{groups as pages, users};
use super::super::{Context, Response};
use super::call::{Answer, Asked, Body, Call, Result, json as answer, nothing};
use super::people::{MAILBOX, given, known};
use super::problem::{Problem, Reason};
use super::schema::{Named, SAID, Schema, has, may};
use crate::limits::{API_SENT, GROUP_MEMBERS};
use crate::settings::groups::{self, Group, NAME_CHARS};
use crate::settings::users::MailboxId;
use crate::settings::{self, Definition, same_name};

pub const CALLS: &[Call] = &[
    Call::get("/groups", "listGroups", "All groups of users", Answer::Json(200, &GROUPS), list),
    Call::post("/groups", "addGroup", "Add a group, which reads nothing yet", Answer::Json(201, &GROUP), add)
        .sent(Body::Json(&NEW)),
    Call::get("/groups/{name}", "getGroup", "One group", Answer::Json(200, &GROUP), one),
    Call::patch(
        "/groups/{name}",
        "changeGroup",
        "Change who is in a group and what its members read, from that moment",
        Answer::Json(200, &GROUP),
        change,
    )
    .sent(Body::Json(&CHANGE)),
    Call::delete("/groups/{name}", "removeGroup", "Remove a group; what was read by it is not any more", remove)
        .conflicting(),
    Call::get("/rights", "listRights", "Who reads which mailbox", Answer::Json(200, &RIGHTS), rights),
    Call::patch(
        "/rights",
        "changeRights",
        "Give or take single rights; all else stays",
        Answer::Nothing,
        change_rights,
    )
    .sent(Body::Json(&CHANGES)),
];

const NAMES: Schema = Schema::List(&SAID, 1_000_000);

const GROUP: Named = Named {
    name: "Group",
    schema: Schema::Object(&[
        has("name", SAID, ""),
        has("members", NAMES, "Names of users"),
        has("mailboxes", Schema::List(&Schema::Object(MAILBOX), 1_000_000), "Whose documents its members read"),
    ]),
};
const GROUPS: Named = Named {
    name: "Groups",
    schema: Schema::Object(&[has("groups", Schema::List(&Schema::Named(&GROUP), 1_000_000), "")]),
};

const MEMBERS: Schema = Schema::List(&Schema::Text(1, 64), GROUP_MEMBERS);

const NEW: Named = Named {
    name: "NewGroup",
    schema: Schema::Object(&[
        has("name", Schema::Text(1, NAME_CHARS), "Letters, digits, blanks and . - _ @ +; never changes"),
        may("members", MEMBERS, "Names of users"),
    ]),
};
const CHANGE: Named = Named {
    name: "GroupChange",
    schema: Schema::Object(&[
        may("members", MEMBERS, "All of them"),
        may("mailboxes", Schema::List(&Schema::Object(MAILBOX), API_SENT), "All of them, as listMailboxes gives them"),
    ]),
};

const RIGHTS: Named = Named {
    name: "Rights",
    schema: Schema::Object(&[has(
        "mailboxes",
        Schema::List(
            &Schema::Object(&[
                has("definition", SAID, "Empty: uploads"),
                has("mailbox", SAID, ""),
                has("name", SAID, "For people"),
                has("users", NAMES, "To whom it is given"),
                has("groups", NAMES, "To which it is given"),
                has("owner", SAID, "User or group to whom its definition belongs, who reads it too; empty: nobody"),
            ]),
            1_000_000,
        ),
        "Beside these, auditors and administrators with reads_all read everything",
    )]),
};

const CHANGES: Named = Named {
    name: "RightChanges",
    schema: Schema::Object(&[has(
        "changes",
        Schema::List(
            &Schema::Object(&[
                has("definition", Schema::Text(0, 64), "Empty: uploads of a user"),
                has("mailbox", Schema::Text(1, 1000), "Its identity"),
                may("user", Schema::Text(1, 64), "Either this or group"),
                may("group", Schema::Text(1, 64), ""),
                has("reads", Schema::Flag, "Given or taken"),
            ]),
            API_SENT,
        ),
        "",
    )]),
};

fn shown(group: &Group) -> Value {
    json!({ "name": group.name, "members": group.members, "mailboxes": given(&group.mailboxes) })
}

fn list(asked: &Asked<'_>) -> Result<Response> {
    let groups = groups::groups(&asked.context.web.archive)?;
    Ok(answer(200, json!({ "groups": groups.iter().map(shown).collect::<Vec<_>>() })))
}

fn one(asked: &Asked<'_>) -> Result<Response> {
    Ok(answer(200, shown(&pages::group(&asked.context)?)))
}

/// Names of users that were sent, each of which there is.
fn members(context: &Context<'_>, sent: &Value) -> Result<Option<Vec<String>>> {
    let Some(sent) = sent.as_array() else { return Ok(None) };
    let users = settings::users::users(&context.web.archive)?;
    let mut names = Vec::new();
    for (place, name) in sent.iter().enumerate() {
        let name = name.as_str().unwrap_or_default();
        if !users.iter().any(|user| same_name(&user.name, name)) {
            return Err(Problem::at(Reason::Refused, format!("/members/{place}"), "There is no such user."));
        }
        names.push(name.to_owned());
    }
    Ok(Some(names))
}

fn add(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let name = asked.text("name");
    let members = members(context, &asked.body["members"])?.unwrap_or_default();
    if let Some(wrong) = pages::create(context, name, &members)? {
        return Err(Problem::at(Reason::Refused, "/name", wrong));
    }
    let group = groups::group(&context.web.archive, name)?.ok_or(Problem::new(Reason::NotFound))?;
    Ok(answer(201, shown(&group)))
}

fn change(asked: &Asked<'_>) -> Result<Response> {
    let (context, body) = (&asked.context, &asked.body);
    pages::group(context)?;
    let members = members(context, &body["members"])?;
    let mailboxes = match body["mailboxes"].as_array() {
        Some(given) => Some(known(&users::mailboxes(context)?, given)?),
        None => None,
    };
    if let Some(wrong) = pages::alter(context, |_| members, mailboxes)? {
        return Err(Problem::at(Reason::Refused, "/members", wrong));
    }
    one(asked)
}

fn remove(asked: &Asked<'_>) -> Result<Response> {
    match pages::remove(&asked.context)? {
        Some(why) => Err(Problem::new(Reason::Conflict).saying(why)),
        None => Ok(nothing()),
    }
}

fn rights(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let holders = matrix::holders(context)?;
    let definitions: Vec<Definition> = settings::definitions(&context.web.archive)?.into_iter().flatten().collect();
    let row = |(id, name): (MailboxId, String)| {
        let names = |of_groups: bool| -> Vec<&str> {
            let fits =
                |holder: &&Holder| matches!(holder, Holder::Group(_)) == of_groups && holder.mailboxes().contains(&id);
            holders.iter().filter(fits).map(Holder::name).collect()
        };
        let definition = definitions.iter().find(|definition| definition.name == id.definition);
        json!({
            "definition": id.definition,
            "mailbox": id.mailbox,
            "name": name,
            "users": names(false),
            "groups": names(true),
            "owner": definition.map(|definition| definition.owner.as_str()).unwrap_or_default(),
        })
    };
    let all = users::mailboxes(context)?;
    Ok(answer(200, json!({ "mailboxes": all.into_iter().map(row).collect::<Vec<_>>() })))
}

fn change_rights(asked: &Asked<'_>) -> Result<Response> {
    let context = &asked.context;
    let known = users::mailboxes(context)?;
    let mut changes = Vec::new();
    for (place, sent) in asked.body["changes"].as_array().into_iter().flatten().enumerate() {
        let wrong = |what: &str| Err(Problem::at(Reason::Refused, format!("/changes/{place}"), what));
        let text = |name: &str| sent[name].as_str().unwrap_or_default().to_owned();
        let mailbox = MailboxId { definition: text("definition"), mailbox: text("mailbox") };
        let (is_group, holder) = match (sent["user"].as_str(), sent["group"].as_str()) {
            (Some(user), None) => (false, user),
            (None, Some(group)) => (true, group),
            _ => return wrong("Give either user or group."),
        };
        if !known.contains_key(&mailbox) {
            return wrong("There is no such mailbox.");
        }
        if matrix::holder(context, is_group, holder)?.is_none() {
            return wrong("There is nobody of this name who could be given a mailbox; some read everything already.");
        }
        changes.push(Change { is_group, holder: holder.into(), mailbox, reads: sent["reads"] == true });
    }
    matrix::apply(context, &changes)?;
    Ok(nothing())
}
