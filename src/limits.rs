//! Every bound that keeps memory, time and disk small, in one place. Sizes are bytes unless the name says otherwise.

use std::time::Duration;

/// A message up to this size waits for the archive in memory; a longer one in the spool folder.
pub const SPOOL_IN_MEMORY: usize = 256 * 1024;
/// Messages that may wait between a source and the archive.
pub const INGEST_QUEUE: usize = 16;
/// Bytes of a message's header that are read; what follows is archived but not looked at.
pub const HEAD: usize = 256 * 1024;
/// Parts of a message that are remembered.
pub const PARTS: usize = 1000;
/// Depth of nested parts that is followed.
pub const NESTING: usize = 32;
/// Characters of one field of the catalog (subject, senders, …).
pub const FIELD_CHARS: usize = 2000;

/// Messages that one commit of the archive holds.
pub const COMMIT_MESSAGES: usize = 100;
/// Time that a message waits for its commit.
pub const COMMIT_INTERVAL: Duration = Duration::from_secs(2);
/// A pack is closed after the commit that passes this size.
pub const PACK_SIZE: u64 = 256 * 1024 * 1024;
/// Payload of a record: largest stored chunk.
pub const CHUNK: usize = 64 * 1024;
/// Catalog cache.
pub const CATALOG_CACHE: usize = 8 * 1024 * 1024;

/// One line of an IMAP server.
pub const IMAP_LINE: usize = 1024 * 1024;
/// One FETCH response of an IMAP server without its body.
pub const IMAP_RESPONSE: usize = 4 * 1024 * 1024;
/// Messages that one UID FETCH asks bodies of.
pub const IMAP_FETCH_SET: usize = 250;
/// Listed messages of one page of changes.
pub const IMAP_PAGE: usize = 2000;
/// Characters of one IMAP command line; Exchange refuses more than 4096.
pub const IMAP_COMMAND: usize = 4000;
/// One page of a Microsoft Graph listing: 1000 messages of the properties that are asked for have some 800 kB.
pub const GRAPH_PAGE: usize = 8 * 1024 * 1024;
/// One message of Microsoft Graph as JSON, with its text, when it has to be rebuilt.
pub const GRAPH_MESSAGE: usize = 16 * 1024 * 1024;
/// An error of Microsoft Graph, an access token.
pub const GRAPH_ANSWER: usize = 256 * 1024;
/// Pages of one listing (users, folders, ids) that are followed.
pub const GRAPH_PAGES: usize = 100_000;
/// Users of one tenant, each some 150 bytes in memory.
pub const GRAPH_USERS: usize = 200_000;
/// Mail folders of one mailbox, and how deep they are nested (Exchange's own limits are 10,000 and 300).
pub const GRAPH_FOLDERS: usize = 20_000;
pub const GRAPH_DEPTH: usize = 300;
/// Attachments of one message that are rebuilt.
pub const GRAPH_ATTACHMENTS: usize = 1000;
/// Requests at a time for one mailbox: Exchange refuses the fifth.
pub const GRAPH_PER_MAILBOX: usize = 4;
/// Requests at a time for one tenant, at most; fewer while the tenant is throttled.
pub const GRAPH_PER_TENANT: usize = 32;
/// Time that Microsoft Graph may stay silent: its own gateways give up after some 100 seconds.
pub const GRAPH_TIMEOUT: Duration = Duration::from_mins(2);
/// Time for one page of JSON as a whole.
pub const GRAPH_PAGE_TIME: Duration = Duration::from_mins(10);
/// Longest message that Microsoft Graph takes back: a request has at most 4 MB, in Base64.
pub const GRAPH_PLAY_BACK: u64 = 3_000_000;
/// Longest message that is taken over (RFC 9051 numbers are 63 bits; a box's disk is not).
pub const MESSAGE: u64 = 4 * 1024 * 1024 * 1024;
/// Time to connect to a server.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Time that a server may stay silent.
pub const SERVER_TIMEOUT: Duration = Duration::from_mins(1);
/// Document and commit records are unpacked in memory; a larger one is damaged.
pub const RECORD_IN_MEMORY: u64 = 64 * 1024 * 1024;
/// Commits after which the catalog is made durable; until then the log alone carries them.
pub const CATALOG_EVERY: u32 = 50;
/// One request or frame on the control socket.
pub const CONTROL_REQUEST: usize = 16 * 1024 * 1024;
/// Processes that may be connected to the control socket at a time, asking, waiting or answered.
pub const CONTROL_OPEN: usize = 64;
/// Verbs that `serve` carries out at a time.
pub const CONTROL_AT_ONCE: usize = 4;
/// Stack of a role's thread.
pub const ROLE_STACK: usize = 1024 * 1024;
/// Documents that are read from the catalog in one go.
pub const DOCUMENTS_AT_ONCE: usize = 200;
/// Findings of damage that are kept; further ones are counted.
pub const FINDINGS: usize = 1000;
/// The longest message that is compared by its essence at a switch of module; it is read into memory for that.
pub const ESSENCE: usize = 8 * 1024 * 1024;

