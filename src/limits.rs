//! Every bound that keeps memory, time and disk small, in one place. Sizes are bytes unless the name says otherwise.

use std::time::Duration;

/// A message up to this size waits for the archive in memory; a longer one in the spool folder.
pub const SPOOL_IN_MEMORY: usize = 192 * 1024;
/// Mailboxes that are worked at a time, all definitions together: a connection with its message each, some 700 kB. Those of
/// one run; its second and further ones leave half of all places to the first ones of other runs.
pub const MAILBOXES_AT_ONCE: usize = 8;
pub const MAILBOXES_PER_RUN: usize = 4;
/// Further connections of these mailboxes that fetch messages at a time, beside the first one of each.
pub const LANES_AT_ONCE: usize = 6;
/// A mailbox that gives no sign of life for so long is asked to end, and what is told of one that does not.
pub const MAILBOX_SILENCE: Duration = Duration::from_mins(3);
pub const MAILBOX_GRACE: Duration = Duration::from_secs(30);
/// A run that gives no sign of life for so long, its mailboxes aside, is stuck.
pub const RUN_SILENCE: Duration = Duration::from_mins(3);
/// How often one run tries a mailbox again whose server has too many connections.
pub const MAILBOX_REFUSED: u32 = 6;
/// A mailbox that its server wants to be left alone for longer lets the others of its run go first.
pub const THROTTLED_IN_PLACE: Duration = Duration::from_secs(5);
/// Connections to one IMAP server at a time: at first, and at most where it never refuses one; and the time without a
/// refusal after which one more is tried.
pub const IMAP_FIRST: usize = 4;
pub const IMAP_PER_SERVER: usize = 8;
pub const IMAP_CLEAN: Duration = Duration::from_mins(10);
/// How long a server may count a connection that has ended.
pub const IMAP_LEFT: Duration = Duration::from_secs(5);
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

/// Bytes of the text of a journal report in which the envelope is looked for, and characters of its recipients of one kind.
pub const JOURNAL_TEXT: usize = 256 * 1024;
pub const ENVELOPE_CHARS: usize = 20_000;

