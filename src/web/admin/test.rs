//! The connection test of a definition, step by step. It may take long, so tests have threads of their own, a few of them; the
//! others wait for their turn, and a page shows the steps so far.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use maud::{Markup, html};

use super::super::Context;
use super::super::error::Result;
use super::super::layout;
use super::super::response::Response;
use super::{Tab, definition, path, show, source_page};
use crate::archive::Archive;
use crate::clock;
use crate::fetch::{Fetcher, check};
use crate::limits::{ROLE_STACK, TEST_RESULTS, TEST_STEPS, TESTS_AT_ONCE, TESTS_WAITING};
use crate::pulse::Pulse;
use crate::settings::{self, Definition};
use crate::source::Step;

/// Seconds between two looks at a test.
const LOOK: u32 = 1;

/// Where a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Others come first.
    Waits,
    Runs,
    Ended,
}

/// A test: waiting, under way or ended. Its steps are told in the language of whoever looks.
#[derive(Clone, Debug)]
pub struct Test {
    /// Unix seconds.
    pub began: i64,
    pub stage: Stage,
    /// The definition becomes active afterwards where nothing failed.
    pub starts: bool,
    /// Mailbox and step, in their order.
    pub steps: Vec<(String, Step)>,
    /// Steps that were not kept.
    pub more: u64,
    pub has_failed: bool,
}

impl Test {
    /// Whether its end is still to come.
    pub fn is_running(&self) -> bool {
        self.stage != Stage::Ended
    }
}

/// A test with what it is about.
struct Kept {
    test: Test,
    /// Tells one from a later one of the same definition.
    turn: u64,
    /// What is tested, until the test has ended: it holds secrets.
    definition: Option<Definition>,
    /// In whose name the definition becomes active afterwards.
    starts: Option<String>,
    /// Ends this one.
    pulse: Pulse,
}

/// What lies behind one lock.
#[derive(Default)]
struct Inner {
    /// The last test of each definition.
    all: BTreeMap<String, Kept>,
    /// Definitions and turns whose test waits, the first to come first.
    waiting: VecDeque<(String, u64)>,
    threads: usize,
    last: u64,
    has_ended: bool,
}

/// The tests of all definitions, in memory only.
pub struct Tests {
    inner: Mutex<Inner>,
    /// One change of definitions at a time: see [`Web::settings`](super::super::Web::settings).
    settings: Arc<Mutex<()>>,
}

/// Ends a test.
struct Running {
    tests: Arc<Tests>,
    name: String,
    turn: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.with(|kept| {
            kept.test.stage = Stage::Ended;
            kept.definition = None;
        });
        self.tests.inner().tidy();
    }
}

impl Inner {
    /// Forgets the oldest results beyond those that are kept.
    fn tidy(&mut self) {
        while self.all.values().filter(|kept| !kept.test.is_running()).count() > TEST_RESULTS {
            let ended = self.all.iter().filter(|(_, kept)| !kept.test.is_running());
            let Some(oldest) = ended.min_by_key(|(_, kept)| kept.turn).map(|(name, _)| name.clone()) else { break };
            self.all.remove(&oldest);
        }
    }

    /// The next test whose turn it is.
    fn next(&mut self) -> Option<(String, u64, Definition, Pulse)> {
        while let Some((name, turn)) = self.waiting.pop_front() {
            if let Some(kept) = self.all.get_mut(&name).filter(|kept| kept.turn == turn)
                && let Some(definition) = kept.definition.clone()
            {
                kept.test.stage = Stage::Runs;
                return Some((name, turn, definition, kept.pulse.clone()));
            }
        }
        None
    }
}

