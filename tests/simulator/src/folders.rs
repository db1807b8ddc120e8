//! Mail folders. Graph docs: 'List mailFolders', 'List childFolders', 'Get mailFolder', 'Create mailFolder'.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::failure::{self, Failure};
use crate::graph::{At, View};
use crate::identifier::{self, Named};
use crate::mailbox::{Mailbox, ROOT};
use crate::question::{Question, encode};
use crate::tenant::Tenant;

/// The folder that a path names, by its id or by its well-known name.
pub fn find(mailbox: &Mailbox, name: &str) -> Result<usize, Failure> {
    if let Some(known) = mailbox.well_known(name) {
        return Ok(known);
    }
    match identifier::parse(&mailbox.tag, name) {
        None | Some(Named::Usual(..) | Named::Immutable(_)) => Err(failure::malformed_id()),
        Some(Named::Folder(number)) if mailbox.folders.get(number).is_some_and(|folder| !folder.gone) => Ok(number),
        Some(_) => Err(failure::no_folder()),
    }
}

pub fn top(tenant: &mut Tenant, at: &mut At<'_>, question: &Question) -> Result<Answer, Failure> {
    page_or_add(tenant, at, question, ROOT, &format!("{}/mailFolders", user_path(at)))
}

pub fn children(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, folder: usize) -> Result<Answer, Failure> {
    let path = format!("{}/mailFolders/{}/childFolders", user_path(at), encode(at.folder));
    page_or_add(tenant, at, question, folder, &path)
}

fn user_path(at: &At<'_>) -> String {
    format!("/v1.0/users/{}", encode(at.user))
}

fn page_or_add(
    tenant: &mut Tenant,
    at: &mut At<'_>,
    question: &Question,
    parent: usize,
    path: &str,
) -> Result<Answer, Failure> {
    match question.method.as_str() {
        "GET" => page(tenant, at, question, parent, path),
        "POST" => add(tenant, at, question, parent),
        _ => Err(Failure::new(405, "BadRequest", "The method is not allowed.")),
    }
}

/// Ten at a time unless `$top` says otherwise; hidden ones only with `includeHiddenFolders=true`.
fn page(tenant: &Tenant, at: &mut At<'_>, question: &Question, parent: usize, path: &str) -> Result<Answer, Failure> {
    let mailbox = &tenant.mailboxes[at.mailbox];
    let number = |name: &str, otherwise: usize| question.option(name).map_or(Ok(otherwise), str::parse);
    let (Ok(size), Ok(skip)) = (number("$top", 10), number("$skip", 0)) else {
        return Err(failure::malformed("Invalid value for an option of the query."));
    };
    let hidden = question.option("includeHiddenFolders").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let named =
        question.option("$filter").and_then(|filter| filter.strip_prefix("displayName eq '")?.strip_suffix('\''));
    let mut all = mailbox.children(parent);
    all.retain(|folder| hidden || !mailbox.folders[*folder].hidden);
    all.retain(|folder| named.is_none_or(|name| mailbox.folders[*folder].name.eq_ignore_ascii_case(name)));
    let view = View { mailbox, question };
    let size = size.clamp(1, 1000);
    let value: Vec<_> = all.iter().skip(skip).take(size).map(|folder| properties(&view, *folder)).collect();
    let mut body = json!({ "@odata.context": at.user_context("mailFolders"), "value": value });
    if skip + size < all.len() {
        let options = question.options_without("$skip");
        body["@odata.nextLink"] = json!(format!("{}{path}?{options}%24skip={}", question.base(), skip + size));
    }
    Ok(Answer::odata(200, &body))
}

pub fn one(tenant: &Tenant, at: &mut At<'_>, question: &Question, folder: usize) -> Result<Answer, Failure> {
    at.call = "folder";
    if question.method != "GET" {
        return Err(Failure::new(405, "BadRequest", "The method is not allowed."));
    }
    let view = View { mailbox: &tenant.mailboxes[at.mailbox], question };
    let mut body = properties(&view, folder);
    body["@odata.context"] = json!(at.user_context("mailFolders/$entity"));
    Ok(Answer::odata(200, &body))
}

fn add(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, parent: usize) -> Result<Answer, Failure> {
    at.call = "create-folder";
    let asked: Value = serde_json::from_slice(&question.body)
        .map_err(|_| failure::malformed("Unable to read JSON request payload."))?;
    let name = asked["displayName"].as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::new(400, "ErrorInvalidRequest", "The display name is missing."))?;
    let mailbox = &mut tenant.mailboxes[at.mailbox];
    if mailbox.child(parent, name).is_some() {
        return Err(Failure::new(409, "ErrorFolderExists", "A folder with the specified name already exists."));
    }
    let folder = mailbox.add_folder(name, Some(parent), asked["isHidden"].as_bool().unwrap_or(false));
    let view = View { mailbox: &tenant.mailboxes[at.mailbox], question };
    let mut body = properties(&view, folder);
    body["@odata.context"] = json!(at.user_context("mailFolders/$entity"));
    Ok(Answer::odata(201, &body))
}

pub fn properties(view: &View<'_>, number: usize) -> Value {
    let mailbox = view.mailbox;
    let folder = &mailbox.folders[number];
    let members = &mailbox.folders[mailbox.shown(number)].members;
    let mut body = json!({
        "id": view.folder_id(number),
        "displayName": folder.name,
        "parentFolderId": view.folder_id(folder.parent.unwrap_or(number)),
        "childFolderCount": mailbox.children(number).len(),
        "unreadItemCount": members.iter().filter(|(_, message)| !mailbox.messages[*message].is_read).count(),
        "totalItemCount": members.len(),
        "isHidden": folder.hidden,
    });
    if let Some(source) = folder.searches {
        body["@odata.type"] = json!("#microsoft.graph.mailSearchFolder");
        body["isSupported"] = json!(true);
        body["includeNestedFolders"] = json!(false);
        body["sourceFolderIds"] = json!([view.folder_id(source)]);
        body["filterQuery"] = json!("contains(subject, 'weekly digest')");
    }
    body
}
