//! The control interface: what a test does to the tenant behind the client's back. See the head of the crate for its calls.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest;
use serde_json::{Value, json};

use crate::config::Extra;
use crate::device;
use crate::identifier::{self, Named};
use crate::load;
use crate::mailbox::{Mailbox, ROOT};
use crate::render;
use crate::source::Source;
use crate::tenant::Tenant;
use crate::value;

/// Does what one JSON object says, or each of a list. Errors are said in the answer.
pub fn control(tenant: &mut Tenant, asked: &Value) -> Value {
    if let Value::Array(list) = asked {
        return Value::Array(list.iter().map(|each| control(tenant, each)).collect());
    }
    one(tenant, asked).unwrap_or_else(|error| json!({ "error": format!("{error:#}") }))
}

fn one(tenant: &mut Tenant, asked: &Value) -> Result<Value> {
    let text = |name: &str| asked[name].as_str().with_context(|| format!("{name} is missing"));
    match text("op")? {
        "add" => add(tenant, asked),
        "move" | "delete" | "touch" | "send_draft" | "poison" | "messages" => on_messages(tenant, asked),
        "add_folder" | "hide_folder" | "rename_folder" | "remove_folder" | "folders" => folders(tenant, asked),
        "add_user" => {
            let traits =
                asked["traits"].as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned);
            let at = tenant.add_user(&Extra { address: text("address")?.to_owned(), traits: traits.collect() });
            Ok(json!({ "id": tenant.users[at].id, "upn": tenant.users[at].upn }))
        }
        "rename_user" => {
            let at = tenant.find_user(text("user")?).context("no such user")?;
            text("upn")?.clone_into(&mut tenant.users[at].upn);
            Ok(json!({ "id": tenant.users[at].id }))
        }
        "set_user" => {
            let at = tenant.find_user(text("user")?).context("no such user")?;
            let user = &mut tenant.users[at];
            for (name, flag) in
                [("enabled", &mut user.enabled), ("policy", &mut user.policy), ("denied", &mut user.denied)]
            {
                *flag = asked[name].as_bool().unwrap_or(*flag);
            }
            Ok(json!({ "id": user.id }))
        }
        "fault" => {
            tenant.faults.set(text("fault")?.parse()?);
            Ok(json!({}))
        }
        "clear_faults" => {
            tenant.faults.clear();
            Ok(json!({}))
        }
        "expire_tokens" => {
            let count = tenant.tokens.len();
            tenant.tokens.values_mut().for_each(|ends| *ends = 0);
            Ok(json!({ "tokens": count }))
        }
        "expire_delta_tokens" => {
            let only = asked["mailbox"].as_str().map(|name| mailbox_of(tenant, name)).transpose()?;
            for (at, mailbox) in tenant.mailboxes.iter_mut().enumerate() {
                if only.is_none_or(|only| only == at) {
                    mailbox.folders.iter_mut().for_each(|folder| folder.epoch += 1);
                }
            }
            Ok(json!({}))
        }
        "sign_in" => device::sign_in(tenant, asked),
        "sign_ins" => Ok(device::told(tenant)),
        "revoke_sign_ins" => {
            device::revoke(tenant);
            Ok(json!({}))
        }
        "configure" => configure(tenant, asked),
        "counters" => Ok(tenant.journal.counters()),
        "log" => Ok(tenant.journal.lines()),
        "reset_counters" => {
            tenant.journal.reset();
            Ok(json!({}))
        }
        other => bail!("unknown op {other}"),
    }
}

