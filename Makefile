# make run    build and serve this host on https://127.0.0.1:5986/wsman
# make test   every check: format, lints, docs, unit and end-to-end tests, a few seconds of fuzzing
# make fuzz   fuzzing, each target for SECONDS_EACH seconds
# make soak   server and worker are killed KILLS times at random moments, and nothing may be lost (SOAK_SEED=N repeats a run)
# make bench  the figures, one line each
# make screenshots  the pictures of README.md, in docs/screenshots
# make gallery  every page for browsers as a picture, in TARGET/tmp/gallery
# make packages  a .deb and an .rpm in PACKAGES

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: run test fuzz soak bench screenshots gallery packages build check-format check-lints check-docs check-tests check-fuzz build-needs \
    test-needs fuzz-needs bench-needs packages-needs clean

# Where the server keeps its store, certificate and users.
ifeq ($(shell id -u),0)
STATE ?= /var/lib/quartermaster
else
STATE ?= $(HOME)/.local/state/quartermaster
endif
LISTEN ?= 127.0.0.1:5986
SECONDS_EACH ?= 300
KILLS ?= 300
PACKAGES ?= packages

# What is tested and packed. `make run` and `make bench` do without.
FEATURES := --features kerberos

BUILD_PACKAGES := gcc libc6-dev libssl-dev pkg-config
FEATURE_PACKAGES := libclang-dev libkrb5-dev
TEST_PACKAGES  := apt-utils chromium chromium-driver createrepo-c curl debootstrap dnf dpkg-dev faketime krb5-admin-server \
    krb5-kdc krb5-user libxml2-utils openssl procps python3 python3-dev python3-venv rpm systemd uuid-runtime wsl
FUZZ_PACKAGES  := g++
VENV           := .venv
VENV_STAMP     := $(VENV)/.complete

run: build-needs
	cargo build --release --locked
	exec "$$(scripts/target-directory)/release/quartermaster" serve --listen $(LISTEN) --state-dir "$(STATE)"

test: test-needs
	$(MAKE) --no-print-directory check-format check-lints check-docs check-tests check-fuzz

check-format:
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml

check-lints:
	cargo clippy --locked -- -D warnings
	cargo clippy --locked $(FEATURES) --all-targets -- -D warnings

check-docs:
	RUSTDOCFLAGS=-Dwarnings cargo doc --locked $(FEATURES) --no-deps --document-private-items

check-tests:
	cargo test --locked $(FEATURES)

check-fuzz:
	scripts/fuzz 5

fuzz: fuzz-needs
	scripts/fuzz $(SECONDS_EACH)

soak: test-needs
	SOAK_KILLS=$(KILLS) cargo test --locked $(FEATURES) --test soak -- --nocapture

screenshots: test-needs
	cargo test --locked $(FEATURES) --test page_walk -- --ignored screenshots

gallery: test-needs
	cargo test --locked $(FEATURES) --test page_walk -- --ignored gallery

bench: bench-needs
	cargo bench --locked --bench figures

packages: packages-needs
	cargo build --release --locked $(FEATURES)
	cargo run --quiet --locked $(FEATURES) --example reference_pages -- "$$(scripts/target-directory)/reference-pages"
	@scripts/packages --binary "$$(scripts/target-directory)/release/quartermaster" \
	    --pages "$$(scripts/target-directory)/reference-pages" --output "$(PACKAGES)"

build-needs:
	@scripts/debian-needs $(BUILD_PACKAGES)

test-needs:
	@scripts/debian-needs $(BUILD_PACKAGES) $(FEATURE_PACKAGES) $(TEST_PACKAGES) $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory $(VENV_STAMP)
	@scripts/debian-root "$$(scripts/target-directory)/debian-root.tar"

packages-needs: build-needs
	@scripts/debian-needs $(FEATURE_PACKAGES) binutils dpkg-dev git rpm

fuzz-needs:
	@scripts/debian-needs $(BUILD_PACKAGES) $(FUZZ_PACKAGES)

bench-needs: build-needs
	@scripts/debian-needs chromium chromium-driver coreutils curl dpkg-dev gzip procps rpm unzip
	@scripts/nginx-for-bench

# Debian's own Python: the packages above belong to it, whatever other Python the PATH leads to.
$(VENV_STAMP): tests/python/requirements.txt
	rm -rf $(VENV)
	$(if $(wildcard /usr/bin/python3),/usr/bin/python3,python3) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

clean:
	cargo clean
	rm -rf $(VENV)
