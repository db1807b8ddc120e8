//! What somebody at the console can do: one dialogue per item, in whole lines. An empty answer leads back, and so does none.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::super::settings::{Mistake, static_address, validate};
use super::super::shared::{Action, Answer, Shared};
use super::super::state::{BoxSettings, Power, StaticAddress};
use super::screen;
use super::terminal::Terminal;
use crate::language::Lang;
use crate::limits::{BOX_INTERFACES, CONSOLE_ANSWER, CONSOLE_IDLE, CONSOLE_INSTALL};
use crate::pulse::Pulse;

const LOOK: Duration = Duration::from_millis(200);
/// How often a long wait shows that it goes on.
const DOT: Duration = Duration::from_secs(10);
const BACK: &str = "Enter: back / zurück";
/// What has to be typed before everything is deleted.
const DELETE: [&str; 3] = ["DELETE EVERYTHING", "ALLES LOESCHEN", "ALLES LÖSCHEN"];

/// Why a dialogue is over before its end.
pub enum Leave {
    /// Somebody wants back, or is gone.
    Back,
    /// The role is asked to end.
    Ended,
    Gone(io::Error),
}

impl From<io::Error> for Leave {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

type Step<T> = Result<T, Leave>;

/// The dialogues on one terminal.
pub struct Menu<'a, I, O> {
    pub shared: &'a Shared,
    pub terminal: &'a mut Terminal<I, O>,
    pub pulse: &'a Pulse,
}

