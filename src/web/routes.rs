//! The table of all pages: method, path, and whom it is for.

use super::error::{Result, WebError};
use super::request::Method;
use super::response::Response;
use super::{Context, Request, Web, admin, api, assets, compile, dms, entry, layout};
use crate::settings::users;

/// Whom a page is for. Checked before the page is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, logged in or not.
    Anybody,
    /// Anybody, as long as there is no user yet.
    Setup,
    /// Whoever is logged in; the page itself looks at rights on documents.
    Person,
    Administrator,
    /// Administrators and auditors.
    Examiner,
}

pub type Page = fn(&Context<'_>) -> Result<Response>;

/// One page.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: Method,
    /// `{…}` stands for one part of a path.
    pub path: &'static str,
    pub access: Access,
    pub page: Page,
}

/// A page that changes nothing.
pub const fn get(path: &'static str, access: Access, page: Page) -> Route {
    Route { method: Method::Get, path, access, page }
}

/// A page that changes something.
pub const fn post(path: &'static str, access: Access, page: Page) -> Route {
    Route { method: Method::Post, path, access, page }
}

/// All pages.
pub fn all() -> impl Iterator<Item = &'static Route> {
    [admin::ROUTES, api::ROUTES, assets::ROUTES, compile::ROUTES, dms::ROUTES, entry::ROUTES].into_iter().flatten()
}

impl Route {
    /// The parts of the path that stand for `{…}`; `None` where the path is another one.
    fn parameters(&self, path: &[String]) -> Option<Vec<String>> {
        parameters(self.path, path)
    }
}

/// The parts of `path` that stand for `{…}` in `own`; `None` where the path is another one.
pub fn parameters(own: &str, path: &[String]) -> Option<Vec<String>> {
    let own = own.split('/').filter(|part| !part.is_empty());
    if own.clone().count() != path.len() {
        return None;
    }
    let mut parameters = Vec::new();
    for (own, given) in own.zip(path) {
        if own.starts_with('{') {
            parameters.push(given.clone());
        } else if own != given {
            return None;
        }
    }
    Some(parameters)
}

/// Answers a request, whatever it is.
pub fn answer(web: &Web, request: &Request) -> Response {
    if api::is_ours(request) {
        return api::answer(web, request);
    }
    let context = match Context::new(web, request) {
        Ok(context) => context,
        Err(error) => {
            tracing::error!("{error}");
            return Response::text(500, format!("{error}\n"));
        }
    };
    if let Some(first) = request.path.first()
        && ADMINISTERING.contains(&first.as_str())
        && !context.administration.administers_from(request.peer)
    {
        return failed(&context, &WebError::Elsewhere);
    }
    route(context)
}

/// What is for the networks of administrators alone, as is `api`.
const ADMINISTERING: [&str; 2] = ["admin", "setup"];

fn route(mut context: Context<'_>) -> Response {
    let method = if context.request.method == Method::Head { Method::Get } else { context.request.method };
    let mut other_method = false;
    for route in all() {
        let Some(parameters) = route.parameters(&context.request.path) else { continue };
        if route.method != method {
            other_method = true;
            continue;
        }
        context.parameters = parameters;
        let response = match admit(&context, route.access) {
            Ok(None) => (route.page)(&context),
            Ok(Some(elsewhere)) => Ok(elsewhere),
            Err(error) => Err(error),
        };
        return response.unwrap_or_else(|error| failed(&context, &error));
    }
    failed(&context, if other_method { &WebError::Method } else { &WebError::NotFound })
}

/// Whether the page may be made; or where to go first.
fn admit(context: &Context<'_>, access: Access) -> Result<Option<Response>> {
    let is_set_up = || Ok::<_, WebError>(!users::users(&context.web.archive)?.is_empty());
    match (access, &context.person) {
        (Access::Setup, _) if is_set_up()? => Ok(Some(Response::redirect("/"))),
        (Access::Anybody | Access::Setup, _) | (Access::Person, Some(_)) => Ok(None),
        (Access::Administrator, Some(person)) if person.is_administrator() => admin::recovery_sheet::first(context),
        (Access::Examiner, Some(person)) if person.examines() => Ok(None),
        (Access::Administrator | Access::Examiner, Some(_)) => Err(WebError::Forbidden),
        (_, None) if !is_set_up()? => Ok(Some(Response::redirect("/setup"))),
        (_, None) => Ok(Some(entry::to_login(context))),
    }
}

fn failed(context: &Context<'_>, error: &WebError) -> Response {
    if error.status() >= 500 {
        tracing::error!("{}: {error}", context.request.target.split('?').next().unwrap_or_default());
    }
    layout::failed(context, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_route() {
        fn page(_: &Context<'_>) -> Result<Response> {
            Err(WebError::NotFound)
        }
        let route = get("/documents/{number}/view", Access::Person, page);
        let path = |text: &str| text.split('/').filter(|part| !part.is_empty()).map(String::from).collect::<Vec<_>>();
        assert_eq!(route.parameters(&path("/documents/7/view")), Some(vec!["7".to_string()]));
        assert_eq!(route.parameters(&path("/documents/7")), None);
        assert_eq!(route.parameters(&path("/documents/7/view/x")), None);
    }

    #[test]
    fn no_two_pages_stand_at_one_place() {
        let mut seen = std::collections::BTreeSet::new();
        for route in all() {
            let shape: Vec<&str> =
                route.path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
            assert!(seen.insert((route.method == Method::Post, shape)), "{} twice", route.path);
        }
    }
}