/// What is done to messages that are there.
fn on_messages(tenant: &mut Tenant, asked: &Value) -> Result<Value> {
    let (at, messages) = messages(tenant, asked)?;
    let op = asked["op"].as_str().unwrap_or_default();
    if op == "messages" {
        let hashed = asked["sha256"] == true;
        return messages.into_iter().map(|message| told(tenant, at, message, hashed)).collect();
    }
    let mailbox = &mut tenant.mailboxes[at];
    let to = match op {
        "move" => Some(folder(mailbox, asked["to"].as_str().context("to is missing")?)),
        "delete" if asked["soft"] == true => mailbox.well_known("recoverableitemsdeletions"),
        "send_draft" => mailbox.well_known("sentitems"),
        _ => None,
    };
    for message in &messages {
        match op {
            "poison" => tenant.faults.poisoned.push((at, *message)),
            "touch" => {
                mailbox.messages[*message].is_read = !mailbox.messages[*message].is_read;
                mailbox.touch(*message);
            }
            _ => {
                mailbox.messages[*message].is_draft &= op != "send_draft";
                mailbox.relocate(*message, to);
            }
        }
    }
    Ok(json!({ "messages": messages.len() }))
}

/// What a test may know of a message; with `hashed` also what `$value` gives, and whether it is refused for good.
fn told(tenant: &Tenant, at: usize, number: usize, hashed: bool) -> Result<Value> {
    let mut told = about(&tenant.mailboxes[at], number);
    if hashed {
        let mut bytes = Vec::new();
        let source = &tenant.mailboxes[at].messages[number].source;
        render::open(source, tenant.config.render)?.read_to_end(&mut bytes)?;
        told["sha256"] = json!(hex(digest::digest(&digest::SHA256, &bytes).as_ref()));
        told["poisoned"] = json!(value::poison(tenant, at, number)?.is_some());
    }
    Ok(told)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Settings that may change while it runs.
fn configure(tenant: &mut Tenant, asked: &Value) -> Result<Value> {
    let config = &mut tenant.config;
    for (name, value) in asked.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("client_secret", Value::String(secret)) => config.client_secret.clone_from(secret),
            ("secret_expired", Value::Bool(expired)) => config.secret_expired = *expired,
            ("permissions", Value::Array(names)) => {
                config.permissions = names.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            }
            ("public_client", Value::Bool(is_public)) => config.public_client = *is_public,
            ("code_life", value) => config.code_life = value.as_i64().context("a number")?,
            ("token_life", value) => config.token_life = value.as_i64().context("a number")?,
            ("retry_after", value) => config.retry_after = value.as_u64().context("a number")?,
            ("latency", value) => config.latency = value.as_u64().context("a number")?,
            ("concurrency", value) => config.concurrency = value.as_u64().context("a number")?.try_into()?,
            ("tenant_concurrency", value) => {
                config.tenant_concurrency = value.as_u64().map(usize::try_from).transpose()?;
            }
            ("op", _) => {}
            (other, _) => bail!("{other} cannot be changed so"),
        }
    }
    Ok(json!({}))
}

fn mailbox_of(tenant: &Tenant, name: &str) -> Result<usize> {
    let user = tenant.find_user(name).with_context(|| format!("no user {name}"))?;
    tenant.users[user].mailbox.with_context(|| format!("{name} has no mailbox"))
}

/// A folder by its path as a mailbox on disk names it; `%2F` is a slash within a name.
fn folder(mailbox: &mut Mailbox, path: &str) -> usize {
    let names: Vec<String> =
        path.split('/').filter(|name| !name.is_empty()).map(|name| name.replace("%2F", "/")).collect();
    mailbox.folder_of(&names)
}

fn add(tenant: &mut Tenant, asked: &Value) -> Result<Value> {
    let mailbox = mailbox_of(tenant, asked["mailbox"].as_str().context("mailbox is missing")?)?;
    let source = if let Some(path) = asked["path"].as_str() {
        Source::File(Arc::new(PathBuf::from(path)))
    } else if let Some(mime) = asked["mime"].as_str() {
        Source::Memory(Arc::from(mime.as_bytes()))
    } else {
        let packed = asked["mime_base64"].as_str().context("path, mime or mime_base64 is missing")?;
        Source::Memory(Arc::from(BASE64_STANDARD.decode(packed)?))
    };
    let (received, sent) = load::dates(&source);
    let mailbox = &mut tenant.mailboxes[mailbox];
    let folder = folder(mailbox, asked["folder"].as_str().unwrap_or("Inbox"));
    let number = mailbox.add_message(folder, source, received, sent);
    mailbox.messages[number].fresh = true;
    if let Some(is_draft) = asked["is_draft"].as_bool() {
        mailbox.messages[number].is_draft = is_draft;
    }
    Ok(about(mailbox, number))
}

