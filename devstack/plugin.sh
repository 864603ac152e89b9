# shellcheck shell=bash
# devstack/plugin.sh - put the series on the Cinder that DevStack runs
#
# All is done in the phase "stack install": Cinder is cloned and installed by
# then, in editable mode, and starts later. To stack again is fine: the same
# series leaves Cinder as it is, a newer one takes the place of the old, and on
# a Cinder that was cloned anew it is put again.
#
# From DevStack:
# shellcheck disable=SC2154  # CINDER_DIR, DEST, OFFLINE, VIRTUALENV_CMD

_XTRACE_ENHANCE_LOCKS=$(set +o | grep xtrace)
set +o xtrace

ENHANCE_LOCKS_DIR=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")
ENHANCE_LOCKS_VENV=$DEST/enhance-locks-venv

# install_enhance_locks() - Install what the series is built with, apart from
# OpenStack and its upper constraints
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

# apply_enhance_locks() - Put the commits of the series on Cinder
function apply_enhance_locks {
    (cd "$ENHANCE_LOCKS_DIR" && "$ENHANCE_LOCKS_VENV/bin/python" \
        -m tools.series build --onto "$CINDER_DIR") || \
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
