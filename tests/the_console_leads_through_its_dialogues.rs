//! Whole dialogues at the console, as tables: `> ` is typed, `< ` is shown after it, `! ` is asked of the box. Over a pipe and
//! over a terminal of the kernel's.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use archivista::appliance::console::{self, Style};
use archivista::appliance::settings::static_address;
use archivista::appliance::shared::{Action, Answer, Asked, Shared};
use archivista::appliance::state::{BoxState, Disk, Interface, Pages, PagesState};
use archivista::pulse::Pulse;
use nix::fcntl::OFlag;
use nix::pty::openpty;

/// What stands on the terminal.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Waits until the text stands there after what was seen last.
    fn wait_for(&self, seen: &mut usize, text: &str) {
        let since = Instant::now();
        loop {
            let all = self.text();
            if let Some(at) = all[*seen..].find(text) {
                *seen += at + text.len();
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "{text:?} is not in\n{}", &all[*seen..]);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Ends the console however the test ends; else the scope would wait for ever.
struct Ends<'a>(&'a Pulse);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn state() -> BoxState {
    let mut state = BoxState {
        name: "archivista-4f2a".into(),
        release: "0.1.0".into(),
        interfaces: vec![
            Interface {
                name: "eth0".into(),
                hardware_address: "52:54:00:12:4f:2a".into(),
                has_carrier: true,
                addresses: vec!["192.168.1.20/24".into()],
                ..Interface::default()
            },
            Interface { name: "eth1".into(), ..Interface::default() },
        ],
        pages: Pages { state: PagesState::Ready, ..Pages::default() },
        install_targets: vec![
            Disk { name: "sda".into(), model: "Old\u{1b}[31mBox".into(), size: 500_107_862_016, holds_a_box: true },
            Disk { name: "nvme0n1".into(), model: "Blank".into(), size: 1_000_204_886_016, holds_a_box: false },
        ],
        ..BoxState::default()
    };
    let fixed = static_address("eth1", "10.0.0.2/24", "", "").unwrap();
    state.settings.static_addresses.insert("eth1".into(), fixed);
    state
}

/// As the thread of the box does: it is asked and answers.
fn answer(action: &Action) -> Answer {
    match action {
        Action::ResetPassword => Ok("anna: kT4-\u{1b}[2Jbx9-Qrm".into()),
        Action::FactoryReset => Err("The disk is busy. / Die Platte ist besetzt.".into()),
        _ => Ok("Done. / Erledigt.".into()),
    }
}

/// Plays a dialogue with the console on a pipe.
fn play(script: &str, style: Style) -> String {
    let (shared, asked) = Shared::new(state());
    let (pulse, paper, actions) = (Pulse::new(), Paper::default(), Mutex::new(Vec::new()));
    let (input, mut keyboard): (_, PipeWriter) = io::pipe().unwrap();
    std::thread::scope(|scope| {
        let (actions, shared, pulse) = (&actions, &shared, &pulse);
        let _ends = Ends(pulse);
        scope.spawn(move || {
            while !pulse.is_cancelled() {
                if let Ok(Asked { action, answer: to }) = asked.recv_timeout(Duration::from_millis(50)) {
                    // Before the answer: whoever has that looks at once.
                    actions.lock().unwrap().push(format!("{action:?}"));
                    to.send(answer(&action)).unwrap();
                }
            }
        });
        let its_paper = paper.clone();
        let console = scope.spawn(move || console::run(shared, input, its_paper, style, pulse));
        let mut seen = 0;
        paper.wait_for(&mut seen, "Zahl und Enter: ");
        for line in script.lines() {
            let (kind, text) = line.trim().split_at_checked(2).unwrap_or((line.trim(), ""));
            match kind {
                "> " | ">" => writeln!(keyboard, "{text}").unwrap(),
                "< " => paper.wait_for(&mut seen, text),
                "! " => {
                    let last = actions.lock().unwrap().pop().unwrap_or_default();
                    assert!(last.contains(text), "{last}");
                }
                "" => {}
                _ => panic!("{line:?}"),
            }
        }
        // Every dialogue ends where it began, and nothing was asked that is not in the table.
        paper.wait_for(&mut seen, "Zahl und Enter: ");
        assert_eq!(*actions.lock().unwrap(), [""; 0]);
        drop(keyboard);
        assert_eq!(console.join().unwrap().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    });
    let text = paper.text();
    // A terminal shows what is typed, and with it the end of a line, where a pipe does not.
    let lines = text.lines().flat_map(|line| line.split("\u{1b}[H")).flat_map(|line| line.split("> "));
    let widest = lines.map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 79, "{text}");
    text
}

#[test]
fn a_password_is_shown_until_it_was_read_and_then_gone() {
    let text = play(
        "> 1
         < New password? / Neues Passwort?
         > ja
         < anna: kT4- [2Jbx9-Qrm
         ! ResetPassword
         < Enter: back
         >
         < Archivista Box",
        Style::Serial,
    );
    assert!(text.is_ascii() && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn nothing_is_done_without_a_yes() {
    for (item, no) in [("1", "nein"), ("4", ""), ("5", "x"), ("5", "yess")] {
        play(&format!("> {item}\n< yes / ja\n> {no}\n< Archivista Box"), Style::Serial);
    }
}

#[test]
fn the_box_restarts_and_is_switched_off() {
    play("> 4\n< Restart now?\n> yes\n< Done.\n! Power(Restart)\n>\n< Archivista Box", Style::Serial);
    play("> 5\n< Switch the box off?\n> J\n< Done.\n! Power(Off)\n>\n< Archivista Box", Style::Serial);
}

#[test]
fn everything_is_deleted_only_for_the_words() {
    for no in ["", "yes", "delete everything", "DELETE", "DELETE EVERYTHING NOW", "9"] {
        play(&format!("> 9\n< deleted for good\n> {no}\n< Nothing was deleted.\n>\n< Archivista Box"), Style::Serial);
    }
    for yes in ["DELETE EVERYTHING", "ALLES LOESCHEN", "ALLES LÖSCHEN"] {
        let script =
            format!("> 9\n< deleted for good\n> {yes}\n< !! The disk is busy.\n! FactoryReset\n>\n< Archivista Box");
        play(&script, Style::Screen);
    }
}

#[test]
fn a_disk_is_chosen_by_its_name() {
    let text = play(
        "> 3
         < sda
         < 500.1 GB  an Archivista Box
         < nvme0n1
         < 1.0 TB  no archive / kein Archiv
         > sda1
         < No such disk; nothing was written.
         >
         < Archivista Box
         > 3
         < Type the name of the disk
         >
         < nothing was written
         >
         < Archivista Box
         > 3
         < Type the name of the disk
         > nvme0n1
         < Done.
         ! Install { disk: \"nvme0n1\" }
         >
         < Archivista Box",
        Style::Serial,
    );
    assert!(text.contains("Old [31mBox"), "control characters of a disk's model are none on the terminal");
}

#[test]
fn the_network_is_set_and_mistakes_are_said() {
    play(
        "> 2
         <  1  eth0            52:54:00:12:4f:2a  192.168.1.20/24 (DHCP)
         <  2  eth1
         < Number of the interface
         > 1
         < 2 = fixed address
         > 2
         < Address and prefix
         > 192.168.1.300/24
         < !! Give address and prefix such as 192.168.1.20/24.
         < !! Geben Sie Adresse
         > 192.168.1.0/24
         < first or last address of its network
         > 192.168.1.20/31
         < from 1 to 30
         > 10.0.0.2/24
         < Another interface of the box has this address.
         > 192.168.1.30 24
         < Router
         > 192.168.2.1
         < outside the network
         > 192.168.1.1
         < DNS servers
         > dns.example.ch
         < no names
         > 192.168.1.1, 9.9.9.9
         < Apply?
         > ja
         < Done.
         ! \"eth0\": StaticAddress { address: 192.168.1.30, prefix: 24, router: Some(192.168.1.1), dns: [192.168.1.1, 9.9.9.9] }
         >
         < Archivista Box",
        Style::Serial,
    );
    play(
        "> 2
         < Number of the interface
         > 2
         < 1 = automatically
         > 1
         < Apply?
         > yes
         < Done.
         ! Settings(BoxSettings { static_addresses: {}, time_servers: [] })
         >
         < Archivista Box",
        Style::Serial,
    );
}

#[test]
fn every_question_of_the_network_leads_back() {
    for typed in ["9", "0", "-1", "eth0", "", "1|3", "1|", "1|1|no"] {
        let mut script = String::from("> 2\n< Number of the interface\n");
        for line in typed.split('|') {
            let _ = writeln!(script, "> {line}");
        }
        // One more Enter, where a sentence says that nothing was changed.
        play(&(script + ">\n< Archivista Box"), Style::Serial);
    }
    play("> 2\n< Number\n> 1\n< fixed\n> 2\n< Address\n>\n< Archivista Box", Style::Serial);
}

#[test]
fn other_lines_are_nothing_and_a_long_one_ends() {
    let long = "9".repeat(1000);
    for line in ["", "7", "11", "1 ", "help", "\u{1b}[A", "\u{7}9\u{7}9", &long] {
        if line.trim() == "1" {
            continue;
        }
        play(&format!("> {line}\n< Archivista Box"), Style::Serial);
    }
}

#[test]
fn a_change_is_painted_and_progress_on_a_serial_line_is_not() {
    for style in [Style::Screen, Style::Serial] {
        let (shared, _asked) = Shared::new(state());
        let (pulse, paper) = (Pulse::new(), Paper::default());
        let (input, _keyboard) = io::pipe().unwrap();
        std::thread::scope(|scope| {
            let _ends = Ends(&pulse);
            let (shared, pulse, its_paper) = (&shared, &pulse, paper.clone());
            let console = scope.spawn(move || console::run(shared, input, its_paper, style, pulse));
            let mut seen = 0;
            paper.wait_for(&mut seen, "Zahl und Enter: ");
            shared.change(|state| state.pages.fetching = "office: 1 of 2".into());
            if style == Style::Screen {
                paper.wait_for(&mut seen, "\u{1b}[2J");
                paper.wait_for(&mut seen, "office: 1 of 2");
            }
            shared.change(|state| state.pages.setup_code = Some("ABCD-EFGH".into()));
            paper.wait_for(&mut seen, "ABCD-EFGH");
            paper.wait_for(&mut seen, "Zahl und Enter: ");
            // Several looks of the console later, with no change.
            let beats = Instant::now();
            while beats.elapsed() < Duration::from_millis(1500) {
                std::thread::sleep(Duration::from_millis(100));
            }
            let screens = paper.text().matches("Archivista Box   ").count();
            assert!(screens <= if style == Style::Screen { 3 } else { 2 }, "{screens}");
            pulse.cancel();
            console.join().unwrap().unwrap();
        });
    }
}

#[test]
fn it_works_on_a_terminal_that_does_not_edit_nor_echo_and_survives_ctrl_d() {
    let (shared, asked) = Shared::new(state());
    let pulse = Pulse::new();
    let pty = openpty(None, None).unwrap();
    let device = format!("/proc/self/fd/{}", pty.slave.as_raw_fd());
    let (mut screen, mut keyboard) =
        (std::fs::File::from(pty.master.try_clone().unwrap()), std::fs::File::from(pty.master));
    let paper = Paper::default();
    std::thread::scope(|scope| {
        let _ends = Ends(&pulse);
        let (shared, pulse, device) = (&shared, &pulse, &device);
        let mut its_paper = paper.clone();
        // Ends with the last descriptor of the terminal's other side.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                its_paper.write_all(&bytes[..length]).unwrap();
            }
        });
        let console = scope.spawn(move || console::run_tty(shared, device.as_ref(), pulse));
        let mut seen = 0;
        paper.wait_for(&mut seen, "Zahl und Enter: ");
        // Ctrl+D, Ctrl+C, Ctrl+S; a backspace mends the line; Enter sends a return.
        keyboard.write_all(b"\x04\x03\x13\r").unwrap();
        paper.wait_for(&mut seen, "Zahl und Enter: ");
        keyboard.write_all(b"55\x7f\r").unwrap();
        paper.wait_for(&mut seen, "Switch the box off?");
        keyboard.write_all(b"yes\r").unwrap();
        let Asked { action, answer } = asked.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!(format!("{action:?}"), "Power(Off)");
        answer.send(Ok("The box is about to end.".into())).unwrap();
        paper.wait_for(&mut seen, "about to end");
        assert!(paper.text().contains("\r\n"));
        pulse.cancel();
        console.join().unwrap().unwrap();
    });
    drop(pty.slave);
}

#[test]
fn a_terminal_that_takes_nothing_keeps_nobody_waiting() {
    let (shared, _asked) = Shared::new(state());
    let pulse = Pulse::new();
    let pty = openpty(None, None).unwrap();
    let device = format!("/proc/self/fd/{}", pty.slave.as_raw_fd());
    // Nobody reads the other side, until nothing goes in any more.
    let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
    let mut full = OpenOptions::new().write(true).custom_flags(flags.bits()).open(&device).unwrap();
    while full.write(&[b'x'; 4096]).is_ok() {}
    let (mut screen, paper) = (std::fs::File::from(pty.master), Paper::default());
    std::thread::scope(|scope| {
        let _ends = Ends(&pulse);
        let (shared, pulse, device) = (&shared, &pulse, &device);
        let console = scope.spawn(move || console::run_tty(shared, device.as_ref(), pulse));
        for change in 0..2 {
            shared.change(|state| state.pages.setup_code = Some(format!("CODE-{change}")));
            let changed = Instant::now();
            while pulse.age() >= changed.elapsed() {
                assert!(changed.elapsed() < Duration::from_mins(1), "the console waits for the terminal");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        // Somebody looks again.
        let mut its_paper = paper.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                its_paper.write_all(&bytes[..length]).unwrap();
            }
        });
        shared.change(|state| state.pages.setup_code = Some("CODE-9".into()));
        paper.wait_for(&mut 0, "CODE-9");
        pulse.cancel();
        console.join().unwrap().unwrap();
    });
    drop(pty.slave);
}