/// Messages that one commit of the archive holds.
pub const COMMIT_MESSAGES: usize = 100;
/// Time that a message waits for its commit.
pub const COMMIT_INTERVAL: Duration = Duration::from_secs(2);
/// A pack is closed after the commit that passes this size.
pub const PACK_SIZE: u64 = 256 * 1024 * 1024;
/// Payload of a record: largest stored chunk.
pub const CHUNK: usize = 64 * 1024;
/// Splitting of messages: bytes of the smallest part that is stored on its own, parts of one message (what follows stays as it
/// is), and the plan by which they are put together again, at most 63 bytes a part.
pub const SPLIT_PART: usize = 4 * 1024;
pub const SPLIT_PARTS: usize = 1000;
pub const SPLIT_PLAN: usize = 64 * 1024;
/// Document and commit records are unpacked in memory; a larger one is damaged.
pub const RECORD_IN_MEMORY: u64 = 64 * 1024 * 1024;
/// Records of ended documents that one rewriting of a pack takes out.
pub const ERASE_AT_ONCE: usize = 10_000;
/// What is read of the words of a recovery sheet.
pub const RECOVERY_TEXT: u64 = 4 * 1024;
/// Documents that end in one commit for which their terms are over.
pub const RETENTION_BATCH: usize = 50;
/// The brake of retention: one part of so many of all documents, or so many; a pass before which the clock went on for longer than
/// this, seconds, is doubted too.
pub const RETENTION_PART: u64 = 20;
pub const RETENTION_MOST: u64 = 10_000;
pub const RETENTION_GAP: i64 = 31 * 86_400;
/// Passes that are remembered; documents that are looked at to say on a page what is due; years that it shows.
pub const RETENTION_PASSES: usize = 20;
pub const RETENTION_LOOKED: usize = 50_000;
pub const RETENTION_YEARS: usize = 60;
/// Rules of retention, holds, ranges of numbers in one.
pub const RETENTION_RULES: usize = 200;
pub const HOLDS: usize = 500;
pub const HOLD_RANGES: usize = 1000;
/// Blocked, and ended, documents on one page.
pub const RETENTION_LISTED: usize = 50;
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
/// Answers of Microsoft Graph that are longer than [`GRAPH_ANSWER`] and held in memory at a time, all tenants together.
pub const GRAPH_BIG_AT_ONCE: usize = 1;
/// Pages of one listing (users, folders, ids) that are followed.
pub const GRAPH_PAGES: usize = 100_000;
/// Users of one tenant, each some 150 bytes in memory.
pub const GRAPH_USERS: usize = 200_000;
/// Mail folders of one mailbox, and how deep they are nested (Exchange's own limits are 10,000 and 300).
pub const GRAPH_FOLDERS: usize = 20_000;
pub const GRAPH_DEPTH: usize = 300;
/// Attachments of one message that are rebuilt.
pub const GRAPH_ATTACHMENTS: usize = 1000;
/// Listed messages whose date is remembered until they are fetched, some 250 bytes each: a page, and the small ones before it.
pub const GRAPH_SEEN: usize = 2000;
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
/// Days between two verifications of the whole archive, and after which the lack of one is told.
pub const SCRUB_DAYS: i64 = 30;
pub const SCRUB_LATE_DAYS: i64 = 40;
/// A scrub works one part of its time in so many, and reads at most so many bytes a second: 1 TB in 14 hours.
pub const SCRUB_SHARE: u32 = 4;
pub const SCRUB_RATE: u64 = 20_000_000;
/// How often it is looked whether one is due.
pub const SCRUB_LOOK: Duration = Duration::from_secs(5);
/// The longest file in which a scrub is remembered over a restart.
pub const SCRUB_FILE: u64 = 8 * 1024 * 1024;
/// Reports of verifications that are kept, findings that one of them spells out and characters of each, and damaged documents
/// that it names.
pub const VERIFICATIONS: usize = 24;
pub const VERIFICATION_FINDINGS: usize = 200;
pub const VERIFICATION_CHARS: usize = 500;
pub const VERIFICATION_DOCUMENTS: usize = 1000;
/// Commits before its own among which `verify` looks for the one that a checkpoint speaks for, and rounds in which signing
/// catches up with what is archived meanwhile: there is hardly one commit in between.
pub const CHECKPOINT_GAP: usize = 4096;
pub const SIGN_ROUNDS: usize = 10;
/// How long after its start `serve` first looks whether a checkpoint is due, and how often it does.
pub const SIGN_FIRST: Duration = Duration::from_secs(15);
pub const SIGN_EVERY: Duration = Duration::from_mins(1);
/// How long the thread that signs may give no sign of life.
pub const SIGN_SILENCE: Duration = Duration::from_mins(3);
/// Checkpoints that one page lists; lines of the journal on one page, and those that are looked at for it.
pub const CHECKPOINTS_PER_PAGE: u64 = 50;
pub const JOURNAL_PER_PAGE: usize = 50;
pub const JOURNAL_LOOKED: usize = 50_000;
/// The longest message that is compared by its essence at a switch of module; it is read into memory for that.
pub const ESSENCE: usize = 8 * 1024 * 1024;

/// Memory (KiB) and turns of argon2id for one look at a password; one is looked at at a time (OWASP's equal to 19 MiB, 2).
pub const PASSWORD_MEMORY: u32 = 9 * 1024;
pub const PASSWORD_TURNS: u32 = 4;

