################################################################################
#
# archivista
#
################################################################################

ARCHIVISTA_SITE = $(BR2_EXTERNAL_ARCHIVISTA_PATH)/..
ARCHIVISTA_SITE_METHOD = local
ARCHIVISTA_LICENSE = Apache-2.0
ARCHIVISTA_LICENSE_FILES = LICENSE
# legal-info copies a local tree without the exclusions below: it would take target/ along.
ARCHIVISTA_REDISTRIBUTE = NO

# What cargo reads, and nothing else: target/ may hold this very build.
ARCHIVISTA_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--include=/Cargo.lock --include=/Cargo.toml --include=/LICENSE \
	--include='/src/***' \
	--include=/tests --include='/tests/simulator/***' --include=/tests/bench --include='/tests/bench/archive/***' \
	--exclude='/tests/bench/*' --exclude='/tests/*' --exclude='/*'

# The profile is our own (Cargo.toml), not Buildroot's, which speaks of release and dev only.
ARCHIVISTA_CARGO_PROFILE = box
ARCHIVISTA_RUSTFLAGS = \
	-C target-feature=+crt-static \
	--remap-path-prefix=$(@D)=/archivista
ARCHIVISTA_CARGO_ENV = \
	CARGO_TARGET_$(call UPPERCASE,$(RUSTC_TARGET_NAME))_RUSTFLAGS="$(ARCHIVISTA_RUSTFLAGS)"

# A local tree is not downloaded, and Buildroot vendors crates after the download only. Not before this step is cargo there.
define ARCHIVISTA_VENDOR_CRATES
	mkdir -p $(@D)/.cargo $(BR_CARGO_HOME)
	cd $(@D) && \
	$(HOST_MAKE_ENV) $(PKG_COMMON_CARGO_ENV) \
		flock $(BR_CARGO_HOME)/.br-lock \
		cargo vendor --locked VENDOR > .cargo/config.toml
endef
ARCHIVISTA_PRE_CONFIGURE_HOOKS += ARCHIVISTA_VENDOR_CRATES

define ARCHIVISTA_BUILD_CMDS
	cd $(@D) && \
	$(TARGET_MAKE_ENV) \
		$(TARGET_CONFIGURE_OPTS) \
		$(filter-out CARGO_PROFILE_%,$(PKG_CARGO_ENV)) \
		$(ARCHIVISTA_CARGO_ENV) \
		cargo build \
			--offline \
			--locked \
			--bin archivista \
			--profile $(ARCHIVISTA_CARGO_PROFILE)
endef

define ARCHIVISTA_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 \
		$(@D)/target/$(RUSTC_TARGET_NAME)/$(ARCHIVISTA_CARGO_PROFILE)/archivista \
		$(TARGET_DIR)/usr/bin/archivista
endef

$(eval $(cargo-package))
