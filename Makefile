# The commands of README.md.  Options: make storm ARGS="..."

PYTHON ?= python3
VENV = build/venv
TOX = $(VENV)/bin/tox
RUN = $(VENV)/bin/python -m tools.checks.run

.PHONY: storm test check ci cloud cloud-shell venv packages packages-cloud clean

storm: venv
	@$(TOX) run -e storm -- $(ARGS)

test: venv packages
	@$(RUN) test

check ci: venv packages packages-cloud
	@$(RUN) $@

cloud: venv packages-cloud
	@$(TOX) run -e cloud -- $(ARGS)

# Without tox, which stands between a shell and its terminal.
cloud-shell: venv packages-cloud
	@$(TOX) run -q -e cloud --notest
	@.tox/cloud/bin/python -m tools.checks trees
	@.tox/cloud/bin/python -m tools.cloud --shell $(ARGS)

# The servers of bindep.txt.
packages: PROFILE = test
packages-cloud: PROFILE = cloud
packages-cloud: OPTIONS = --no-install-recommends
packages packages-cloud: venv
	@missing=$$($(VENV)/bin/bindep --brief $(PROFILE)); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing" $$missing >&2; \
	    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qy $(OPTIONS) $$missing >/dev/null; \
	elif [ -n "$$missing" ]; then \
	    echo "Missing packages, install them for what needs them:" $$missing >&2; \
	fi

clean:
	rm -rf build .tox

venv: $(VENV)/made

$(VENV)/made: requirements/build.in requirements/series.in
	@command -v git >/dev/null || { echo "git is missing: apt-get install git"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing the tools into $(VENV)" >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet 'tox>=4.11,<5' 'tox-uv>=1.11,<2' 'bindep>=2.11,<3' -r requirements/series.in || { rm -rf $(VENV); echo "The tools cannot be installed: is PyPI within reach?"; exit 1; }
	@touch $@