/// Sessions at a time; the one that was unused for longest ends for a new one.
pub const SESSIONS: usize = 256;
/// Sessions of one user; its own that was unused for longest ends for a new one.
pub const SESSIONS_EACH: usize = 10;
pub const SESSION_IDLE: Duration = Duration::from_hours(1);
pub const SESSION_LONGEST: Duration = Duration::from_hours(12);
/// Failed logins from one address before it has to wait, and the time after which one is forgotten.
pub const ATTEMPTS: u32 = 5;
pub const ATTEMPTS_TIME: Duration = Duration::from_secs(30);
/// Passwords and setup codes that are looked at at a time, one of them waiting: fewer than there are threads that make pages.
pub const TRIES_AT_ONCE: usize = 2;
/// Addresses whose failed logins are remembered.
pub const ATTEMPT_ADDRESSES: usize = 1024;
/// Random bytes of a token of the API, characters of one, tokens of one person.
pub const TOKEN_BYTES: usize = 32;
pub const TOKEN_CHARS: usize = 100;
pub const TOKENS_EACH: usize = 50;
/// Seconds after which the use of a token is written down again.
pub const TOKEN_USED_AGAIN: i64 = 3600;
/// The body of a call of the API as JSON, of one that is about a definition and of any other, and objects and lists in it;
/// documents of one page, names that a list of an answer holds, and elements of a list that is sent.
pub const API_BODY: usize = 1024 * 1024;
pub const API_BODY_USUAL: usize = 256 * 1024;
pub const API_CONTAINERS: usize = 10_000;
pub const API_PAGE: usize = 200;
pub const API_LIST: usize = 5000;
pub const API_SENT: usize = 1000;
/// Spans of one setting of times of the week.
pub const HOURS: usize = 50;
/// Networks of one setting.
pub const NETWORKS: usize = 32;
/// Groups of users, members of one.
pub const GROUPS: usize = 500;
pub const GROUP_MEMBERS: usize = 2000;
/// Mailboxes, and users and groups, on one page of the matrix of rights.
pub const MATRIX_ROWS: usize = 50;
pub const MATRIX_COLUMNS: usize = 12;
/// Compilations, characters of their title and introduction, documents of one.
pub const COMPILATIONS: usize = 1000;
/// Compilations of one owner, and documents that are looked at to count those of a list of them.
pub const COMPILATIONS_EACH: usize = 200;
pub const COMPILATIONS_LOOKED: usize = 20_000;
pub const COMPILATION_TITLE: usize = 200;
pub const COMPILATION_TEXT: usize = 10_000;
pub const COMPILATION_DOCUMENTS: usize = 500;
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
/// How long an answer that is under way may stand still: a long document of an export is read for its check sums first, and a
/// search looks at the whole archive for the next one.
pub const WEB_ANSWER_TIME: Duration = Duration::from_mins(10);
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
/// Senders that are suggested beside the search field.
pub const SUGGESTED_SENDERS: usize = 20;
/// Searches that one person keeps.
pub const SAVED_SEARCHES: usize = 50;
/// Characters of a word that the index keeps; the others of a longer one are passed over.
pub const WORD_CHARS: usize = 40;
/// Words of the addresses in one text that are searched, and bytes of one.
pub const ADDRESS_WORDS: usize = 50_000;
pub const ADDRESS_BYTES: usize = 200;
/// Bytes of text of one document that are searched.
pub const INDEX_TEXT: usize = 1024 * 1024;
/// A mail of at most so many bytes is read once to be indexed, and held for that.
pub const INDEX_IN_MEMORY: usize = 1024 * 1024;
/// Bytes of pages that whoever writes the index keeps, and each connection that reads it.
pub const INDEX_CACHE: usize = 2 * 1024 * 1024;
pub const INDEX_READ_CACHE: usize = 1024 * 1024;
/// Bytes of new words that the index collects before it writes them; in memory they take several times as much.
pub const INDEX_PENDING: i64 = 512 * 1024;
/// Bytes that all work on the index together may take: a search that needs more is ended, and a document that does goes without its text.
pub const INDEX_SEARCH: usize = 24 * 1024 * 1024;
/// Pages of the index that one step of merging it writes, and ten times as many of writing over what is free.
pub const INDEX_PURGE: i64 = 100;
/// Tables of the index that are written before their memory is given back.
pub const INDEX_TABLES: usize = 8;
/// A search of somebody who reads only some mailboxes takes a multiple of this.
pub const SEARCH_STEP: Duration = Duration::from_millis(25);
/// The same by relevance, for which words are counted.
pub const SEARCH_STEP_RANKED: Duration = Duration::from_millis(100);
/// How long one search may take.
pub const INDEX_SEARCH_TIME: Duration = Duration::from_secs(10);
/// How long the attachments of one document may take; the others of it are not read.
pub const INDEX_DOCUMENT_TIME: Duration = Duration::from_mins(2);
/// How often is tried again what could not be read for want of a process.
pub const INDEX_TRY_AGAIN: Duration = Duration::from_mins(10);
/// Connections that stay open for searching.
pub const INDEX_READERS: usize = 2;
/// Documents that are put into the index together, in the order of their time: their numbers are held meanwhile.
pub const INDEX_BATCH: usize = 50_000;
/// How often the index looks for what is new.
pub const INDEX_LOOK: Duration = Duration::from_secs(2);
/// How long a search waits for an index that is behind, by at most so many commits.
pub const INDEX_NEAR: u64 = 1000;
pub const INDEX_WAIT: Duration = Duration::from_millis(1500);
/// The newest documents that fit, of which those that fit best are shown.
pub const RANKED: usize = 10_000;
/// Words and phrases of a query that count for that.
pub const RANKED_PHRASES: usize = 5;
/// Bytes of a piece of a text that is shown of a hit, and places in the text that are looked at for it.
pub const SNIPPET_CHARS: usize = 200;
pub const SNIPPET_MATCHES: usize = 200;
/// Bytes of a document whose text is read for that.
pub const SNIPPET_MAIL: u64 = 1024 * 1024;
/// How long the pieces of one page may take together; the other rows have none.
pub const SNIPPETS: Duration = Duration::from_millis(150);
/// Letters that a beginning needs.
pub const BEGINNING_CHARS: usize = 2;
/// Folders of one name that the index is asked for; where there are more, each document is looked at.
pub const EXPRESSION_FOLDERS: usize = 500;
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
/// Lines of the journal that visitors of a public archive leave, all together, in so long.
pub const VISITS: u32 = 60;
pub const VISITS_TIME: Duration = Duration::from_mins(1);
/// Characters of a note, of a further field; further fields of a document.
pub const NOTE_CHARS: usize = 20_000;
pub const DOCUMENT_FIELDS: usize = 100;
/// Defined fields, characters of the name of one and of a number in one, values of a selection.
pub const DEFINED_FIELDS: usize = 60;
pub const FIELD_NAME_CHARS: usize = 60;
pub const FIELD_NUMBER_CHARS: usize = 40;
pub const SELECTION_VALUES: usize = 200;
/// Bytes of a field's value by which it is looked up; of a longer one its hash tells the rest.
pub const FIELD_KEY: usize = 200;
/// Existing values of a field that are offered, rows of the catalog that are looked at for them, and those for one value.
pub const COMBOBOX: u32 = 500;
pub const COMBOBOX_LOOKED: usize = 5000;
pub const COMBOBOX_EACH: usize = 50;
/// Rows of the catalog that are looked at to say how many mails a field for publishing would publish.
pub const PUBLISHING_LOOKED: usize = 20_000;
/// Versions of one document that are known together.
pub const VERSIONS: usize = 500;
/// Files of one upload, header of one of its parts, and a part that is no file.
pub const UPLOAD_FILES: usize = 500;
pub const MULTIPART_HEAD: usize = 16 * 1024;
pub const MULTIPART_VALUE: usize = 64 * 1024;
/// Documents that are chosen at a time.
pub const CHOSEN: usize = 500;
/// Documents and bytes of one export, and documents that it asks for at a time.
pub const EXPORT_DOCUMENTS: u64 = 10_000;
pub const EXPORT_BYTES: u64 = 10_000_000_000;
pub const EXPORT_BATCH: usize = 200;
/// An export asks anew what its reader may read after this time, and for each batch.
pub const EXPORT_RIGHTS: Duration = Duration::from_secs(2);
/// Characters of a title in the name of an exported file, and bytes of that name: Linux takes 255.
pub const EXPORT_NAME_CHARS: usize = 80;
pub const EXPORT_NAME_BYTES: usize = 200;
/// Bytes of an address that opens a new mail: some programs cut it at 2,048.
pub const MAILTO: usize = 1900;
/// Mails that are played back by at a time, runs whose result is kept, and mails of one.
pub const RESTORES_AT_ONCE: usize = 2;
pub const RESTORES: usize = 32;
pub const RESTORED: usize = 500;
/// How long after its end the same run is not begun once more; mails of one mailbox that fail one after the other before the
/// rest of it is left alone.
pub const RESTORE_SAME: Duration = Duration::from_secs(10);
pub const RESTORE_FAILURES: usize = 3;

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

