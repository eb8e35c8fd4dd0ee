# Each target does all of its own set-up in .venv; only Python 3.11+ and make are needed.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python tools/install.py
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-emit-index-url \
	--custom-compile-command "make lock" pyproject.toml
PYTEST := $(BIN)/python -m pytest
# RETRY=1 runs the failed tests once more, alone: an option for a busy machine. CI never repeats a test, so a flaky test fails there.
RETRY ?=
ALONE := --last-failed --last-failed-no-failures none

# Containers often set this variable. Without the written files, each of the workers compiles and rewrites all tests again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo setup test check hooks coverage test-slow mutation soak lint types tests campaign red run doctor bench lock dist docs source test-modules test-all wheels image catalogues pictures screenshots clean

demo: .venv/.demo  ## The whole bot against local stand-ins, with a chat page; no account, no key. ARGS="--port-base 9000"
	$(BIN)/python -m bot demo $(ARGS)

setup: .venv/.run  ## Ask for the token, the key and the daily budget, try them, and write .env
	$(BIN)/python -m bot setup

run: .venv/.run  ## The real bot, with the .env that make setup writes
	$(BIN)/python -m bot run

test: .venv/.dev  ## Style, types, layers and tests; what takes longer is in test-slow
	$(MAKE) -j 3 lint types test-modules
	$(MAKE) tests

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m tools.doc_links
	$(BIN)/python -m tools.source --check
	$(BIN)/zensical build --clean --strict
	$(BIN)/actionlint -shellcheck= -pyflakes=
	$(BIN)/zizmor --offline --quiet .github
	rm -rf .cache/dist && $(BIN)/hatchling build -d .cache/dist && $(BIN)/twine --no-color check --strict .cache/dist/*

types: .venv/.dev
	$(BIN)/mypy

test-modules: .venv/.dev
	@# pytest rewrites each test module at its first import. Otherwise each of the five workers does so.
	$(PYTEST) --collect-only -qq >/dev/null

check: .venv/.dev  ## FILE=bot/media/sniff.py: format, lint, types and the tests of one module, in seconds
	$(BIN)/python -m tools.check $(FILE)

hooks:  ## Check the format and the style of each commit before it is made
	git config core.hooksPath tools/hooks

# A file's tests share a bot, so they stay together; those that wait in real time come first, and
# short ones last, so that all workers end at about the same time. Five keep two cores busy.
QUICK := -m "not campaign and not slow and not long"
SLOW := --hypothesis-profile=thorough -m "(campaign or slow or hypothesis) and not long"

tests: .venv/.dev
	$(PYTEST) -n 5 --dist loadfile --no-loadscope-reorder $(QUICK)$(if $(RETRY), || $(PYTEST) $(ALONE) $(QUICK))

coverage: .venv/.dev  ## That the tests of make test run 95 % of the code; to measure it takes twice their time
	$(PYTEST) --cov -n 5 --dist loadfile --no-loadscope-reorder $(QUICK)$(if $(RETRY), || \
		$(PYTEST) --cov --cov-append $(ALONE) $(QUICK))

test-slow: .venv/.dev  ## What takes longer: hundreds of kills, long outages, all languages and examples
	$(PYTEST) -n 2 --dist worksteal $(SLOW)$(if $(RETRY), || $(PYTEST) $(ALONE) $(SLOW))

mutation: .venv/.dev  ## Break rules and money in small ways, one at a time; each must fail a test. ARGS="bot/outbox --some 50"
	$(BIN)/python -m tools.mutation $(ARGS)

campaign: .venv/.dev  ## What takes ten minutes and more each
	$(BIN)/python -m pytest -n 2 --dist load -m long

red: .venv/.dev  ## BASE=<commit>: the flows written since then fail on its bot, and pass on today's
	$(BIN)/python -m tools.red $(BASE) $(ARGS)

SEEDS ?= 20
soak: .venv/.dev  ## Weeks of the bot's life in minutes, with all that can go wrong; PLANT=name, or all, puts mistakes in that must be found; MEET=1 lets features meet
	$(BIN)/python -m tests.soak $(if $(PLANT),--plant $(PLANT),$(if $(MEET),--meet) --seeds $(SEEDS)) $(if $(REPLAY),--replay)

doctor: .venv/.dev  ## What the stand-ins believe, tried on the real services; ARGS="--live": names the credits, and asks
	$(BIN)/python -m tools.doctor $(ARGS)

bench: .venv/.dev  ## The figures of docs/figures.md
	$(BIN)/python -m benchmarks all

lock: .venv/.dev  ## Resolve all locks together: what is tested is what runs, and what builds it
	$(LOCK) --all-extras --group dev --output-file requirements/dev.txt
	$(LOCK) --extra postgres --extra speed --constraint requirements/dev.txt --output-file requirements/run.txt
	$(LOCK) --extra postgres --extra speed --extra sandbox --constraint requirements/dev.txt --output-file requirements/demo.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		requirements/build.in --constraint requirements/dev.txt --output-file requirements/build.txt

dist: .venv/.dev  ## The wheel and the sdist as they are published: what builds them is pinned by its hash
	rm -rf dist
	$(BIN)/uv build --quiet --build-constraints requirements/build.txt --require-hashes --out-dir dist
	$(BIN)/twine --no-color check --strict dist/*

docs: .venv/.dev  ## The documentation as a site, in site/; a link that leads nowhere fails
	$(BIN)/zensical build --clean --strict

source: .venv/.dev  ## Write where the project lives, [project.urls] Source, into README, compose.yaml and the docs
	$(BIN)/python -m tools.source

test-all: .venv/.dev  ## The tests on every supported Python that is installed; ARGS go to pytest
	$(BIN)/python -m tools.test_all $(ARGS)

wheels: .venv/.dev  ## Whether each locked package has a wheel for amd64 and arm64
	$(BIN)/python -m tools.wheels

image: .venv/.dev  ## Build the real image here and start it: buildah, and a Debian that stands in for the Python image
	$(BIN)/python -m tools.image

catalogues: .venv/.dev  ## Bring what the code says into every catalogue
	$(BIN)/python -m tools.catalogues update

pictures: .venv/.dev  ## Every message in every language as a picture of the chat page, for translators; ARGS="--language ru"
	$(BIN)/python -m tools.pictures $(ARGS)

screenshots: .venv/.dev  ## The README's pictures of the chat page, made anew from the demo
	$(BIN)/python -m tools.screenshots

clean:
	rm -rf .venv .cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Storybell needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python lacks venv: sudo apt install python3-venv (Debian, Ubuntu)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: requirements/run.txt | .venv/bin/python
	$(INSTALL) requirements/run.txt
	touch $@

.venv/.demo: requirements/demo.txt | .venv/bin/python
	$(INSTALL) requirements/demo.txt
	touch $@

.venv/.dev: requirements/dev.txt | .venv/bin/python
	$(INSTALL) requirements/dev.txt
	touch $@ .venv/.demo .venv/.run
