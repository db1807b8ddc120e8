//! Finding documents: what somebody types, and a page of what fits.
//!
//! Rules of the room: it reads the catalog through a `View` and nothing else; rights are part of every walk and no filter
//! after it. A request looks at a bounded number of documents and says where the next one goes on.
//!
//! - `query`: what is looked for, `page`: one page of what was found, in an order
//! - `places`: where somebody may read, and what of a document is known there
//! - `versions`: which documents are versions of one

pub mod page;
pub mod places;
pub mod query;
pub mod versions;

pub use page::{Ask, Cursor, Found, Order, Sort, find};
pub use places::Places;
pub use query::{Hint, Query, Searchable};
pub use versions::Ties;