/// What fetching leaves free on the disk, at most an eighth of it; a smaller one than this has no reserve.
pub const DISK_RESERVE: u64 = 512 * 1024 * 1024;
pub const DISK_SMALL: u64 = 64 * 1024 * 1024;

/// Open files and sockets of `serve`, where the system allows so many.
pub const DESCRIPTORS: u64 = 4096;

/// Connection tests that run at a time, that wait for their turn, results of them that are kept, and steps of each.
pub const TESTS_AT_ONCE: usize = 2;
pub const TESTS_WAITING: usize = 500;
pub const TEST_RESULTS: usize = 32;
pub const TEST_STEPS: usize = 5000;
/// Rows of one folder that are looked at to tell how a definition stands.
pub const OPEN_ROWS: usize = 1000;
/// Days, and months, of the pictures of growth; runs of that of a definition, and runs of all that are looked at for them;
/// moments whose state is remembered.
pub const GROWTH_DAYS: usize = 60;
pub const GROWTH_MONTHS: usize = 480;
pub const RUN_BARS: usize = 60;
pub const RUNS_LOOKED: usize = 20_000;
pub const GROWTH_MARKS: usize = 2000;
/// Failed messages and folders on one page.
pub const FAILED_PER_PAGE: usize = 100;
pub const FOLDERS_PER_PAGE: usize = 500;

