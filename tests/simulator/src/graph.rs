//! Microsoft Graph v1.0: who may come in, and which page of the documentation answers.

use crate::answer::Answer;
use crate::date;
use crate::failure::{self, Failure};
use crate::faults::Kind;
use crate::identifier::{self, Named};
use crate::journal::Entry;
use crate::lanes::{Lane, Lanes};
use crate::mailbox::Mailbox;
use crate::question::Question;
use crate::tenant::Tenant;
use crate::{actions, attachments, delta, folders, messages, users, value};

/// What a request is about, and what becomes known of it on the way.
pub struct At<'a> {
    /// The user as the path names him: links name him the same way.
    pub user: &'a str,
    pub object_id: String,
    /// The folder as the path names it.
    pub folder: &'a str,
    pub mailbox: usize,
    pub call: &'static str,
    pub fault: Option<Kind>,
    pub page_size: Option<u64>,
}

/// What an answer is of.
pub fn context(what: &str) -> String {
    format!("https://graph.microsoft.com/v1.0/$metadata#{what}")
}

/// How a mailbox is shown to this request.
pub struct View<'a> {
    pub mailbox: &'a Mailbox,
    pub question: &'a Question,
}

impl View<'_> {
    pub fn id(&self, message: usize) -> String {
        self.message_id(message, self.mailbox.messages[message].moves)
    }

    pub fn message_id(&self, message: usize, moves: u64) -> String {
        if self.question.immutable() {
            identifier::immutable(&self.mailbox.tag, message)
        } else {
            identifier::usual(&self.mailbox.tag, message, moves)
        }
    }

    pub fn folder_id(&self, folder: usize) -> String {
        identifier::folder(&self.mailbox.tag, folder)
    }

    pub fn etag(&self, message: usize) -> String {
        format!("W/\"{}\"", self.change_key(message))
    }

    pub fn change_key(&self, message: usize) -> String {
        use base64::Engine;
        let version = self.mailbox.messages[message].version;
        format!("CQAAABYAAAC4{}", base64::prelude::BASE64_STANDARD.encode([version.to_be_bytes(), [0; 8]].concat()))
    }
}

impl At<'_> {
    /// The context of what lies below the user.
    pub fn user_context(&self, what: &str) -> String {
        context(&format!("users('{}')/{what}", self.object_id))
    }

    /// A page of more than four messages fails if one of them is poisoned; a narrower one works.
    pub fn check_page(&mut self, tenant: &Tenant, page: impl Iterator<Item = usize>) -> Result<(), Failure> {
        let page: Vec<usize> = page.collect();
        let bad = |message: &usize| tenant.faults.on(Kind::PoisonedPage, &format!("{} {message}", self.mailbox));
        if page.len() > 4 && page.iter().any(bad) {
            self.fault = Some(Kind::PoisonedPage);
            return Err(failure::poisoned_page());
        }
        Ok(())
    }
}

/// Answers a request to `/v1.0/…` and says what is to be logged of it.
pub fn answer(tenant: &mut Tenant, lanes: &Lanes, question: &Question) -> (Answer, Entry) {
    let mut at = At {
        user: question.segments.get(2).map_or("", String::as_str),
        object_id: String::new(),
        folder: "",
        mailbox: 0,
        call: "other",
        fault: None,
        page_size: None,
    };
    let owner = question.segments.get(3).and_then(|_| tenant.find_user(at.user)).map(|at| tenant.users[at].id.clone());
    let lane = owner.as_deref().map(|owner| lanes.enter(owner));
    if let Some(lane) = &lane {
        let name = owner.as_deref().and_then(|id| tenant.find_user(id)).map(|at| tenant.users[at].upn.clone());
        tenant.journal.in_flight(&name.unwrap_or_default(), lane.of_mailbox, lane.of_all);
    }
    let result = admit(tenant, question, lane.as_ref(), &mut at);
    let result = match result {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => dispatch(tenant, &mut at, question),
        Err(failure) => Err(failure),
    };
    let writes = question.method != "GET";
    let lost = writes && result.is_ok() && tenant.faults.fall(Kind::LateGateway, &question.address);
    let result = if lost {
        at.fault = Some(Kind::LateGateway);
        Err(Failure::new(504, "UnknownError", ""))
    } else {
        result
    };
    let (request_id, now) = (crate::chance::guid(tenant.next()), date::now());
    let client = question.client_request_id.clone().unwrap_or_else(|| request_id.clone());
    let answer = result.unwrap_or_else(|failure| {
        let mut answer = Answer::odata(failure.status, &failure.body(&request_id, &client, now));
        answer.headers.extend(failure.headers);
        answer
    });
    let entry = Entry {
        status: answer.status,
        call: at.call,
        fault: at.fault.map(Kind::name),
        mailbox: owner,
        page_size: at.page_size,
        ..Entry::default()
    };
    let answer = answer.with("request-id", request_id).with("client-request-id", client);
    // What is refused at the door takes nobody's place.
    let answer = if answer.status == 429 { answer } else { answer.in_lane(lane) };
    (answer, entry)
}

