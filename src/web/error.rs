//! Why there is no page, and what the person reads instead.

use crate::archive::ArchiveError;
use crate::search::IndexError;
use crate::settings::SettingsError;

/// A request that gets no page.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// There is nothing here, or nothing that this person may see: both look the same.
    #[error("not found")]
    NotFound,
    #[error("this method is not for this page")]
    Method,
    /// The form was not sent by a page of this session.
    #[error("the form was not sent by a page of this session")]
    Stale,
    /// Logged in, but this page is for others.
    #[error("not allowed")]
    Forbidden,
    /// Administering is for other networks.
    #[error("not from this network")]
    Elsewhere,
    /// What was entered; a whole sentence in the person's language.
    #[error("{0}")]
    Wrong(String),
    #[error("too many attempts")]
    TooMany,
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl WebError {
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound | Self::Archive(ArchiveError::NoDocument { .. }) => 404,
            Self::Method => 405,
            Self::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => 413,
            Self::Stale | Self::Forbidden | Self::Elsewhere => 403,
            Self::Wrong(_)
            | Self::Index(IndexError::TooMany | IndexError::TooLong)
            | Self::Settings(SettingsError::Wrong { .. } | SettingsError::NoDefinition { .. }) => 400,
            Self::TooMany => 429,
            Self::Settings(_) | Self::Archive(_) | Self::Index(_) | Self::Io(_) => 500,
        }
    }
}

/// Result of every page.
pub type Result<T> = std::result::Result<T, WebError>;
