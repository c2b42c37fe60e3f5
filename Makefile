# Margay's front door. Each target installs what it needs (Debian 12) and says what it does.
.PHONY: help build test lab bench lint fuzz clean

JOBS ?= $(shell nproc)

help:
	@echo 'make build   release binaries in build/bin'
	@echo 'make lab     build, then run the main job on this machine and show it'
	@echo 'make test    build, then run every test (release, sanitizers); ends with the summary of ctest'
	@echo 'make bench   benchmarks as a table'
	@echo 'make lint    clang-tidy over everything (scripts/lint --help: some folders, what changed)'
	@echo 'make fuzz    libFuzzer targets in build/fuzz/bin; scripts/fuzz runs them (test/fuzz/README.md)'
	@echo 'make clean   remove build/'

build:
	@scripts/install-deps build
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS) --target programs
	@ln -sfn release/bin build/bin
	@echo "built: $$(ls build/bin | tr '\n' ' ')in build/bin"

lab: build
	@scripts/lab

test:
	@scripts/install-deps test
	@scripts/test -j $(JOBS)

bench:
	@scripts/install-deps test
	@scripts/bench -j $(JOBS)

lint:
	@scripts/install-deps test
	@cmake --preset lint > /dev/null
	@scripts/lint -j $(JOBS)

fuzz:
	@scripts/install-deps test
	@cmake --preset fuzz
	@cmake --build --preset fuzz -j $(JOBS) --target fuzzers

clean:
	rm -rf build