/// The messages that are meant: by `id` (either kind), by `message_id`, by `folder`, or all of the mailbox; `first` of them.
fn messages(tenant: &mut Tenant, asked: &Value) -> Result<(usize, Vec<usize>)> {
    let at = mailbox_of(tenant, asked["mailbox"].as_str().context("mailbox is missing")?)?;
    let mailbox = &mut tenant.mailboxes[at];
    if let Some(id) = asked["id"].as_str() {
        let Some(Named::Usual(number, _) | Named::Immutable(number)) = identifier::parse(&mailbox.tag, id) else {
            bail!("no message has this id")
        };
        return Ok((at, vec![number]));
    }
    let folder = asked["folder"].as_str().map(|path| folder(mailbox, path));
    let message_id = asked["message_id"].as_str().map(|id| id.trim_matches(['<', '>']).to_owned());
    let mut found = Vec::new();
    for (number, message) in mailbox.messages.iter().enumerate() {
        let here = message.folder.is_some() && folder.is_none_or(|folder| message.folder == Some(folder));
        let same = || {
            let Some(wanted) = &message_id else { return true };
            let head = message.source.head().unwrap_or_default();
            let parsed = mail_parser::MessageParser::new().parse_headers(&head);
            parsed.and_then(|mail| mail.message_id().map(|id| id == wanted)).unwrap_or(false)
        };
        if here && same() {
            found.push(number);
        }
    }
    if let Some(first) = asked["first"].as_u64() {
        found.truncate(usize::try_from(first)?);
    }
    Ok((at, found))
}

fn about(mailbox: &Mailbox, number: usize) -> Value {
    let message = &mailbox.messages[number];
    json!({
        "id": identifier::usual(&mailbox.tag, number, message.moves),
        "immutable_id": identifier::immutable(&mailbox.tag, number),
        "folder": message.folder.map(|folder| path(mailbox, folder)),
        "file": match &message.source { Source::File(path) => json!(path.display().to_string()), _ => Value::Null },
    })
}

fn path(mailbox: &Mailbox, folder: usize) -> String {
    let name = mailbox.folders[folder].name.replace('/', "%2F");
    match mailbox.folders[folder].parent.filter(|parent| *parent != ROOT) {
        Some(parent) => format!("{}/{name}", path(mailbox, parent)),
        None => name,
    }
}

fn folders(tenant: &mut Tenant, asked: &Value) -> Result<Value> {
    let mailbox = mailbox_of(tenant, asked["mailbox"].as_str().context("mailbox is missing")?)?;
    let mailbox = &mut tenant.mailboxes[mailbox];
    if asked["op"] == "folders" {
        let all = (0..mailbox.folders.len()).filter(|at| !mailbox.folders[*at].gone);
        return Ok(all.map(|at| json!({ "path": path(mailbox, at), "id": identifier::folder(&mailbox.tag, at), "messages": mailbox.folders[at].members.len(), "hidden": mailbox.folders[at].hidden })).collect());
    }
    let number = folder(mailbox, asked["folder"].as_str().context("folder is missing")?);
    let inbox = mailbox.inbox();
    let changed = &mut mailbox.folders[number];
    match asked["op"].as_str() {
        Some("hide_folder") => changed.hidden = asked["hidden"].as_bool().unwrap_or(true),
        Some("rename_folder") => asked["name"].as_str().context("name is missing")?.clone_into(&mut changed.name),
        Some("remove_folder") => {
            changed.gone = true;
            let members: Vec<usize> = changed.members.iter().map(|(_, message)| *message).collect();
            for message in members {
                mailbox.relocate(message, None);
            }
        }
        _ => {
            changed.hidden = asked["hidden"].as_bool().unwrap_or(changed.hidden);
            if asked["search"] == true {
                changed.searches = Some(inbox);
            }
        }
    }
    Ok(json!({ "id": identifier::folder(&mailbox.tag, number) }))
}
