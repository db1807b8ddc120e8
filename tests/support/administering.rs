//! WebAdmin as a person with a browser sees it.

use std::thread;
use std::time::{Duration, Instant};

use super::archivista::Archivista;
use super::https::{Answer, Https};
use super::serving::Serving;

/// Nothing that a test waits for takes this long.
const HANGS_AFTER: Duration = Duration::from_mins(2);

/// Somebody who is logged in, and what no page may ever show to anybody.
pub struct Administering {
    pub browser: Https,
    csrf: String,
    secrets: Vec<String>,
}

impl Administering {
    /// The first administrator of a new archive.
    pub fn start(archivista: &Archivista, secrets: &[&str]) -> (Serving, Self) {
        let serving = Serving::start(archivista, &[]);
        let browser = serving.set_up();
        (serving, Self::of(browser, secrets))
    }

    pub fn of(mut browser: Https, secrets: &[&str]) -> Self {
        let csrf = browser.get("/account").csrf();
        Self { browser, csrf, secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect() }
    }

    /// Chooses the language of the pages: `de` or `en`.
    pub fn speak(&mut self, language: &str) {
        let answer = self.post("/account", &[("language", language)]);
        assert_eq!(answer.status, 303);
    }

    pub fn get(&mut self, target: &str) -> Answer {
        let answer = self.browser.get(target);
        self.looked_at(target, answer)
    }

    /// A page that has to be there.
    pub fn page(&mut self, target: &str) -> String {
        let answer = self.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.text()
    }

    pub fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        let with_token = [&[("csrf", csrf.as_str())], fields].concat();
        let answer = self.browser.post(target, &with_token);
        self.looked_at(target, answer)
    }

    /// Sends a form that has to be taken; where it leads.
    pub fn done(&mut self, target: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(target, fields);
        assert_eq!(answer.status, 303, "{target}: {}", answer.text());
        answer.header("location").unwrap().to_owned()
    }

    fn looked_at(&self, target: &str, answer: Answer) -> Answer {
        let text = answer.text();
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{target} shows the secret {secret}:\n{text}");
        }
        answer
    }

    /// The page once it no longer loads itself again: what it shows has ended.
    pub fn ended(&mut self, target: &str) -> String {
        self.when(target, |answer| answer.header("refresh").is_none())
    }

    /// The page once it fits.
    pub fn when(&mut self, target: &str, fits: impl Fn(&Answer) -> bool) -> String {
        let since = Instant::now();
        loop {
            let answer = self.get(target);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            if fits(&answer) {
                return answer.text();
            }
            assert!(since.elapsed() < HANGS_AFTER, "{target} did not come to an end:\n{}", answer.text());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The fields of a good form, one of them with another value; a field that is not among them is added.
pub fn with<'a>(fields: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<(&str, &str)> = fields.iter().copied().filter(|(other, _)| *other != name).collect();
    all.push((name, value));
    all
}