/// Memory (KiB) and turns of argon2id for one look at a password; one is looked at at a time (OWASP's equal to 19 MiB, 2).
pub const PASSWORD_MEMORY: u32 = 9 * 1024;
pub const PASSWORD_TURNS: u32 = 4;

/// Sessions at a time; the one that was unused for longest ends for a new one.
pub const SESSIONS: usize = 256;
pub const SESSION_IDLE: Duration = Duration::from_hours(1);
pub const SESSION_LONGEST: Duration = Duration::from_hours(12);
/// Failed logins from one address before it has to wait, and the time after which one is forgotten.
pub const ATTEMPTS: u32 = 5;
pub const ATTEMPTS_TIME: Duration = Duration::from_secs(30);
/// Passwords and setup codes that are looked at at a time, one of them waiting: fewer than there are threads that make pages.
pub const TRIES_AT_ONCE: usize = 2;
/// Addresses whose failed logins are remembered.
pub const ATTEMPT_ADDRESSES: usize = 1024;
/// The body of a form without files, and its fields.
pub const FORM_BODY: usize = 1024 * 1024;
pub const FORM_FIELDS: usize = 10_000;
/// Threads that make pages, and their stack.
pub const WEB_WORKERS: usize = 4;
/// An answer up to this size fits into the socket and keeps no thread waiting.
pub const ANSWER_SHORT: u64 = 64 * 1024;
/// Longer answers that are sent, and longer bodies that are read, at a time; a further one is asked to come again.
pub const ANSWERS_LONG: usize = 16;

// Web

/// Connections to the gate at a time, and of these from one address (IPv6: from one /64).
pub const WEB_CONNECTIONS: usize = 256;
pub const WEB_PER_ADDRESS: usize = 16;
/// Head of a request; its target; its header fields.
pub const WEB_HEAD: usize = 16 * 1024;
pub const WEB_TARGET: usize = 8 * 1024;
pub const WEB_HEADERS: usize = 64;
/// Time for the TLS handshake, and for the head after it.
pub const WEB_HANDSHAKE_TIME: Duration = Duration::from_secs(5);
pub const WEB_HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes per second that a client sends of its body, and reads of the answer, at least; as a mean over the window.
pub const WEB_RATE: u64 = 1024;
pub const WEB_RATE_WINDOW: Duration = Duration::from_secs(30);
/// A body up to this size waits for its end in memory; a longer one in the spool folder.
pub const WEB_BODY_IN_MEMORY: u64 = 64 * 1024;
/// Bodies in memory at a time; those of a simple form are not counted.
pub const WEB_BODIES: usize = 64;
pub const WEB_BODY_OF_FORM: u64 = 4 * 1024;
/// Longest body.
pub const WEB_BODY: u64 = 1024 * 1024 * 1024;
/// Bodies in the spool folder: at a time, all together, and the free disk that they leave.
pub const WEB_UPLOADS: usize = 4;
pub const WEB_SPOOL: u64 = 2 * 1024 * 1024 * 1024;
pub const WEB_DISK_RESERVE: u64 = 256 * 1024 * 1024;
/// One write of a body to the spool folder.
pub const WEB_SPOOL_WRITE: usize = 128 * 1024;
/// Requests that the server behind the gate has at a time, and how long it may stay silent.
pub const WEB_SERVER_AT_ONCE: usize = 64;
pub const WEB_SERVER_TIME: Duration = Duration::from_mins(1);
/// Bytes per second of an upload that the server archives at least; its silence may be longer by that.
pub const WEB_SERVER_RATE: u64 = 2 * 1024 * 1024;
/// Head of an answer; buffer for what follows it.
pub const WEB_ANSWER_HEAD: usize = 32 * 1024;
pub const WEB_BUFFER: usize = 16 * 1024;
/// How long, and for how many bytes, a client is listened to after its answer, so that it can read it.
pub const WEB_LINGER: Duration = Duration::from_secs(2);
pub const WEB_LINGER_BYTES: usize = 1024 * 1024;
/// How long exchanges may go on after the gate was asked to end.
pub const WEB_FAREWELL: Duration = Duration::from_secs(3);
/// TLS sessions that can be resumed.
pub const WEB_TLS_SESSIONS: usize = 128;
/// Names and addresses in the box's own certificate.
pub const WEB_CERTIFICATE_NAMES: usize = 64;

