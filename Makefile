# moonq. Every target makes $(VENV) when it is missing or older than what it is made of.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What depends on the Python it runs on: threads, stacks, sockets, C code.
PART := tests/sandbox tests/drivers tests/host/control tests/host/console \
  $(addprefix tests/host/test_,cli.py cli_end.py cli_fuzz.py delivery.py json_in.py \
  log.py outlet.py reload.py supervisor.py until_idle.py) \
  $(addprefix --ignore tests/drivers/test_,invariants.py foreign.py fast_clock.py limited.py \
  amqp.py amqp_faults.py amqp_losses.py sqs.py sqs_contract.py handlers.py moves.py changing.py)
export PATH := $(CURDIR)/.tools/node_modules/.bin:$(PATH)

LUA_DIRS := lua stdlib tests examples host/moonq/scaffold host/moonq/drivers/redis/scripts

.DEFAULT_GOAL := help
.PHONY: help run test test-part lint lint-python lint-lua format bench soak docs capabilities actions tools tools-emmylua clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## Publish real tasks to the first example, handle them, end
	$(BIN)/moonq run examples/seed --call app.queue:publish_tasks --until-idle
	@printf '\nnext:\n'
	@printf '  %-26s  %s\n' \
	  '. $(BIN)/activate' 'moonq is in $(abspath $(BIN)): now it is in your PATH' \
	  'moonq new ~/shop' 'a project of your own' \
	  'cd ~/shop' '' \
	  'moonq test' 'its test' \
	  'moonq run' 'its queue; Ctrl-C ends it' \
	  'moonq guide getting-started' 'ten minutes that show the rest'

test: $(READY) ## Run the tests
	$(BIN)/pytest -m "not slow"

test-part: $(READY) ## Run the tests that depend on the Python; see VENV and PYTHON
	$(BIN)/pytest -m "not slow" $(PART)

soak: $(READY) ## Run the long tests
	$(BIN)/python -m pip install --quiet --group soak
	$(BIN)/pytest -m slow

lint: lint-python lint-lua ## Check style and types, Python and Lua

lint-python: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-lua:
	@.ci/has luacheck "apt-get install lua-check (or luarocks install luacheck)"
	@.ci/has stylua "make tools (needs npm)"
	luacheck --quiet $(LUA_DIRS)
	stylua --check $(LUA_DIRS)

format: $(READY) ## Let ruff and stylua write the layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@.ci/has stylua "make tools (needs npm)"
	stylua $(LUA_DIRS)

bench: $(READY) ## Measure speed
	@set -e; for bench in tests/bench/*_bench.py; do $(BIN)/python $$bench; done

docs: $(READY) ## Write the pages of the manual that come from the code
	$(BIN)/python -m moonq.reference

capabilities: $(READY) ## Print what each driver can do
	@$(BIN)/python -m moonq.drivers.capabilities

actions: $(READY) ## Print the actions that policies know
	@$(BIN)/python -c "from moonq.run.security import actions; print(actions.table())"

tools-emmylua: ## Build emmylua_check into .tools, which the tests of editors ask (needs cargo)
	command -v emmylua_check || test -x .tools/bin/emmylua_check || \
	  nice cargo install --quiet --locked emmylua_check@0.25.1 --root .tools

tools: ## Install stylua into .tools
	npm install --silent --no-audit --no-fund --prefix .tools @johnnymorganz/stylua-bin@2

clean: ## Remove what was made
	rm -rf .venv .venv-* .tools dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip learned --group in 25.1. Installing compiles what is in C.
$(READY): pyproject.toml host/build_hook.py host/moonq/sandbox/native/json.c
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@
