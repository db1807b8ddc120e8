//! What a page knows about the request that it answers.

use std::cell::OnceCell;

use super::error::{Result, WebError};
use super::request::{Form, Method, number};
use super::session::{COOKIE, Session};
use super::texts::{self, Texts};
use super::{Request, Web, show};
use crate::archive::commit::{Happening, Number};
use crate::archive::view::{Reads, View};
use crate::language::Lang;
use crate::search::{Searchable, Ties};
use crate::settings::administration::Administration;
use crate::settings::document_fields::DocumentFields;
use crate::settings::tokens::Token;
use crate::settings::users::{self, Role, User};

/// Somebody who is logged in.
pub struct Person {
    pub user: User,
    pub session: Session,
    pub cookie: String,
    /// In place of a cookie.
    pub token: Option<Token>,
}

impl Person {
    pub fn is_administrator(&self) -> bool {
        self.user.role == Role::Administrator
    }

    /// Whether the person looks after the archive or examines it.
    pub fn examines(&self) -> bool {
        self.user.role != Role::User
    }

    /// What is shown of mails beside documents, such as a subject in a test, is not for a token without a right to documents.
    fn may_read(&self) -> bool {
        self.token.as_ref().is_none_or(|token| token.rights.read || token.rights.change)
    }
}

/// One request with everything that pages ask about it.
pub struct Context<'a> {
    pub web: &'a Web,
    pub request: &'a Request,
    /// `None` on pages for anybody.
    pub person: Option<Person>,
    pub administration: Administration,
    /// The document fields that people defined.
    pub fields: DocumentFields,
    pub lang: Lang,
    pub t: &'static Texts,
    /// The parts of the path that stand for `{…}` in the route.
    pub parameters: Vec<String>,
    reads: OnceCell<Reads>,
}

impl<'a> Context<'a> {
    pub fn new(web: &'a Web, request: &'a Request) -> Result<Self> {
        let administration = Administration::read(&web.archive)?;
        let person = person(web, request)?
            .filter(|person| !person.is_administrator() || administration.administers_from(request.peer));
        let chosen = person.as_ref().and_then(|person| person.user.language);
        // Before anybody is set up, the browser knows best.
        let lang = chosen.unwrap_or_else(|| {
            if administration.archive_name.is_empty() {
                Lang::accepted(request.header("accept-language").unwrap_or_default())
            } else {
                administration.language
            }
        });
        Self::with(web, request, person, administration, lang)
    }

    /// For a call of the API, which speaks English and knows no cookies.
    pub fn of_call(web: &'a Web, request: &'a Request, person: Option<Person>) -> Result<Self> {
        Self::with(web, request, person, Administration::read(&web.archive)?, Lang::En)
    }

    fn with(
        web: &'a Web,
        request: &'a Request,
        person: Option<Person>,
        administration: Administration,
        lang: Lang,
    ) -> Result<Self> {
        show::set_zone(administration.zone());
        Ok(Self {
            web,
            request,
            person,
            fields: DocumentFields::read(&web.archive)?,
            administration,
            lang,
            t: texts::of(lang),
            parameters: Vec::new(),
            reads: OnceCell::new(),
        })
    }

    /// The person; pages that ask for one have one.
    pub fn person(&self) -> Result<&Person> {
        self.person.as_ref().ok_or(WebError::Forbidden)
    }

    /// Who, as the journal writes it: of a token that somebody made for another also which one, and by whom.
    pub fn who(&self) -> String {
        match &self.person {
            Some(Person { user, token: Some(token), .. }) if token.is_made_by_another() => {
                format!("{} (API {}, {})", user.name, token.id, token.maker)
            }
            Some(person) => person.user.name.clone(),
            None => self.request.peer.to_string(),
        }
    }

    pub fn view(&self) -> Result<View> {
        Ok(self.web.archive.view()?)
    }

    /// Whose documents this person may read; looked up once in a request.
    pub fn reads(&self, view: &View) -> Result<Reads> {
        if let Some(reads) = self.reads.get() {
            return Ok(reads.clone());
        }
        let reads = match &self.person {
            Some(person) if person.may_read() => person.user.reads(&self.web.archive, view)?,
            _ => Reads::Places(Vec::new()),
        };
        Ok(self.reads.get_or_init(|| reads).clone())
    }

    fn user(&self) -> Option<&User> {
        self.person.as_ref().map(|person| &person.user)
    }

    /// Whether the person sees this further field of documents that it may read.
    pub fn sees(&self, field: &str) -> bool {
        self.fields.sees(self.user(), field)
    }

    /// Whether the person changes it.
    pub fn changes(&self, field: &str) -> bool {
        self.fields.changes(self.user(), field)
    }

    /// What the person may search by.
    pub fn searchable(&self) -> Searchable {
        let searchable = Searchable::of(&self.fields, self.user(), false);
        if self.administration.shows_note { searchable } else { searchable.without_notes() }
    }

    /// What ties versions together, as far as the person sees it.
    pub fn ties(&self) -> Ties {
        Ties::of(&self.administration, |field| self.sees(field))
    }

    /// The fields of a form that a page of this session sent; anything else is [`WebError::Stale`].
    pub fn form(&self) -> Result<Form> {
        let form = self.request.form()?;
        self.check_token(form.text("csrf"))?;
        Ok(form)
    }

    /// Holds the token of a form against the session's.
    pub fn check_token(&self, token: &str) -> Result<()> {
        let is_ours = match &self.person {
            Some(person) => person.session.csrf == token,
            None => true,
        };
        if is_ours && self.request.method == Method::Post && self.request.is_from_here() {
            Ok(())
        } else {
            Err(WebError::Stale)
        }
    }

    /// A parameter of the route that is a document number.
    pub fn number(&self, place: usize) -> Result<Number> {
        let text = self.parameters.get(place).map(String::as_str).unwrap_or_default();
        number(text).ok_or(WebError::NotFound)
    }

    /// Notes what the person did; what is only looked at is not waited for.
    pub fn journal(&self, what: Happening) -> Result<()> {
        Ok(self.web.archive.journal_soon(&self.who(), what)?)
    }

    /// Says a sentence on the next page.
    pub fn notice(&self, text: impl Into<String>) {
        if let Some(person) = &self.person {
            self.web.sessions.notice(&person.cookie, text.into());
        }
    }
}

fn person(web: &Web, request: &Request) -> Result<Option<Person>> {
    let Some(cookie) = request.cookie(COOKIE) else { return Ok(None) };
    let Some(session) = web.sessions.find(cookie) else { return Ok(None) };
    web.settle_rights()?;
    let user = users::user(&web.archive, &session.user)?.filter(|user| !user.inactive && session.is_of(user));
    Ok(user.map(|user| Person { user, session, cookie: cookie.into(), token: None }))
}