/// Documents of one page of the table.
pub const PAGE_DOCUMENTS: usize = 50;
/// Documents that one search looks at before it asks whether to go on.
pub const SEARCH_LOOKED: usize = 10_000;
/// The newest documents that are put in order by title, sender or size.
pub const SORT_LOOKED: usize = 20_000;
/// Characters of a title or sender by which documents are put in order.
pub const SORT_CHARS: usize = 100;
/// Characters and terms of a query.
pub const QUERY_CHARS: usize = 1000;
pub const QUERY_TERMS: usize = 20;
/// Characters of a field that the table shows.
pub const TABLE_CHARS: usize = 200;
/// Text of a mail or file that stands on its page; the rest can be downloaded.
pub const VIEW_TEXT: usize = 512 * 1024;
/// Bytes of the raw text that the Source tab shows.
pub const SOURCE_TEXT: usize = 256 * 1024;
/// Attachments that the View tab lists.
pub const VIEW_ATTACHMENTS: usize = 200;
/// Bytes at the beginning of a file by which its type is told.
pub const MEDIA_HEAD: usize = 512;
/// Accesses to a document that are shown, and lines of the journal that are looked at for them.
pub const ACCESSES: usize = 100;
pub const ACCESSES_LOOKED: usize = 50_000;
/// An access is noted again after this time; accesses that are remembered for that.
pub const OPENED_AGAIN: Duration = Duration::from_mins(10);
pub const OPENED: usize = 1024;
/// Characters of a note, of a further field; further fields of a document.
pub const NOTE_CHARS: usize = 20_000;
pub const DOCUMENT_FIELDS: usize = 100;
/// Files of one upload, header of one of its parts, and a part that is no file.
pub const UPLOAD_FILES: usize = 500;
pub const MULTIPART_HEAD: usize = 16 * 1024;
pub const MULTIPART_VALUE: usize = 64 * 1024;
/// Documents that are chosen at a time.
pub const CHOSEN: usize = 500;

/// Header fields of a message, and of the messages within, that are shown.
pub const MAIL_FIELDS: usize = 1000;
/// Text of all these fields.
pub const MAIL_FIELDS_TEXT: usize = 256 * 1024;
/// Characters of a small word of a part's header (content id, character set, …).
pub const MAIL_TOKEN_CHARS: usize = 250;
/// Characters of a file name that is offered.
pub const MAIL_NAME_CHARS: usize = 120;
/// Decoded bytes of the text parts of one message that are shown; the rest can be downloaded.
pub const MAIL_TEXT: usize = 2 * 1024 * 1024;
/// Elements of an HTML mail; one with more is shown as text.
pub const HTML_ELEMENTS: usize = 50_000;
/// Depth of nested elements of an HTML mail; a deeper one is shown as text. Browsers build no more than 512 levels.
pub const HTML_DEPTH: usize = 200;
/// Attributes of one element; further ones are dropped.
pub const HTML_ATTRIBUTES: usize = 64;
/// Bytes of one attribute's value; a longer one is dropped.
pub const HTML_VALUE: usize = 16 * 1024;
/// Style sheets of an HTML mail, as they are written out.
pub const HTML_SHEETS: usize = 128 * 1024;
/// One inline picture of an HTML mail, and all of them: they are embedded, a third larger than this.
pub const INLINE_IMAGE: usize = 2 * 1024 * 1024;
pub const INLINE_IMAGES: usize = 6 * 1024 * 1024;
/// A mail as HTML, its inline pictures aside.
pub const HTML_OUT: usize = 8 * 1024 * 1024;
/// A calendar entry, a delivery report: bytes that are read.
pub const MAIL_SMALL_PART: usize = 256 * 1024;
/// Rows of the table that is made of one (attendees, recipients).
pub const MAIL_ROWS: usize = 200;
/// A `winmail.dat` or a signed content that is looked into; it is held in memory.
pub const MAIL_ENVELOPE: usize = 8 * 1024 * 1024;

/// Open files and sockets of `serve`, where the system allows so many.
pub const DESCRIPTORS: u64 = 4096;

/// Connection tests that run at a time, results of them that are kept, and steps of each.
pub const TESTS_AT_ONCE: usize = 2;
pub const TEST_RESULTS: usize = 32;
pub const TEST_STEPS: usize = 5000;
/// Rows of one folder that are looked at to tell how a definition stands.
pub const OPEN_ROWS: usize = 1000;
/// Failed messages and folders on one page.
pub const FAILED_PER_PAGE: usize = 100;
pub const FOLDERS_PER_PAGE: usize = 500;
