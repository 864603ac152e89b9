# shellcheck shell=bash
# devstack/plugin.sh - apply the series to the Cinder that DevStack runs
#
# Everything happens in the phase "stack install": Cinder has been cloned and
# installed in editable mode by then, and starts later. Stacking again is safe:
# the same series leaves Cinder as it is, a newer one replaces the old one, and
# a fresh clone of Cinder gets the series again.
#
# Set by DevStack:
# shellcheck disable=SC2154  # CINDER_DIR, DEST, OFFLINE, VIRTUALENV_CMD

_XTRACE_ENHANCE_LOCKS=$(set +o | grep xtrace)
set +o xtrace

ENHANCE_LOCKS_DIR=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")
ENHANCE_LOCKS_VENV=$DEST/enhance-locks-venv

# install_enhance_locks() - Install the tools that build the series in their own
# environment, without the upper constraints of OpenStack
function install_enhance_locks {
    if [[ "$OFFLINE" != "True" ]]; then
        # shellcheck disable=SC2086  # It is a command with arguments.
        $VIRTUALENV_CMD "$ENHANCE_LOCKS_VENV" || \
            die $LINENO "enhance-locks: $ENHANCE_LOCKS_VENV cannot be made."
        "$ENHANCE_LOCKS_VENV/bin/pip" install \
            -r "$ENHANCE_LOCKS_DIR/requirements/build.in" || \
            die $LINENO "enhance-locks: requirements/build.in cannot be" \
                "installed into $ENHANCE_LOCKS_VENV."
    fi
    "$ENHANCE_LOCKS_VENV/bin/python" \
        -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
        die $LINENO "enhance-locks: $ENHANCE_LOCKS_VENV must have Python" \
            "3.11 or newer; PYTHON3_VERSION in local.conf chooses it."
}

# apply_enhance_locks() - Apply the commits of the series to Cinder
function apply_enhance_locks {
    (cd "$ENHANCE_LOCKS_DIR" && "$ENHANCE_LOCKS_VENV/bin/python" \
        -m tools.series build cinder --onto "$CINDER_DIR") || \
        die $LINENO "enhance-locks: the series cannot be put on Cinder" \
            "$(git -C "$CINDER_DIR" describe --tags --always) in" \
            "$CINDER_DIR; the error above tells why, and" \
            "$ENHANCE_LOCKS_DIR/README.md which releases it is for."
}

if [[ "$1" == "stack" && "$2" == "install" ]]; then
    if is_service_enabled cinder; then
        echo_summary "Putting enhance-locks on Cinder"
        install_enhance_locks
        apply_enhance_locks
    else
        echo_summary "enhance-locks has nothing to do: no Cinder is enabled"
    fi
elif [[ "$1" == "clean" ]]; then
    rm -rf "$ENHANCE_LOCKS_VENV"
fi

$_XTRACE_ENHANCE_LOCKS
