# What can be done with this tree. Everything that is made lands in target/.

TOOLS := target/tools
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)

# What is built once is not built again in steps.
ifdef CI
export CARGO_INCREMENTAL := 0
endif

.DEFAULT_GOAL := help
.PHONY: help binary image image-twice image-program disks box-tools unit-tests firmware run screenshots check check-firmware test test-box test-static tools bench-archive bench-search bench-rights bench-fetch bench-graph bench-profile bench-web bench-box fuzz soak-graph
# One after the other: two cores are busy with one build.
.NOTPARALLEL:

help: ## This list
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 14

binary: ## The program for this machine: target/release/archivista. ARCH=x86_64|aarch64: the static one, target/box/ARCH/archivista
ifdef ARCH
	@tests/tools/install.sh $(BUILD_PACKAGES) $(STATIC_PACKAGES)
	board/common/static/binary.sh $(ARCH)
else
	cargo build --release
endif

# To look at

PORT := 8443

run: ## Archive a sample company from a simulated Microsoft 365, and serve it at https://localhost:8443 (PORT=8443)
	@tests/tools/install.sh $(BUILD_PACKAGES) python3
	cargo build --package archivista --package simulator
	@tests/tools/run.py --port $(PORT) target/debug/archivista target/debug/simulator target/run

screenshots: ## Take the pictures of README and handbook from the sample company; writes docs/pictures/ and docs/handbook/pictures/
	@tests/tools/install.sh $(BUILD_PACKAGES) python3
	@tests/tools/browser/install.sh $(TOOLS)
	cargo build --package archivista --package simulator
	tests/tools/run.py --port $(PORT) --flow tests/browser/flows/pictures.mjs target/debug/archivista target/debug/simulator target/pictures

# The box

# The release of Debian that the kernel, BusyBox and GRUB come from.
SUITE := bookworm
IMAGE_ARCH = $(or $(ARCH),x86_64)
# Another program to put into the image than the one of `make binary`.
PROGRAM =
image image-twice: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)

image: image-program ## The image of the box, ARCH=x86_64 or aarch64: target/box/ARCH/archivista-box-ARCH.*
	board/common/release.sh $(IMAGE_ARCH) $(SUITE) $(or $(PROGRAM),target/box/$(IMAGE_ARCH)/archivista) target/box/$(IMAGE_ARCH)

image-twice: image-program ## Make the image twice, and compare every byte
	board/common/twice.sh $(IMAGE_ARCH) $(SUITE) $(or $(PROGRAM),target/box/$(IMAGE_ARCH)/archivista) target/box/twice

# What virtual machines start from. Much of a program's build is the work of one thread: they are built side by side.
disks:
	@$(MAKE) --no-print-directory binary ARCH=x86_64 & $(MAKE) --no-print-directory binary ARCH=aarch64 && wait $$!
	@for arch in x86_64 aarch64; do $(MAKE) --no-print-directory image ARCH=$$arch DISK_ONLY=1 || exit; done

image-program:
	@tests/tools/install.sh $(IMAGE_PACKAGES)
	$(if $(PROGRAM),,@$(MAKE) --no-print-directory binary ARCH=$(IMAGE_ARCH))

# BUILDROOT=DIR names a tree of Buildroot; without it, the release named in board/common/firmware.sh is cloned.
export BUILDROOT
firmware: ## The same image, all built from source with Buildroot: target/firmware/ARCH/images
	@tests/tools/install.sh $(FIRMWARE_PACKAGES)
	board/common/firmware.sh $(IMAGE_ARCH) "$(BUILDROOT)" target/firmware/$(IMAGE_ARCH)

# To trust

# Form first: it takes a second.
unit-tests:
	@tests/tools/install.sh $(BUILD_PACKAGES)
	cargo fmt --all --check
	tests/tools/run_tests.sh target/unit-tests.log --workspace --lib --bins

check: ## Form, lints, unit tests, licences and bans: what every commit passes
	@tests/tools/install.sh $(BUILD_PACKAGES)
	@tests/tools/cargo_deny.sh $(TOOLS)
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	@$(MAKE) --no-print-directory unit-tests
	cargo deny check bans licenses sources

check-firmware: ## BUILDROOT=DIR: buildroot/ against a real Buildroot; LINUX=DIR: the kernel's fragments against a real Linux
	@[ -z "$(BUILDROOT)$(LINUX)" ] || tests/tools/install.sh $(FIRMWARE_PACKAGES) shellcheck
	@LINUX="$(LINUX)" tests/tools/check_firmware.sh $(TOOLS) target/check-firmware

test: tools box-tools unit-tests disks ## Unit tests, then every promise against the real program, a real mail server and the image
	tests/tools/run_tests.sh target/promises.log --workspace --test '*'
	@tests/tools/closing_line.sh target/unit-tests.log target/promises.log

test-box: tools box-tools disks ## The image in virtual machines: every firmware and disk, lost slots, hung programs, pulled plugs
	TEST_THREADS=2 tests/tools/run_tests.sh target/test-box.log --test box -- --include-ignored --skip figures::bench $(BOX)

test-static: $(addprefix test-static-,$(or $(ARCH),x86_64 aarch64)) ## Some quick promises against the static programs, aarch64 under QEMU

test-static-%:
	@$(MAKE) --no-print-directory binary ARCH=$*
	tests/tools/static_promises.sh $* target/static-$*.log

bench-archive: ## Archive 100,000 office mails, 6,046 real ones and a million small ones; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) python3 time
	@tests/tools/mail_corpus.sh $(TOOLS)
	cargo build --release --package archivista --package archive-bench
	tests/bench/archive.py $(BENCH)