/// One frame between `supervise` and `serve`.
pub const BOX_FRAME: usize = 512 * 1024;
/// What `supervise` may have been asked for and not yet carried out.
pub const BOX_ASKS: usize = 16;
/// Lines of the box's log that are kept, in memory only, and characters of one.
pub const BOX_LOG_LINES: usize = 1000;
pub const BOX_LOG_LINE: usize = 300;
/// How long a role of `supervise` may take for one step.
pub const BOX_STEP_DEADLINE: Duration = Duration::from_mins(1);
/// How long a disk may stand still while it is checked: drives try for minutes to read a bad sector.
pub const BOX_DISK_DEADLINE: Duration = Duration::from_mins(5);
/// A box whose disk became read-only starts again by itself, at the earliest this long after its start.
pub const BOX_READ_ONLY: Duration = Duration::from_mins(30);
/// How long `serve` may give no sign of life.
pub const BOX_SERVE_DEADLINE: Duration = Duration::from_secs(45);
/// How long `serve` has to end when it is asked to.
pub const BOX_SERVE_END: Duration = Duration::from_secs(25);
/// Pause before `serve` is started again: the first, and the longest.
pub const BOX_BACK_OFF_FIRST: Duration = Duration::from_secs(1);
pub const BOX_BACK_OFF: Duration = Duration::from_mins(1);
/// After so long all that went wrong before counts no more.
pub const BOX_HEALTHY: Duration = Duration::from_hours(1);
/// A release on trial has so long to serve its pages.
pub const BOX_TRIAL: Duration = Duration::from_mins(20);

