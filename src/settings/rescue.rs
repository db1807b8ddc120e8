//! The way back in for whoever stands in front of the box, or works on its data folder: who does that owns it.

use super::administration::Administration;
use super::networks::Networks;
use super::password::Password;
use super::users::{self, CONSOLE, Role, User};
use super::{Result, SettingsError};
use crate::archive::Archive;

/// Somebody who was let in again.
pub struct Rescued {
    pub user: User,
    /// Because the archive is public.
    pub only_from_private_networks: bool,
}

/// A new password for the first active administrator; `None` where nobody is set up yet. Administrators log in from everywhere
/// then, or from private networks where the archive is public: those that were named may be no longer its own.
pub fn let_in(archive: &Archive, password: &str) -> Result<Option<Rescued>> {
    let users = users::users(archive)?;
    // One who was barred is let in again where there is no other.
    let administrators = users.into_iter().filter(|user| user.role == Role::Administrator);
    let Some(mut user) = administrators.min_by_key(|user| (user.inactive, user.created)) else { return Ok(None) };
    let mut administration = Administration::read(archive)?;
    if !administration.admin_networks.is_empty() {
        administration.admin_networks = Networks::default();
        administration.write(archive, CONSOLE)?;
    }
    user.password = Password::new(password)
        .map_err(|error| SettingsError::Wrong { place: user.name.clone(), what: error.to_string() })?;
    user.inactive = false;
    users::put_user(archive, &user, CONSOLE)?;
    Ok(Some(Rescued { user, only_from_private_networks: administration.is_public }))
}