/// The token, the limits, and faults that fall on requests of any kind.
fn admit(
    tenant: &mut Tenant,
    question: &Question,
    lane: Option<&Lane>,
    at: &mut At<'_>,
) -> Result<Option<Answer>, Failure> {
    let token = question.authorization.as_deref().ok_or_else(failure::no_token)?;
    let token =
        token.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer")).map_or("", |(_, token)| token);
    if token.is_empty() {
        return Err(failure::no_token());
    }
    let ends = *tenant.tokens.get(token).ok_or_else(failure::wrong_token)?;
    if ends <= date::now() {
        return Err(failure::expired_token());
    }
    let wait = tenant.config.retry_after;
    if let Some(lane) = lane {
        let too_many = tenant.config.tenant_concurrency.is_some_and(|most| lane.of_all > most);
        if lane.of_mailbox > tenant.config.concurrency || too_many {
            let message = "Application is over its MailboxConcurrency limit.";
            return Err(failure::throttled(message, wait.to_string()));
        }
        if let Some(quota) = tenant.config.quota
            && let Err(seconds) = tenant.quotas.take(&lane.mailbox, quota)
        {
            return Err(failure::throttled("Application is over its limit of requests.", seconds.to_string()));
        }
    }
    let thing = format!("{} {}", question.method, question.address);
    let request = [
        Kind::Throttle,
        Kind::Unavailable,
        Kind::Gateway,
        Kind::TokenExpired,
        Kind::Spurious401,
        Kind::HtmlError,
        Kind::WrongContentType,
        Kind::Redirect,
    ];
    let Some(kind) = request.into_iter().find(|kind| tenant.faults.fall(*kind, &thing)) else { return Ok(None) };
    at.fault = Some(kind);
    let number = tenant.faults.number(kind, &thing);
    let second = number.is_multiple_of(2);
    match kind {
        Kind::Throttle => {
            let at = i64::try_from(wait).unwrap_or(1) + date::now();
            let wait = if second { wait.to_string() } else { date::http(at) };
            Err(failure::throttled("Application is over its MailboxConcurrency limit.", wait))
        }
        Kind::Unavailable => {
            let failure =
                Failure::new(503, "serviceNotAvailable", "The service is temporarily unavailable. Please retry.");
            Err(if second { failure.with("Retry-After", wait.to_string()) } else { failure })
        }
        Kind::Gateway => Err(Failure::new(if second { 502 } else { 504 }, "UnknownError", "")),
        Kind::TokenExpired => {
            tenant.tokens.remove(token);
            Err(failure::expired_token())
        }
        Kind::Spurious401 => Err(failure::expired_token()),
        Kind::HtmlError => {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
            Ok(Some(Answer::bytes(502, "text/html", page)))
        }
        Kind::WrongContentType => {
            let page = "<!DOCTYPE html><html><body>Please log in to the network.</body></html>";
            Ok(Some(Answer::bytes(200, "text/html; charset=utf-8", page)))
        }
        _ => Ok(Some(Answer::empty(307).with("Location", format!("{}{}", question.base(), question.address)))),
    }
}