/// The box's own settings as a file.
pub const BOX_SETTINGS: u64 = 64 * 1024;
/// Network interfaces that are looked after, and addresses of one that are shown.
pub const BOX_INTERFACES: usize = 16;
pub const BOX_ADDRESSES: usize = 16;
/// Time servers of the settings, and of one lease.
pub const BOX_TIME_SERVERS: usize = 8;
/// DNS servers: more than three no resolver asks.
pub const BOX_DNS: usize = 3;
/// A lease as the DHCP client's script writes it, and one small file of the kernel.
pub const BOX_LEASE: u64 = 4096;
pub const BOX_SYSFS: u64 = 4096;
/// Time for one small program of the box (`ip`), and for one that was killed.
pub const BOX_PROGRAM_TIME: Duration = Duration::from_secs(5);
pub const BOX_FAREWELL: Duration = Duration::from_secs(2);
/// Pause before a DHCP client that ended is started again: the first, the longest.
pub const DHCP_FIRST_PAUSE: Duration = Duration::from_secs(1);
pub const DHCP_LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Size of the console's screen, and bytes of a line that somebody types there.
pub const CONSOLE_LINES: usize = 24;
pub const CONSOLE_COLUMNS: usize = 79;
pub const CONSOLE_INPUT: usize = 200;
/// A question at the console that nobody answers is given up.
pub const CONSOLE_IDLE: Duration = Duration::from_mins(5);
/// How long the console waits for a terminal that takes no more, and for what it asked for.
pub const CONSOLE_WRITE: Duration = Duration::from_secs(2);
pub const CONSOLE_ANSWER: Duration = Duration::from_secs(30);
pub const CONSOLE_INSTALL: Duration = Duration::from_hours(4);
/// How often a serial console is painted again because of mere progress.
pub const CONSOLE_PROGRESS: Duration = Duration::from_mins(1);

/// Disks of a machine that are looked at, and partitions of each.
pub const BOX_DISKS: usize = 64;
pub const BOX_PARTITIONS: usize = 128;
/// Entries of a partition table; the usual ones have 128.
pub const GPT_ENTRIES: u32 = 1024;
/// Bytes of the ESP in which GRUB's environment is looked for.
pub const ESP_LOOKED: u64 = 1024 * 1024 * 1024;
/// One step of looking through a disk or copying to it, after which a pulse beats.
pub const DISK_STEP: usize = 1024 * 1024;
/// Bytes that are written before the disk has to have them: a slow one takes its time, and no pulse beats meanwhile.
pub const DISK_UNSYNCED: u64 = 16 * 1024 * 1024;
/// Smallest disk that a box is installed to.
pub const SMALLEST_DISK: u64 = 2 * 1024 * 1024 * 1024;
/// One step of growing a file system, after which a pulse beats.
pub const GROW_STEP: u64 = 64 * 1024 * 1024 * 1024;
/// Text of the file system checker that is kept; the rest is counted.
pub const CHECK_TEXT: usize = 8 * 1024;
/// How often a running checker is looked at.
pub const CHECK_LOOK: Duration = Duration::from_millis(200);
/// Time that a time server may take, and packets that are looked at meanwhile.
pub const SNTP_TIMEOUT: Duration = Duration::from_secs(2);
pub const SNTP_PACKETS: usize = 8;
/// Servers that are asked at most, and answers that are enough.
pub const SNTP_SERVERS: usize = 20;
pub const SNTP_AT_ONCE: usize = 3;
/// Pause between two rounds, as long as no server has answered and afterwards; part of it that chance adds or takes away.
pub const SNTP_FIRST: Duration = Duration::from_secs(64);
pub const SNTP_EVERY: Duration = Duration::from_hours(1);
pub const SNTP_OFF: u32 = 10;
/// Time after a round in which a change of the network begins no other one.
pub const SNTP_CHANGED: Duration = Duration::from_secs(10);
/// How far servers that agree may be apart, and what this clock may be wrong without being set.
pub const SNTP_AGREE: Duration = Duration::from_secs(1);
pub const SNTP_TOLERATED: Duration = Duration::from_millis(100);
/// How far a server may be from its own source of time (RFC 5905, section 11.2: 1 s and what the way adds).
pub const SNTP_DISTANCE: Duration = Duration::from_millis(1500);
/// How long a server is left alone that asks for it.
pub const SNTP_REST: Duration = Duration::from_hours(8);

