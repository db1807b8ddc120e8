# What can be done with this tree. Everything that is made lands in target/.

TOOLS := target/tools
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help binary run screenshots check test tools bench-fetch bench-graph bench-web soak-graph
# One after the other: two cores are busy with one build.
.NOTPARALLEL:

help: ## This list
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 14

binary: ## The program for this machine: target/release/archivista
	cargo build --release

# To look at

PORT := 8443

run: ## Archive a sample company from a simulated Microsoft 365, and serve it at https://localhost:8443 (PORT=8443)
	@tests/tools/install.sh $(BUILD_PACKAGES) python3
	cargo build --package archivista --package simulator
	@tests/tools/run.py --port $(PORT) target/debug/archivista target/debug/simulator target/run

screenshots: ## Take the pictures of the README from the sample company; writes docs/pictures/
	@tests/tools/install.sh $(BUILD_PACKAGES) python3
	@tests/tools/browser/install.sh $(TOOLS)
	cargo build --package archivista --package simulator
	tests/tools/run.py --port $(PORT) --flow tests/browser/flows/pictures.mjs target/debug/archivista target/debug/simulator target/pictures

# To trust

check: ## Form, lints, unit tests, licences and bans: what every commit passes
	@tests/tools/install.sh $(BUILD_PACKAGES)
	@tests/tools/cargo_deny.sh $(TOOLS)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	tests/tools/run_tests.sh target/unit-tests.log --workspace --lib --bins
	cargo deny check bans licenses sources

test: tools check ## All of check, then every promise against the real program and a real mail server
	tests/tools/run_tests.sh target/promises.log --workspace --test '*'
	@tests/tools/closing_line.sh target/unit-tests.log target/promises.log

bench-fetch: ## Fetch a mailbox side by side with mbsync; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) $(MAIL_SERVER_PACKAGES) isync time
	cargo build --release
	tests/bench/fetch.py $(BENCH)

bench-graph: ## Fetch 5,000 mails side by side with python O365; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) python3 time
	@tests/tools/o365/install.sh $(TOOLS)
	cargo build --release --package archivista --package simulator
	tests/bench/graph.py $(BENCH)

bench-web: ## Memory of serve over 10,000 requests, as it is shipped
	@tests/tools/install.sh $(BUILD_PACKAGES)
	cargo test --release --test promises -- ten_thousand_requests --nocapture

soak-graph: ## Archive 200,000 mails through faults and kills; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) python3 time
	cargo build --release --package archivista --package simulator
	tests/soak/graph.py $(SOAK)

# What that needs

BUILD_PACKAGES := gcc libc6-dev
MAIL_SERVER_PACKAGES := dovecot-imapd openssl python3 util-linux

tools: ## Install what the tests need: Debian packages, cargo-deny, python O365, Chromium, 6,046 real mails
	@tests/tools/install.sh $(BUILD_PACKAGES) $(MAIL_SERVER_PACKAGES)
	@tests/tools/cargo_deny.sh $(TOOLS)
	@tests/tools/mail_corpus.sh $(TOOLS)
	@tests/tools/o365/install.sh $(TOOLS)
	@tests/tools/browser/install.sh $(TOOLS)
