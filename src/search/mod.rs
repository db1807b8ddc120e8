//! Finding documents: what somebody types, and a page of what fits.
//!
//! ```text
//! log ──commits──▶ index (words of every document) ──hits──▶ page ◀──what is known of them── catalog
//! ```
//!
//! Rules of the room: it reads the archive and changes nothing of it; what it keeps itself, the index, can be thrown away. Rights are part of
//! every walk and of every question to the index; what the index finds is held against the catalog once more, which is never behind. A request looks at a bounded number of documents and says where
//! the next one goes on.
//!
//! - `words`: what texts and queries are cut into, `addresses`: those that are one word besides, `text`: what of a document is searched, `index`: where its words are found
//! - `query`: what is looked for, and how the index and the catalog are asked for it, `hint`: what of it could not be understood, `page`: one page of what was found, in an order, `snippet`: where in a text it was found
//! - `places`: where somebody may read, and what of a document is known there
//! - `versions`: which documents are versions of one

mod addresses;
mod hint;
pub mod index;
pub mod page;
pub mod places;
pub mod query;
pub mod snippet;
pub mod text;
pub mod versions;
pub mod words;

pub use hint::Hint;
pub use index::{Index, IndexError};
pub use page::{Ask, Cursor, Found, Order, Sort, find};
pub use places::Places;
pub use query::{Query, Searchable};
pub use versions::Ties;
