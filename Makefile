# SPDX-License-Identifier: Apache-2.0
# Thin front of CMake: each target does all the set-up it needs.
PRESET ?= release
BUILD := build/$(PRESET)

.PHONY: all setup build test check demo bench install clean

all: build

setup:
	@scripts/setup

build: setup
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@cmake --build $(BUILD)

test: build
	@ctest --test-dir $(BUILD) -L '^test$$' --output-on-failure -j2

check: build
	@scripts/check-docs
	@scripts/check-refusals
	@ctest --test-dir $(BUILD) --output-on-failure -j2
	@scripts/check-ct
	@scripts/fuzz-smoke

demo: build
	@demos/private-call $(BUILD)
	@demos/group $(BUILD)
	@python3 demos/page.py --index demo-out

bench: build
	@$(BUILD)/bin/mcx bench

install: build
	@cmake --install $(BUILD)

clean:
	@rm -rf build
