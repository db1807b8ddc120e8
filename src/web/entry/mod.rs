//! Setup, login, logout, own account, users, groups and their rights, tokens of the API.

mod account;
pub(super) mod groups;
mod login;
pub(super) mod matrix;
mod setup;
mod tokens;
pub(super) mod users;

use maud::{Markup, html};

use super::Context;
use super::routes::{Access, Route, get, post};
use crate::settings::users::{PASSWORD_CHARS, PASSWORD_MOST};

pub use login::to_login;
pub(super) use tokens::monitored;

pub const ROUTES: &[Route] = &[
    get("/setup", Access::Setup, setup::show),
    post("/setup", Access::Setup, setup::send),
    get("/login", Access::Anybody, login::show),
    post("/login", Access::Anybody, login::send),
    post("/logout", Access::Person, login::end),
    get("/account", Access::Person, account::show),
    post("/account", Access::Person, account::send),
    post("/account/password", Access::Person, account::password),
    get("/account/tokens", Access::Person, tokens::own),
    post("/account/tokens", Access::Person, tokens::make_own),
    post("/account/tokens/{id}/revoke", Access::Person, tokens::revoke_own),
    get("/admin/tokens", Access::Administrator, tokens::all),
    post("/admin/tokens", Access::Administrator, tokens::make_for),
    post("/admin/tokens/{id}/revoke", Access::Administrator, tokens::revoke_any),
    post("/admin/metrics", Access::Administrator, tokens::networks_entered),
    get("/admin/users", Access::Administrator, users::list),
    post("/admin/users", Access::Administrator, users::add),
    get("/admin/users/{name}", Access::Administrator, users::show),
    post("/admin/users/{name}", Access::Administrator, users::change),
    post("/admin/users/{name}/delete", Access::Administrator, users::delete),
    get("/admin/groups", Access::Administrator, groups::list),
    post("/admin/groups", Access::Administrator, groups::add),
    get("/admin/groups/{name}", Access::Administrator, groups::show),
    post("/admin/groups/{name}", Access::Administrator, groups::change),
    post("/admin/groups/{name}/delete", Access::Administrator, groups::delete),
    get("/admin/rights", Access::Administrator, matrix::show),
    post("/admin/rights", Access::Administrator, matrix::send),
];

/// Which of the pages about people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Users,
    Groups,
    Matrix,
    Tokens,
}

/// The menu of these pages.
fn tabs(context: &Context<'_>, here: Tab) -> Markup {
    let t = &context.t.rights;
    let entry = |of: Tab, path: &str, text: &str| {
        html! { a href=(path) aria-current=[(of == here).then_some("page")] { (text) } }
    };
    html! {
        nav.tabs aria-label=(context.t.entry.users_title) {
            (entry(Tab::Users, "/admin/users", t.people))
            (entry(Tab::Groups, "/admin/groups", t.groups))
            (entry(Tab::Matrix, "/admin/rights", t.matrix))
            (entry(Tab::Tokens, "/admin/tokens", context.t.tokens.title_all))
        }
    }
}

/// What is wrong with a new password, if anything.
fn password_fault(t: &super::texts::Entry, password: &str, again: &str) -> Option<&'static str> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS {
        Some(t.password_short)
    } else if chars > PASSWORD_MOST {
        Some(t.password_long)
    } else if password != again {
        Some(t.passwords_differ)
    } else {
        None
    }
}