impl Tests {
    /// `settings`: the lock under which definitions are changed.
    pub fn new(settings: Arc<Mutex<()>>) -> Self {
        Self { inner: Mutex::default(), settings }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends those that run or wait, since the process does: they hold the archive, which is closed by the last to hold it.
    pub fn end(&self) {
        let mut inner = self.inner();
        inner.has_ended = true;
        inner.waiting.clear();
        inner.all.values().for_each(|kept| kept.pulse.cancel());
    }

    pub fn of(&self, definition: &str) -> Option<Test> {
        self.inner().all.get(definition).map(|kept| kept.test.clone())
    }

    /// Forgets the test of a definition that is not there any more; one that runs ends.
    pub fn forget(&self, definition: &str) {
        if let Some(kept) = self.inner().all.remove(definition) {
            kept.pulse.cancel();
        }
    }

    /// Begins a test, or lets it wait for its turn; `false` where too many others wait. One of the same values that is under way
    /// goes on; one of other values gives way, and hands on that it was to start. Where `starts` names somebody, the definition
    /// becomes active and its first run is asked for when nothing failed: in that person's name.
    pub fn begin(
        self: &Arc<Self>,
        archive: &Arc<Archive>,
        fetcher: &Arc<Fetcher>,
        definition: Definition,
        starts: Option<String>,
    ) -> std::io::Result<bool> {
        let mut inner = self.inner();
        let name = definition.name.clone();
        let is_full = inner.has_ended || inner.waiting.len() >= TESTS_WAITING;
        let mut starts = starts;
        if let Some(kept) = inner.all.get_mut(&name).filter(|kept| kept.test.is_running()) {
            let is_same = kept.definition.as_ref().is_some_and(|tested| tested.module == definition.module);
            if is_same {
                kept.test.starts |= starts.is_some();
                kept.starts = starts.or_else(|| kept.starts.take());
                return Ok(true);
            }
            if !is_full {
                starts = starts.or_else(|| kept.starts.take());
                kept.pulse.cancel();
            }
        }
        if is_full {
            return Ok(false);
        }
        inner.last += 1;
        let turn = inner.last;
        let test = Test {
            began: clock::now(),
            stage: Stage::Waits,
            starts: starts.is_some(),
            steps: Vec::new(),
            more: 0,
            has_failed: false,
        };
        let kept = Kept { test, turn, definition: Some(definition), starts, pulse: Pulse::new() };
        inner.all.insert(name.clone(), kept);
        inner.waiting.push_back((name, turn));
        inner.tidy();
        if inner.threads < TESTS_AT_ONCE {
            let (tests, archive, fetcher) = (Arc::clone(self), archive.clone(), fetcher.clone());
            let work = move || tests.work(&archive, &fetcher);
            std::thread::Builder::new().name("test".into()).stack_size(2 * ROLE_STACK).spawn(work)?;
            inner.threads += 1;
        }
        Ok(true)
    }

    /// Tests what waits, one after the other, until nothing does.
    fn work(self: &Arc<Self>, archive: &Archive, fetcher: &Fetcher) {
        loop {
            let mut inner = self.inner();
            let Some((name, turn, definition, pulse)) = inner.next() else {
                // Under the same lock: whoever lets a test wait now begins another thread.
                inner.threads -= 1;
                return;
            };
            drop(inner);
            let running = Running { tests: Arc::clone(self), name, turn };
            let one = || self.one(archive, fetcher, &definition, &pulse, &running);
            // The others that wait are not to suffer from it.
            if catch_unwind(AssertUnwindSafe(one)).is_err() {
                running.with(|kept| kept.test.has_failed = true);
            }
        }
    }

    fn one(&self, archive: &Archive, fetcher: &Fetcher, definition: &Definition, pulse: &Pulse, running: &Running) {
        check::run(archive, &fetcher.tokens, definition, pulse, &mut |mailbox, step| running.note(mailbox, step));
        // Somebody may have wished for the start meanwhile.
        let starts = running.with(|kept| kept.starts.take().filter(|_| !kept.test.has_failed)).flatten();
        if let Some(who) = starts.filter(|_| !pulse.is_cancelled())
            && let Err(error) = self.start(archive, fetcher, &definition.name, Some(definition), &who)
        {
            tracing::error!("{}: {error}", definition.name);
        }
    }

    /// Makes a definition active, and asks for its run. Nothing happens where it has ended, or is another one by now than was
    /// `tested`: values that nobody tested fetch nothing by this.
    pub fn start(
        &self,
        archive: &Archive,
        fetcher: &Fetcher,
        name: &str,
        tested: Option<&Definition>,
        who: &str,
    ) -> settings::Result<()> {
        let _turn = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut definition = settings::definition(archive, name)?;
        if definition.ended || tested.is_some_and(|tested| tested.module != definition.module) {
            return Ok(());
        }
        if mem::take(&mut definition.inactive) {
            settings::put(archive, &definition, who)?;
        }
        fetcher.board.ask(name, false);
        Ok(())
    }
}

impl Running {
    /// What is known of this test, unless a later one took its place.
    fn with<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        self.tests.inner().all.get_mut(&self.name).filter(|kept| kept.turn == self.turn).map(change)
    }

    fn note(&self, mailbox: &str, step: Step) {
        self.with(|kept| {
            let test = &mut kept.test;
            test.has_failed |= matches!(step, Step::Failed(_));
            if test.steps.len() < TEST_STEPS {
                test.steps.push((mailbox.to_owned(), step));
            } else {
                test.more += 1;
            }
        });
    }
}

pub fn begin(context: &Context<'_>) -> Result<Response> {
    context.form()?;
    let definition = definition(context)?;
    let to = format!("{}/test", path(&definition.name));
    if !test(context, definition, false)? {
        context.notice(context.t.admin.test_busy);
    }
    Ok(Response::redirect(&to))
}

/// Begins a test, after which the definition becomes active where `starts`; `false` where too many others run.
pub fn test(context: &Context<'_>, definition: Definition, starts: bool) -> Result<bool> {
    let (web, starts) = (context.web, starts.then(|| context.who()));
    Ok(web.tests.begin(&web.archive, &web.fetcher, definition, starts)?)
}

