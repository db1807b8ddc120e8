//! WebDMS: finding documents, looking at them, writing fields, copying access links, uploading files.
//!
//! Rules: whoever may not read a document gets what a wrong number gets (`access`); what a stranger wrote is shown by the
//! room `mail` or sent as something that does not run (`content`); all of it works without script.
//!
//! - `table`, `state`: the search field and the table, kept in every link
//! - `document`: what the tabs share; `view`, `fields` with `entries`, `source`, `proof`: the tabs; `mail`: a mail read for them, `print`: one to be printed
//! - `retention`: for how long one is kept, and its erasure; `ended`: what stands in its place then
//! - `versions`: documents that are versions of one
//! - `content`, `range`, `media`: bytes; `upload`: files on their way in
//! - `link`, `go`: access links; `selection`: several documents at a time, `export`: as one ZIP file, `restore`: back into their mailboxes

pub mod access;
pub(super) mod content;
mod document;
pub(super) mod ended;
mod entries;
pub(super) mod export;
pub(super) mod fields;
mod go;
pub mod link;
pub(super) mod mail;
pub(super) mod media;
mod print;
pub(super) mod proof;
mod range;
pub mod restore;
pub(super) mod retention;
pub mod searches;
mod selection;
mod source;
pub(super) mod state;
mod table;
pub(super) mod upload;
pub(super) mod versions;
pub(super) mod view;

use super::routes::{Access, Route, get, post};
use super::show;

pub const ROUTES: &[Route] = &[
    get("/", Access::Person, document::list),
    get("/documents/{number}", Access::Person, document::show),
    get("/documents/{number}/fields", Access::Person, fields::show),
    post("/documents/{number}/fields", Access::Person, fields::change),
    get("/documents/{number}/source", Access::Person, source::show),
    get("/documents/{number}/proof", Access::Person, proof::show),
    get("/documents/{number}/retention", Access::Person, retention::page),
    post("/documents/{number}/retention", Access::Person, retention::send),
    // These look at rights themselves: a published document opens without a login.
    get("/documents/{number}/html", Access::Anybody, content::frame),
    get("/documents/{number}/file", Access::Anybody, content::file),
    get("/documents/{number}/download", Access::Anybody, content::download),
    get("/documents/{number}/parts/{part}", Access::Anybody, content::part),
    get("/go/{number}", Access::Anybody, go::short),
    get("/perl/avclient/index.pl", Access::Anybody, go::as_the_maker),
    post("/selection", Access::Person, selection::act),
    post("/searches", Access::Person, searches::change),
    get("/export", Access::Person, export::ask),
    post("/export", Access::Person, export::send),
    get("/documents/{number}/restore", Access::Person, restore::ask),
    post("/documents/{number}/restore", Access::Person, restore::send),
    get("/restores/{id}", Access::Person, restore::progress),
    get("/upload", Access::Person, upload::show),
    post("/upload", Access::Person, upload::send),
];