impl<I: Read + AsFd, O: Write> Menu<'_, I, O> {
    /// Carries out the item that somebody chose; another line than one of the menu is nothing.
    pub fn choose(&mut self, item: &str) -> Step<()> {
        match item {
            "1" => self.reset_password(),
            "2" => self.network(),
            "3" => self.install(),
            "4" => self.power(Power::Restart, "Restart now? / Jetzt neu starten?"),
            "5" => self.power(Power::Off, "Switch the box off? / Die Box ausschalten?"),
            "9" => self.factory_reset(),
            _ => Ok(()),
        }
    }

    fn reset_password(&mut self) -> Step<()> {
        self.begin(
            "An administrator gets a new password, shown here. The old one ends.\n\
             Ein Administrator bekommt ein neues Passwort; das alte gilt nicht mehr.\n",
        )?;
        self.confirm("New password? / Neues Passwort?")?;
        self.carry_out(Action::ResetPassword, CONSOLE_ANSWER)
    }

    fn power(&mut self, power: Power, question: &str) -> Step<()> {
        self.begin("")?;
        self.confirm(question)?;
        self.carry_out(Action::Power(power), CONSOLE_ANSWER)
    }

    fn factory_reset(&mut self) -> Step<()> {
        self.begin(
            "FACTORY RESET: all archived mails and files, users, sources and settings\n\
             of this box are deleted for good. Nothing of it can be brought back.\n\
             ALLES LÖSCHEN: alle archivierten Mails und Dateien, Benutzer, Quellen und\n\
             Einstellungen dieser Box werden endgültig gelöscht, ohne Weg zurück.\n",
        )?;
        let typed = self.question("Type DELETE EVERYTHING / ALLES LOESCHEN to go on, or nothing to go back.\n")?;
        if !DELETE.contains(&typed.as_str()) {
            return self.close("Nothing was deleted. / Nichts wurde gelöscht.");
        }
        self.carry_out(Action::FactoryReset, CONSOLE_INSTALL)
    }

    fn install(&mut self) -> Step<()> {
        let targets = self.shared.state().install_targets;
        if targets.is_empty() {
            return Ok(());
        }
        let mut text = String::from("Install the box to a disk / Die Box auf eine Platte installieren\n");
        for disk in targets.iter().take(BOX_INTERFACES) {
            let _ = writeln!(text, "  {}", screen::disk(disk));
        }
        text += "On a disk with a box its archive stays; any other is written over as a whole.\n\
                 Auf einer Platte mit Box bleibt das Archiv; jede andere wird überschrieben.\n";
        self.begin(&text)?;
        let typed = self.question("Type the name of the disk / Namen der Platte eingeben:\n")?;
        let Some(disk) = targets.iter().find(|disk| !typed.is_empty() && disk.name == typed) else {
            return self.close("No such disk; nothing was written. / Keine solche Platte; nichts geschrieben.");
        };
        let disk = disk.name.clone();
        self.carry_out(Action::Install { disk }, CONSOLE_INSTALL)
    }

    fn network(&mut self) -> Step<()> {
        let state = self.shared.state();
        let mut text = String::from("Network / Netzwerk\n");
        for (row, interface) in state.interfaces.iter().take(BOX_INTERFACES).enumerate() {
            text += &(screen::interface(row + 1, interface) + "\n");
        }
        self.begin(&text)?;
        if state.interfaces.is_empty() {
            return self.close("No network adapter is there. / Es ist kein Netzwerkanschluss da.");
        }
        let number = self.question("Number of the interface / Nummer des Anschlusses:\n")?;
        let chosen = number.parse::<usize>().ok().and_then(|number| state.interfaces.get(number.checked_sub(1)?));
        let Some(name) = chosen.map(|interface| interface.name.clone()) else {
            return self.close("No such interface; nothing was changed. / Nichts wurde geändert.");
        };
        let mut settings = state.settings;
        match self.question("1 = automatically by DHCP / automatisch, 2 = fixed address / feste Adresse:\n")?.as_str() {
            "1" => {
                settings.static_addresses.remove(&name);
            }
            "2" => {
                let fixed = self.fixed_address(&name, &settings)?;
                settings.static_addresses.insert(name, fixed);
            }
            _ => return self.close("Nothing was changed. / Nichts wurde geändert."),
        }
        self.confirm("Apply? / Übernehmen?")?;
        self.carry_out(Action::Settings(settings), CONSOLE_ANSWER)
    }

    /// Asks for a fixed address until it is sound; an empty address leads back.
    fn fixed_address(&mut self, interface: &str, settings: &BoxSettings) -> Step<StaticAddress> {
        let address = self.sound("Address and prefix / Adresse und Präfix (192.168.1.20/24):\n", true, |typed| {
            let fixed = static_address(interface, typed, "", "")?;
            let mut settings = settings.clone();
            settings.static_addresses.insert(interface.into(), fixed);
            let of_this = validate(&settings).into_iter().filter(|mistake| mistake.key == "address").collect();
            sound(of_this)
        })?;
        let router = self.sound("Router (192.168.1.1), nothing = none / nichts = keiner:\n", false, |typed| {
            static_address(interface, &address, typed, "").map(drop)
        })?;
        let mut fixed = None;
        self.sound("DNS servers / DNS-Server (192.168.1.1 9.9.9.9), nothing = none:\n", false, |typed| {
            fixed = Some(static_address(interface, &address, &router, typed)?);
            Ok(())
        })?;
        fixed.ok_or(Leave::Back)
    }

    /// Asks until the answer is sound, and says what is wrong with it.
    fn sound(
        &mut self,
        question: &str,
        is_needed: bool,
        mut check: impl FnMut(&str) -> Result<(), Vec<Mistake>>,
    ) -> Step<String> {
        loop {
            let typed = self.question(question)?;
            if typed.is_empty() && is_needed {
                return Err(Leave::Back);
            }
            let Err(mistakes) = check(&typed) else { return Ok(typed) };
            for mistake in mistakes.iter().take(2) {
                let both = [mistake.sentence(Lang::En), mistake.sentence(Lang::De)];
                self.terminal.show(&both.map(|sentence| screen::wrap(&format!("!! {sentence}"))).concat())?;
            }
        }
    }

    /// Leads back unless somebody says yes.
    fn confirm(&mut self, question: &str) -> Step<()> {
        let typed = self.question(&format!("{question}  yes / ja:\n"))?;
        if ["yes", "y", "ja", "j"].contains(&typed.to_lowercase().as_str()) { Ok(()) } else { Err(Leave::Back) }
    }

    fn begin(&mut self, text: &str) -> Step<()> {
        self.terminal.clear()?;
        Ok(self.terminal.show(text)?)
    }

    /// Shows a sentence until somebody has read it.
    fn close(&mut self, text: &str) -> Step<()> {
        let lines: String = text.lines().map(screen::wrap).collect();
        self.question(&format!("\n{lines}{BACK}\n")).map(drop)
    }

    /// The next line; nobody's answer leads back, so that no dialogue, and no password, stays on the screen.
    fn question(&mut self, text: &str) -> Step<String> {
        self.terminal.show(&format!("{text}> "))?;
        let since = Instant::now();
        while since.elapsed() < CONSOLE_IDLE {
            self.pulse.go_on().map_err(|_| Leave::Ended)?;
            if let Some(line) = self.terminal.line(LOOK)? {
                return Ok(line);
            }
        }
        Err(Leave::Back)
    }

    /// Has an action carried out, shows that it goes on, and what became of it.
    fn carry_out(&mut self, action: Action, patience: Duration) -> Step<()> {
        self.terminal.show("Please wait / Bitte warten ")?;
        let (shared, pulse, terminal) = (self.shared, self.pulse, &mut *self.terminal);
        let answer: Answer = std::thread::scope(|scope| {
            let asking = scope.spawn(|| shared.ask(action, patience));
            let mut dotted = Instant::now();
            while !asking.is_finished() {
                pulse.beat();
                std::thread::sleep(LOOK);
                if dotted.elapsed() >= DOT {
                    // A terminal that is gone is noticed at the next question.
                    let _ = terminal.show(".");
                    dotted = Instant::now();
                }
            }
            asking.join().unwrap_or_else(|_| Err("It could not be done. / Es ging nicht.".into()))
        });
        self.terminal.forget_typed();
        match answer {
            Ok(line) => self.close(&line),
            Err(line) => self.close(&format!("!! {line}")),
        }
    }
}

fn sound(mistakes: Vec<Mistake>) -> Result<(), Vec<Mistake>> {
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}
