//! Setup, login, logout, own account, users and their rights, tokens of the API.

mod account;
mod login;
mod setup;
mod tokens;
pub(super) mod users;

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
    post("/admin/users/rights", Access::Administrator, users::rights),
    get("/admin/users/{name}", Access::Administrator, users::show),
    post("/admin/users/{name}", Access::Administrator, users::change),
    post("/admin/users/{name}/delete", Access::Administrator, users::delete),
];

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