pub fn show(context: &Context<'_>) -> Result<Response> {
    let t = &context.t.admin;
    let definition = definition(context)?;
    let test = context.web.tests.of(&definition.name);
    let is_running = test.as_ref().is_some_and(Test::is_running);
    let body = html! {
        p { (t.test_intro) }
        @match &test {
            None => p { (t.test_none) },
            Some(test) => {
                @if test.stage == Stage::Waits { div.note role="status" { p { (t.test_waits) } } }
                @else if test.is_running() { div.note role="status" { p { (t.test_running) } } }
                @else if test.has_failed { div.note.bad role="status" { p { (t.test_bad) } } }
                @else { div.note.good role="status" { p { (t.test_good) } } }
                section.card {
                    p.soft { (show::ago(context.lang, test.began)) }
                    (steps(context, &test.steps))
                    @if test.more > 0 { p { (t.test_more) } }
                }
            }
        }
        @if !is_running {
            form method="post" action={ (path(&definition.name)) "/test" } {
                (layout::token(context))
                button.first { (t.test) }
            }
        }
    };
    let response = source_page(context, &definition, Tab::Test, &body);
    Ok(if is_running { super::again(response, LOOK) } else { response })
}

/// The steps, mailbox by mailbox.
pub fn steps(context: &Context<'_>, steps: &[(String, Step)]) -> Markup {
    let t = &context.t.admin;
    // An administrator reads no mail by being one.
    let shows_mail = context.person.as_ref().is_some_and(|person| person.user.reads_everything());
    html! {
        @for part in steps.chunk_by(|one, other| one.0 == other.0) {
            h2 { (part[0].0) }
            ol.steps {
                @for (_, step) in part {
                    @match step {
                        Step::Passed(passed) => li.passed {
                            span.mark role="img" aria-label=(t.passed) { "✓" } " " (passed.sentence(context.lang, shows_mail))
                        },
                        Step::Failed(error) => li.failed {
                            span.mark role="img" aria-label=(t.failed) { "✗" } " " (error.sentence(context.lang))
                        },
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::settings::definition_file;

    fn definition(dir: &std::path::Path, name: &str, port: u16) -> Definition {
        let file = dir.join("definition.toml");
        let text = format!(
            "name = '{name}'\nmodule = 'imap'\nserver = '127.0.0.1'\nport = {port}\nencryption = 'none'\naccount = 'a'\n\
             password = 'x'\ninactive = true\n"
        );
        std::fs::write(&file, text).unwrap();
        definition_file::read(&file).unwrap()
    }

    #[test]
    fn no_start_is_lost_and_nothing_untested_starts() {
        let dir = tempfile::tempdir().unwrap();
        let archive = Arc::new(Archive::open(&dir.path().join("data"), &Pulse::new()).unwrap());
        let (fetcher, tests) = (Arc::new(Fetcher::default()), Arc::new(Tests::new(Arc::default())));
        // They take connections, and say nothing.
        let silent = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, other] = silent.each_ref().map(|listener| listener.local_addr().unwrap().port());
        let begin = |name: &str, port: u16, starts: Option<&str>| {
            let definition = definition(dir.path(), name, port);
            settings::put(&archive, &definition, "test").unwrap();
            tests.begin(&archive, &fetcher, definition, starts.map(str::to_owned)).unwrap()
        };
        let of = |name: &str| tests.of(name).unwrap();
        for name in ["a", "b", "c"] {
            assert!(begin(name, port, None));
        }
        let until = Instant::now() + Duration::from_secs(10);
        while of("b").stage == Stage::Waits && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(["a", "b", "c"].map(|name| of(name).stage), [Stage::Runs, Stage::Runs, Stage::Waits]);
        // The same values: it goes on, and the wish for a start is not lost.
        assert!(!of("a").starts);
        assert!(begin("a", port, Some("anna")) && of("a").starts && of("a").stage == Stage::Runs);
        assert!(begin("a", port, None) && of("a").starts);
        // Other values: it is tested anew, and starts all the same.
        assert!(begin("a", other, None) && of("a").starts);
        // What is another one by now than was tested does not start.
        let tested = definition(dir.path(), "b", other);
        tests.start(&archive, &fetcher, "b", Some(&tested), "anna").unwrap();
        assert!(settings::definition(&archive, "b").unwrap().inactive);
        tests.start(&archive, &fetcher, "b", None, "anna").unwrap();
        assert!(!settings::definition(&archive, "b").unwrap().inactive);
        // Nobody waits for a silent server when the process ends.
        tests.end();
        let until = Instant::now() + Duration::from_secs(10);
        while tests.inner().threads > 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(tests.inner().threads, 0);
        assert!(settings::definition(&archive, "a").unwrap().inactive, "what was broken off starts nothing");
    }
}