fn dispatch<'a>(tenant: &mut Tenant, at: &mut At<'a>, question: &'a Question) -> Result<Answer, Failure> {
    let segments: Vec<&'a str> = question.segments.iter().skip(1).map(String::as_str).collect();
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_lowercase()).collect();
    let names: Vec<&str> = lower.iter().map(String::as_str).collect();
    let method = question.method.as_str();
    match names.as_slice() {
        ["me", ..] => {
            return Err(failure::malformed("/me request is only valid with delegated authentication flow."));
        }
        ["users"] => return users::list(tenant, at, question),
        ["users", _] => return users::one(tenant, at, question),
        ["users", _, "mailboxsettings", ..] => return users::settings(tenant, at, question),
        ["users", ..] => {}
        _ => return Err(failure::no_segment(segments.first().unwrap_or(&""))),
    }
    let write = method != "GET";
    let (user, mailbox) = tenant.mailbox_of(at.user, write)?;
    at.mailbox = mailbox;
    at.object_id.clone_from(&tenant.users[user].id);
    if tenant.users[user].fresh && tenant.faults.fall(Kind::NotFoundWindow, &at.object_id) {
        at.fault = Some(Kind::NotFoundWindow);
        return Err(failure::no_mailbox());
    }
    let (names, ids) = (&names[2..], &segments[2..]);
    let (names, ids) = match names {
        ["mailfolders"] => {
            at.call = "folders";
            return folders::top(tenant, at, question);
        }
        ["mailfolders", _, rest @ ..] => {
            at.folder = ids[1];
            let folder = folders::find(&tenant.mailboxes[mailbox], ids[1])?;
            match rest {
                [] => return folders::one(tenant, at, question, folder),
                ["childfolders"] => {
                    at.call = "folders";
                    return folders::children(tenant, at, question, folder);
                }
                ["messages"] => return messages::list_or_add(tenant, at, question, Some(folder)),
                ["messages", "delta" | "delta()" | "microsoft.graph.delta()"] => {
                    at.call = "delta";
                    return delta::answer(tenant, at, question, folder);
                }
                // Seen to fail, so it fails: only the short form gives MIME.
                ["messages", _, "$value"] => return Err(failure::unsupported()),
                ["messages", ..] => (rest, &ids[2..]),
                [other, ..] => return Err(failure::no_segment(other)),
            }
        }
        ["messages"] => return messages::list_or_add(tenant, at, question, None),
        _ => (names, ids),
    };
    let ["messages", _, rest @ ..] = names else {
        return Err(failure::no_segment(ids.first().unwrap_or(&"")));
    };
    let message = find(tenant, at, question, ids[1])?;
    match (method, rest) {
        ("GET", []) => messages::one(tenant, at, question, message),
        ("PATCH", []) => actions::update(tenant, at, question, message),
        ("DELETE", []) => Ok(actions::delete(tenant, at, message)),
        ("GET", ["$value"]) => value::answer(tenant, at, message),
        ("GET", ["attachments"]) => attachments::list(tenant, at, question, message),
        ("GET", ["attachments", _]) => attachments::one(tenant, at, question, message, ids[3], false),
        ("GET", ["attachments", _, "$value"]) => attachments::one(tenant, at, question, message, ids[3], true),
        ("POST", ["move" | "microsoft.graph.move"]) => actions::relocate(tenant, at, question, message),
        ("POST", ["copy" | "microsoft.graph.copy"]) => actions::copy(tenant, at, question, message),
        ("POST", ["permanentdelete" | "microsoft.graph.permanentdelete"]) => Ok(actions::purge(tenant, at, message)),
        (_, [other, ..]) => Err(failure::no_segment(other)),
        _ => Err(Failure::new(405, "BadRequest", "The method is not allowed.")),
    }
}

/// The message of an id. An id of one kind under the header for the other kind is refused: Graph was seen to answer so where
/// the two are mixed.
fn find(tenant: &mut Tenant, at: &mut At<'_>, question: &Question, id: &str) -> Result<usize, Failure> {
    let mailbox = &tenant.mailboxes[at.mailbox];
    let named = identifier::parse(&mailbox.tag, id).ok_or_else(failure::malformed_id)?;
    let number = match named {
        Named::Usual(number, moves) if !question.immutable() => {
            Some(number).filter(|number| mailbox.messages.get(*number).is_some_and(|message| message.moves == moves))
        }
        Named::Immutable(number) if question.immutable() => Some(number),
        Named::Elsewhere => None,
        _ => return Err(failure::malformed_id()),
    };
    let there = |number: &usize| mailbox.messages.get(*number).is_some_and(|message| message.folder.is_some());
    let number = number.filter(there).ok_or_else(failure::no_item)?;
    let fresh = mailbox.messages[number].fresh;
    if fresh && tenant.faults.fall(Kind::NotFoundWindow, &format!("{} {number}", at.mailbox)) {
        at.fault = Some(Kind::NotFoundWindow);
        return Err(failure::no_item());
    }
    Ok(number)
}