bench-search: ## Index a million letters and ask 10,000 questions, 200,000 of them side by side with notmuch; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) notmuch python3 python3-notmuch2 time
	cargo build --release --package archivista --package archive-bench
	tests/bench/search.py $(BENCH)

bench-rights: ## What the time of a search tells somebody who may read one mailbox of 200; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) python3 time
	cargo build --release --package archivista --package archive-bench
	tests/bench/rights.py $(BENCH)

bench-fetch: ## Fetch a mailbox side by side with mbsync, getmail6, offlineimap3 and fetchmail; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) $(MAIL_SERVER_PACKAGES) fetchmail getmail6 isync offlineimap3 time
	cargo build --release
	tests/bench/fetch.py $(BENCH)

bench-graph: ## Fetch 5,000 mails side by side with python O365, and 50 mailboxes that are throttled; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) python3 time
	@tests/tools/python.sh $(TOOLS) o365
	cargo build --release --package archivista --package simulator
	tests/bench/graph.py $(BENCH)

bench-profile: ## Where the time of a fetch goes: fetch, hash, parse, compress, sync, commit; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) $(MAIL_SERVER_PACKAGES) linux-perf strace
	cargo build --profile profiling
	cargo build --release --package simulator
	tests/bench/profile.py $(BENCH)

MACHINE := $(shell uname -m)

bench-web: ## Memory of serve over 10,000 requests, and a page of results of 100,000 documents: of the static program, as it is shipped
	@$(MAKE) --no-print-directory binary ARCH=$(MACHINE)
	ARCHIVISTA_BINARY=$(CURDIR)/target/box/$(MACHINE)/archivista \
		cargo test --test promises -- ten_thousand_requests --include-ignored --nocapture --test-threads 1

bench-box: tools box-tools disks ## Memory of the box idle and fetching, and time to the first page, in virtual machines
	cargo test --test box -- --ignored --nocapture --test-threads 1 figures::bench

# Seconds for each target.
FUZZ := 300

fuzz: ## Fuzz pack reader, splitter, joiner, MIME head, attachments and queries, FUZZ=300 seconds each
	@tests/tools/install.sh $(BUILD_PACKAGES) g++
	@tests/tools/mail_corpus.sh $(TOOLS)
	tests/tools/fuzz.sh target/fuzz $(FUZZ)

soak-graph: ## Archive 200,000 mails through faults and kills; writes docs/benchmarks.md
	@tests/tools/install.sh $(BUILD_PACKAGES) python3 time
	cargo build --release --package archivista --package simulator
	tests/soak/graph.py $(SOAK)

# What that needs

BUILD_PACKAGES := gcc libc6-dev
FIRMWARE_PACKAGES := bc binutils bison bzip2 cpio diffutils file findutils flex g++ gcc git gzip libc6-dev libmagic1 make patch perl python3 \
	qemu-utils rsync sed tar unzip wget xz-utils
IMAGE_PACKAGES := cpio dosfstools e2fsprogs genimage grub-common kmod mtools python3 qemu-utils squashfs-tools xz-utils zstd
BOX_PACKAGES := e2fsprogs fdisk gdisk grub-common mtools openssl ovmf qemu-efi-aarch64 qemu-system-arm qemu-system-x86 socat \
	squashfs-tools xz-utils
STATIC_PACKAGES := binutils python3 util-linux
# Mail servers cannot be installed beside each other: of two, the packages are unpacked, and what they are linked with is installed.
MAIL_SERVER_LIBRARIES := libclamav12 libcourier-unicode4 libgamin0 libgdbm6 libical3 libidn12 libjansson4 libldap-2.5-0 libltdl7 libpcre3 libpq5 \
	libsasl2-modules libsasl2-modules-db libwrap0 libxapian30 libzephyr4
MAIL_SERVER_PACKAGES := dovecot-imapd openssl python3 util-linux $(MAIL_SERVER_LIBRARIES)
CYRUS_PACKAGES := cyrus-common cyrus-imapd sasl2-bin
COURIER_PACKAGES := courier-authdaemon courier-authlib courier-authlib-userdb courier-base courier-imap
NETWORK_PACKAGES := busybox-static iproute2
NEIGHBOUR_PACKAGES := avahi-daemon chrony iproute2 python3-zeroconf util-linux
# What a printed page holds.
PRINT_PACKAGES := poppler-utils
# What Debian's own tools make of disks, to compare with.
DISK_PACKAGES := e2fsprogs fdisk gdisk grub-common mtools

box-tools:
	@tests/tools/install.sh $(BUILD_PACKAGES) $(STATIC_PACKAGES) $(IMAGE_PACKAGES) $(BOX_PACKAGES)

tools: ## Install what the tests need: Debian packages, python O365, schemathesis, Chromium, 6,046 real mails
	@tests/tools/install.sh $(BUILD_PACKAGES) $(MAIL_SERVER_PACKAGES) $(NETWORK_PACKAGES) $(NEIGHBOUR_PACKAGES) $(DISK_PACKAGES) $(PRINT_PACKAGES)
	@tests/tools/unpack.sh $(TOOLS)/cyrus $(CYRUS_PACKAGES)
	@tests/tools/unpack.sh $(TOOLS)/courier $(COURIER_PACKAGES)
	@tests/tools/mail_corpus.sh $(TOOLS)
	@tests/tools/python.sh $(TOOLS) o365
	@tests/tools/python.sh $(TOOLS) schemathesis
	@tests/tools/browser/install.sh $(TOOLS)
