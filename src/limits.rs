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
