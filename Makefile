# The commands of the README. Options: make storm ARGS="..."

PYTHON ?= python3
TOX = build/venv/bin/tox
CHECKS = pep8 tools unit unit-threads functional functional-threads locks locks-threads unpatched
comma := ,
empty :=
space := $(empty) $(empty)

.PHONY: storm test cloud cloud-shell packages packages-cloud clean

storm: $(TOX)
	@$(TOX) run -e storm -- $(ARGS)

test: $(TOX) packages
	@rm -rf build/results
	-@$(TOX) run -e $(subst $(space),$(comma),$(CHECKS))
	@.tox/tools/bin/python -m tools.checks sum $(CHECKS)

cloud: $(TOX) packages-cloud
	@$(TOX) run -e cloud -- $(ARGS)

# Not by tox, which stands between a shell and its terminal.
cloud-shell: $(TOX) packages-cloud
	@$(TOX) run -q -e cloud --notest
	@.tox/cloud/bin/python -m tools.checks trees
	@.tox/cloud/bin/python -m tools.cloud --shell $(ARGS)

# The servers of bindep.txt. A test whose server is missing fails and says so.
packages: PROFILE = test
packages-cloud: PROFILE = cloud
packages-cloud: OPTIONS = --no-install-recommends
packages packages-cloud: $(TOX)
	@missing=$$(build/venv/bin/bindep --brief $(PROFILE)); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing $$missing" >&2; \
	    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qy $(OPTIONS) $$missing >/dev/null; \
	elif [ -n "$$missing" ]; then \
	    echo "Missing packages, install them for what needs them: $$missing" >&2; \
	fi

clean:
	rm -rf build .tox

$(TOX):
	@command -v git >/dev/null || { echo "git is missing: apt-get install git"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing tox into build/venv" >&2
	@rm -rf build/venv
	@$(PYTHON) -m venv build/venv
	@build/venv/bin/python -m pip install --quiet 'tox>=4.11,<5' 'tox-uv>=1.11,<2' 'bindep>=2.11,<3' || { rm -rf build/venv; echo "tox cannot be installed: is PyPI within reach?"; exit 1; }