/// One packet of multicast DNS (RFC 6762, section 17), records in it that are looked at, bytes of a name.
pub const MDNS_PACKET: usize = 9000;
pub const MDNS_RECORDS: usize = 256;
pub const MDNS_NAME: usize = 254;
/// Packets of one second and one interface that are looked at.
pub const MDNS_PER_SECOND: u32 = 100;
/// Seconds that others remember our addresses, our service, and what an old resolver was told (RFC 6762, sections 10 and 6.7).
pub const MDNS_TTL: u32 = 120;
pub const MDNS_TTL_LONG: u32 = 4500;
pub const MDNS_LEGACY_TTL: u32 = 10;
/// Probes for a name, time between them, and time after which somebody who asked at the same time asks again (section 8).
pub const MDNS_PROBES: u32 = 3;
pub const MDNS_PROBE: Duration = Duration::from_millis(250);
pub const MDNS_YIELD: Duration = Duration::from_secs(1);
/// A name that was ours for so long is asked for at once when somebody else answers it; one that is not ours, after this.
pub const MDNS_SETTLED: Duration = Duration::from_mins(1);
pub const MDNS_LOST: Duration = Duration::from_hours(1);
/// Announcements, and time between them; time before one record is said to all again.
pub const MDNS_ANNOUNCEMENTS: u32 = 2;
pub const MDNS_ANNOUNCE: Duration = Duration::from_secs(1);
pub const MDNS_SAID_AGAIN: Duration = Duration::from_secs(1);
/// How often the box's addresses are looked at, and when a socket is tried again that could not be opened.
pub const MDNS_LOOK: Duration = Duration::from_millis(500);
pub const MDNS_DOOR_AGAIN: Duration = Duration::from_secs(10);

/// Mailboxes of a pasted list, and lists that wait for a yes.
pub const ACCOUNT_LIST: usize = 500;
pub const ACCOUNT_LISTS: usize = 8;
/// How long one waits.
pub const ACCOUNT_LIST_WAITS: Duration = Duration::from_mins(30);
/// Sign-ins by a code that are under way at a time, and results of them that are kept.
pub const SIGN_INS: usize = 8;
pub const SIGN_IN_RESULTS: usize = 32;
/// An access token is renewed so long before it ends.
pub const ACCESS_TOKEN_MARGIN: Duration = Duration::from_mins(5);

/// Text of attachments. Bytes of one file that are handed over; bytes of text that are taken of it.
pub const EXTRACT_FILE: u64 = 32 * 1024 * 1024;
pub const EXTRACT_TEXT: usize = 1024 * 1024;
/// Bytes at the beginning of a file by which it is told how to read it.
pub const EXTRACT_HEAD: usize = 4 * 1024;
/// Memory that the child may take beyond its own size, and seconds of the processor's time for one file.
pub const EXTRACT_MEMORY: u64 = 96 * 1024 * 1024;
pub const EXTRACT_CPU: u64 = 10;
/// Time that one file makes its parent wait.
pub const EXTRACT_TIME: Duration = Duration::from_secs(30);
/// A child without work ends after so long; and after so many files.
pub const EXTRACT_IDLE: Duration = Duration::from_mins(1);
pub const EXTRACT_FILES: u32 = 1000;
/// Files around a file (messages, `winmail.dat`) that are followed.
pub const EXTRACT_DEPTH: usize = 4;
/// ZIP files: entries that are looked at, bytes of one entry and of all that are inflated (of a PDF too), bytes of one tag or
/// text of XML.
pub const EXTRACT_ENTRIES: usize = 10_000;
pub const EXTRACT_ENTRY: u64 = 32 * 1024 * 1024;
pub const EXTRACT_INFLATED: u64 = 128 * 1024 * 1024;
pub const EXTRACT_TOKEN: usize = 4 * 1024 * 1024;
/// PDF: pages that are read, annotations of one page, forms that are painted, fonts held at a time, codes of one font.
pub const EXTRACT_PAGES: usize = 2000;
pub const EXTRACT_ANNOTATIONS: usize = 1000;
pub const EXTRACT_FORMS: usize = 20_000;
pub const EXTRACT_FONTS: usize = 50;
pub const EXTRACT_CODES: usize = 70_000;
