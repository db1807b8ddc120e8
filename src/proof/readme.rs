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
    let commands = STEPS.into_iter().chain([MAIL, KEPT]);
    (1..).zip(commands).fold(include_str!("readme.txt").to_owned(), |text, (number, commands)| {
        text.replacen(&format!("[{number}]"), &format!("# --- begin {number} ---\n{commands}# --- end {number} ---"), 1)
    })
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
