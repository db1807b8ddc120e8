//! What the folder of a proof says of itself, and the commands by which a stranger verifies it: POSIX sh, `sha256sum`,
//! `openssl` and `grep`. A command says nothing where all is right.

pub const NAME: &str = "README.txt";
pub const SCRIPT: &str = "verify.sh";
pub const SUMS: &str = "SHA256SUMS";
/// Only there where a checkpoint does not fit.
pub const PROBLEMS: &str = "PROBLEMS.txt";

/// The steps of [`script`], in their order.
const STEPS: [&str; 4] = [
    "\
sha256sum --check --strict --quiet SHA256SUMS
",
    "\
for text in checkpoints/*.txt; do
  key=$(grep '^device-key: ' \"$text\")
  openssl pkeyutl -verify -rawin -pubin -inkey \"device-${key#device-key: }.pem\" \\
    -in \"$text\" -sigfile \"${text%.txt}.sig\" > /dev/null 2>&1 || echo \"$text: wrong signature\"
done
for key in device-*.pem; do
  hash=$(openssl pkey -pubin -in \"$key\" -outform DER 2> /dev/null | sha256sum)
  [ \"$key\" = \"device-${hash%% *}.pem\" ] || echo \"$key: another key\"
done
",
    "\
before=0000000000000000000000000000000000000000000000000000000000000000
number=0
for text in checkpoints/*.txt; do
  number=$((number + 1))
  grep -qx \"checkpoint: $number\" \"$text\" || echo \"$text: not number $number\"
  grep -qx \"before: $before\" \"$text\" || echo \"$text: does not follow the one before\"
  before=$(sha256sum < \"$text\")
  before=${before%% *}
done
",
    "\
for text in checkpoints/*.txt; do
  hash=$(sha256sum < \"history/${text#checkpoints/}\")
  grep -qx \"history: ${hash%% *}\" \"$text\" || echo \"$text: another history\"
done
",
];

const MAIL: &str = "\
mail=mail.eml
hash=$(sha256sum < \"$mail\")
grep -E \"^(document|variant) [0-9]+ ${hash%% *} \" history/*.txt /dev/null || echo \"$mail: not in this archive\"
";

const KEPT: &str = "\
kept=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
sha256sum checkpoints/*.txt | grep \"^$kept \" || echo \"no checkpoint has this hash\"
";

/// `README.txt`, in German and English.
pub fn text() -> String {
    let [files, signatures, chain, histories] = STEPS;
    let block = |number: u8, commands: &str| format!("# --- begin {number} ---\n{commands}# --- end {number} ---");
    format!(
        "\
NACHWEIS EINES ARCHIVS                                        PROOF OF AN ARCHIVE
==================================================================================

Dieser Ordner beweist, was im Archiv einer Archivista Box steht, ohne dass jemand
eine Mail lesen muss und ohne die Box. Gebraucht werden nur sha256sum, openssl
(ab 3.0) und grep, also jedes Linux. Die Befehle werden in diesem Ordner
eingegeben. Sie sagen nichts, wo alles stimmt; jede Zeile, die sie ausgeben,
benennt etwas, das nicht stimmt. Die Schritte 1 bis 4 in einem: sh verify.sh

This folder proves what is in the archive of an Archivista Box, without anybody
reading a mail and without the box. It takes sha256sum, openssl (3.0 or later)
and grep, so any Linux. The commands are typed in this folder. They say nothing
where all is right; each line that they print names something that is wrong.
Steps 1 to 4 in one: sh verify.sh


1. Jede Datei ist die, die exportiert wurde.
   Each file is the one that was exported.

{}

2. Jeder Kontrollpunkt ist vom Schlüssel der Box unterschrieben (Ed25519), den er
   nennt. Geht ein Schlüssel verloren, nennt der nächste Kontrollpunkt den neuen
   und den davor.
   Each checkpoint is signed by the key of the box (Ed25519) that it names. Where
   a key is lost, the next checkpoint names the new one and the one before.

{}

3. Die Kontrollpunkte folgen lückenlos aufeinander: Jeder nennt die Prüfsumme des
   Textes davor.
   The checkpoints follow each other without a gap: each names the hash of the
   text before.

{}

4. Jeder Kontrollpunkt nennt die Prüfsumme seines Abschnitts der Geschichte.
   Each checkpoint names the hash of its stretch of the history.

{}

5. Eine einzelne Mail, so wie sie exportiert wurde: ihre Prüfsumme steht in der
   Geschichte. Die Zeile nennt die Aktennummer. Der Kontrollpunkt mit der Nummer
   der Datei beweist, dass sie damals im Archiv war.
   One mail as it was exported: its hash stands in the history. The line names
   the number of the document. The checkpoint with the number of the file proves
   that it was in the archive then.

{}

6. Wer Macht über die Box hat, könnte alles ersetzen und neu unterschreiben. Das
   fällt auf, wenn jemand anderswo einen Kontrollpunkt oder seine Prüfsumme
   aufbewahrt hat (die Seite «Journal und Nachweis» zeigt sie): Kommt sie hier vor, ist alles
   davor unverändert.
   Whoever has power over the box could replace everything and sign it anew. It is
   noticed where somebody kept a checkpoint or its hash elsewhere (the page
   \"Journal and proof\" shows it): where it occurs here, nothing before it was changed.

{}


Die Geschichte (history), eine Zeile je Ereignis. The history, one line each:

  commit NUMBER TIME LINK       ein Eintrag des Archivs und das Glied der Kette bis
                                dahin / an entry of the archive, and the link of
                                the chain up to it
  document NUMBER SHA256 BYTES  eine neue Akte / a new document
  variant NUMBER SHA256 BYTES   dieselbe Akte, anders übermittelt / the same
                                document, sent in another form
  ended NUMBER term|erased      gelöscht: nach der Frist, oder vorher von zwei
                                Personen / deleted: after its term, or before by
                                two persons
  blocked|unblocked NUMBER      gesperrt, freigegeben / blocked, no longer blocked
  event TIME WHO WHAT …         das Journal / the journal

Zeiten sind in UTC, nach der Uhr der Box. Inhalte, Absender, Empfänger und Titel
von Mails stehen nicht darin. Die letzte Zeile «commit» eines Abschnitts nennt das
Glied, das auch der Kontrollpunkt nennt, und das hinter diesem Eintrag in den
Archivdateien steht: So beweist ein Kontrollpunkt auch jede Kopie der Archivdateien.

Times are in UTC, by the clock of the box. Contents, senders, recipients and titles
of mails are not in it. The last line \"commit\" of a stretch names the link that the
checkpoint names too, and that stands behind this entry in the archive's files: so a
checkpoint proves any copy of these files as well.

Steht hier eine Datei PROBLEMS.txt, so passten diese Kontrollpunkte beim Export
nicht zum Archiv. Where there is a file PROBLEMS.txt, these checkpoints did not fit
the archive when it was exported.
",
        block(1, files),
        block(2, signatures),
        block(3, chain),
        block(4, histories),
        block(5, MAIL),
        block(6, KEPT),
    )
}

/// `verify.sh`: ends with 1 where something is wrong.
pub fn script() -> String {
    format!(
        "\
#!/bin/sh
# Steps 1 to 4 of README.txt, one after the other.
cd \"$(dirname \"$0\")\" || exit 1
wrong=$({{
{}}} 2>&1)
if [ -n \"$wrong\" ]; then
  echo \"$wrong\"
  exit 1
fi
echo \"Everything is as it was signed. Alles ist, wie es unterschrieben wurde.\"
",
        STEPS.concat()
    )
}
