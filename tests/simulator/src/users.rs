//! The directory. Graph docs: 'List users', 'Get a user', 'user: mailboxSettings'.

use serde_json::json;

use crate::answer::Answer;
use crate::failure::{self, Failure};
use crate::graph::{At, context};
use crate::question::Question;
use crate::tenant::{Tenant, User};

const SETTINGS: [&str; 1] = ["MailboxSettings.Read"];
const DIRECTORY: [&str; 3] = ["User.Read.All", "User.ReadWrite.All", "Directory.Read.All"];

pub fn list(tenant: &Tenant, at: &mut At<'_>, question: &Question) -> Result<Answer, Failure> {
    at.call = "users";
    if !tenant.may(&DIRECTORY) {
        return Err(failure::insufficient());
    }
    let size = match question.option("$top").map(str::parse::<usize>) {
        None => 100,
        Some(Ok(size @ 1..=999)) => size,
        Some(_) => {
            return Err(Failure::new(
                400,
                "Request_UnsupportedQuery",
                "Invalid page size specified: '$top'. Must be between 1 and 999 inclusive.",
            ));
        }
    };
    at.page_size = Some(size as u64);
    let found: Vec<&User> = tenant.users.iter().filter(|user| matches(user, question.option("$filter"))).collect();
    let start: usize =
        question.option("$skiptoken").and_then(|token| token.strip_prefix("RFNwdAIAAQ")?.parse().ok()).unwrap_or(0);
    let select = selected(question);
    let page = found.iter().skip(start).take(size);
    let value: Vec<_> = page.map(|user| user.properties(select.as_deref())).collect();
    let mut body = json!({ "@odata.context": context("users"), "value": value });
    if start + size < found.len() {
        let select = question.option("$select").map(|select| format!("$select={select}&")).unwrap_or_default();
        let next = start + size;
        body["@odata.nextLink"] =
            json!(format!("{}/v1.0/users?{select}$top={size}&$skiptoken=RFNwdAIAAQ{next}", question.base()));
    }
    Ok(Answer::odata(200, &body))
}

/// Of filters only `property eq 'value'`; another one finds everybody, as an unknown option does nothing.
fn matches(user: &User, filter: Option<&str>) -> bool {
    let Some((property, value)) = filter.and_then(|filter| filter.split_once(" eq ")) else { return true };
    let value = value.trim().trim_matches('\'');
    match property.trim() {
        "mail" => user.mail.as_deref().is_some_and(|mail| mail.eq_ignore_ascii_case(value)),
        "userPrincipalName" => user.upn.eq_ignore_ascii_case(value),
        "accountEnabled" => user.enabled == (value == "true"),
        "userType" => user.guest == (value == "Guest"),
        _ => true,
    }
}

pub fn one(tenant: &Tenant, at: &mut At<'_>, question: &Question) -> Result<Answer, Failure> {
    at.call = "user";
    if !tenant.may(&DIRECTORY) {
        return Err(failure::insufficient());
    }
    let user = tenant.find_user(at.user).ok_or_else(|| failure::no_such_user(at.user))?;
    let mut body = tenant.users[user].properties(selected(question).as_deref());
    body["@odata.context"] = json!(context("users/$entity"));
    Ok(Answer::odata(200, &body))
}

pub fn settings(tenant: &Tenant, at: &mut At<'_>, question: &Question) -> Result<Answer, Failure> {
    at.call = "settings";
    if !tenant.may(&SETTINGS) {
        return Err(failure::access_denied());
    }
    let user = tenant.find_user(at.user).ok_or_else(|| failure::no_such_mail_user(at.user))?;
    let user = &tenant.users[user];
    user.mailbox.ok_or_else(failure::no_mailbox)?;
    at.object_id.clone_from(&user.id);
    if question.segments.get(4).is_some_and(|name| name.eq_ignore_ascii_case("userPurpose")) {
        let body = json!({ "@odata.context": at.user_context("mailboxSettings/userPurpose"), "value": user.purpose });
        return Ok(Answer::odata(200, &body));
    }
    let locale =
        if tenant.config.german { ("de-CH", "German (Switzerland)") } else { ("en-US", "English (United States)") };
    let all = json!({
        "archiveFolder": null, "timeZone": "W. Europe Standard Time", "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "dd.MM.yyyy", "timeFormat": "HH:mm", "userPurpose": user.purpose,
        "language": { "locale": locale.0, "displayName": locale.1 },
    });
    let mut body = json!({ "@odata.context": at.user_context("mailboxSettings") });
    let select = selected(question);
    for (name, value) in all.as_object().into_iter().flatten() {
        if select.as_ref().is_none_or(|select| select.iter().any(|each| each.eq_ignore_ascii_case(name))) {
            body[name] = value.clone();
        }
    }
    Ok(Answer::odata(200, &body))
}

fn selected(question: &Question) -> Option<Vec<String>> {
    question.option("$select").map(|select| select.split(',').map(|name| name.trim().to_owned()).collect())
}
