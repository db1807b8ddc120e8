//! The connection test of a definition, step by step. It may take long, so it runs in a thread of its own; the page shows the
//! steps so far.

use std::collections::BTreeMap;
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
use crate::limits::{ROLE_STACK, TEST_RESULTS, TEST_STEPS, TESTS_AT_ONCE};
use crate::pulse::Pulse;
use crate::settings::{self, Definition};
use crate::source::Step;

/// Seconds between two looks at a test.
const LOOK: u32 = 1;

/// A test, under way or ended. Its steps are told in the language of whoever looks.
#[derive(Clone, Debug)]
pub struct Test {
    /// Unix seconds.
    pub began: i64,
    pub is_running: bool,
    /// Mailbox and step, in their order.
    pub steps: Vec<(String, Step)>,
    /// Steps that were not kept.
    pub more: u64,
    pub has_failed: bool,
}

/// The last test of each definition, in memory only.
pub struct Tests {
    all: Mutex<BTreeMap<String, Test>>,
    /// Of all tests: they hold the archive, which is closed by the last to hold it.
    pulse: Pulse,
}

impl Default for Tests {
    fn default() -> Self {
        Self { all: Mutex::default(), pulse: Pulse::new() }
    }
}

/// Ends a test, also after a panic.
struct Running {
    tests: Arc<Tests>,
    name: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(test) = self.tests.all().get_mut(&self.name) {
            test.is_running = false;
        }
    }
}

impl Tests {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Test>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends those that run, since the process does.
    pub fn end(&self) {
        self.pulse.cancel();
    }

    pub fn of(&self, definition: &str) -> Option<Test> {
        self.all().get(definition).cloned()
    }

    pub fn forget(&self, definition: &str) {
        self.all().retain(|name, test| name != definition || test.is_running);
    }

    /// Begins a test, unless one of this definition runs already; `false` where too many others run. Where `starts` names
    /// somebody, the definition becomes active and its first run is asked for when nothing failed: in that person's name.
    pub fn begin(
        self: &Arc<Self>,
        archive: &Arc<Archive>,
        fetcher: &Arc<Fetcher>,
        definition: Definition,
        starts: Option<String>,
    ) -> std::io::Result<bool> {
        let mut all = self.all();
        if all.get(&definition.name).is_some_and(|test| test.is_running) {
            return Ok(true);
        }
        if all.values().filter(|test| test.is_running).count() >= TESTS_AT_ONCE {
            return Ok(false);
        }
        if all.len() >= TEST_RESULTS {
            let ended = all.iter().filter(|(_, test)| !test.is_running);
            if let Some(oldest) = ended.min_by_key(|(_, test)| test.began).map(|(name, _)| name.clone()) {
                all.remove(&oldest);
            }
        }
        let test = Test { began: clock::now(), is_running: true, steps: Vec::new(), more: 0, has_failed: false };
        all.insert(definition.name.clone(), test);
        drop(all);
        let running = Running { tests: self.clone(), name: definition.name.clone() };
        let (archive, fetcher) = (archive.clone(), fetcher.clone());
        let work = move || {
            let tokens = &fetcher.tokens;
            let pulse = &running.tests.pulse;
            check::run(&archive, tokens, &definition, pulse, &mut |mailbox, step| running.note(mailbox, step));
            let has_failed = running.tests.of(&definition.name).is_none_or(|test| test.has_failed);
            if let Some(who) = starts.filter(|_| !has_failed)
                && let Err(error) = start(&archive, &fetcher, &definition.name, &who)
            {
                tracing::error!("{}: {error}", definition.name);
            }
        };
        std::thread::Builder::new().name("test".into()).stack_size(2 * ROLE_STACK).spawn(work)?;
        Ok(true)
    }
}

/// Makes a definition active, and asks for its run.
pub fn start(archive: &Archive, fetcher: &Fetcher, name: &str, who: &str) -> settings::Result<()> {
    // As it is now: somebody may have changed it meanwhile.
    let mut definition = settings::definition(archive, name)?;
    if definition.inactive {
        definition.inactive = false;
        settings::put(archive, &definition, who)?;
    }
    fetcher.board.ask(name, false);
    Ok(())
}

impl Running {
    fn note(&self, mailbox: &str, step: Step) {
        let mut all = self.tests.all();
        let Some(test) = all.get_mut(&self.name) else { return };
        test.has_failed |= matches!(step, Step::Failed(_));
        if test.steps.len() < TEST_STEPS {
            test.steps.push((mailbox.to_owned(), step));
        } else {
            test.more += 1;
        }
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
    let is_running = test.as_ref().is_some_and(|test| test.is_running);
    let body = html! {
        p { (t.test_intro) }
        @match &test {
            None => p { (t.test_none) },
            Some(test) => {
                @if test.is_running { div.note role="status" { p { (t.test_running) } } }
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
