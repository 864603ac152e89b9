# shellcheck shell=bash
# devstack/plugin.sh - apply the series to the Cinder that DevStack runs, and
# to the tooz that it imports
#
# Everything happens in the phase "stack install": Cinder has been cloned and
# installed in editable mode by then, with the tooz that it requires, and is
# started later. tooz is installed anew with its series. If LIBS_FROM_GIT has
# it, its clone gets the series instead, as that of Cinder does. Stacking again
# is safe: the same series leaves Cinder as it is, a newer one replaces the old
# one, and a fresh clone of Cinder gets the series again.
#
# Set by DevStack:
# shellcheck disable=SC2154  # CINDER_DIR, DEST, GITDIR, OFFLINE,
# REQUIREMENTS_DIR, VIRTUALENV_CMD

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
            -r "$ENHANCE_LOCKS_DIR/requirements/build.in" build || \
            die $LINENO "enhance-locks: requirements/build.in cannot be" \
                "installed into $ENHANCE_LOCKS_VENV."
    fi
    "$ENHANCE_LOCKS_VENV/bin/python" \
        -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
        die $LINENO "enhance-locks: $ENHANCE_LOCKS_VENV must have Python" \
            "3.11 or newer; PYTHON3_VERSION in local.conf chooses it."
}

# run_series() - Run a command of the series
# run_series COMMAND [ARGUMENT...]
function run_series {
    (cd "$ENHANCE_LOCKS_DIR" && \
        "$ENHANCE_LOCKS_VENV/bin/python" -m tools.series "$@")
}

# apply_enhance_locks() - Apply the commits of the series to a clone
# apply_enhance_locks PROJECT DIR
function apply_enhance_locks {
    run_series build "$1" --onto "$2" || \
        die $LINENO "enhance-locks: the series cannot be put on $1" \
            "$(git -C "$2" describe --tags --always) in $2; the error above" \
            "tells why, and $ENHANCE_LOCKS_DIR/README.md which releases it" \
            "is for."
}

# install_enhanced_tooz() - Install tooz with the series where Cinder has it
#
# As DevStack does for a library from git, it drops the constraint on tooz,
# which would bring the released one back.
function install_enhanced_tooz {
    if [[ "$OFFLINE" == "True" ]]; then
        return
    fi
    rm -f "$ENHANCE_LOCKS_DIR"/dist/tooz-*.whl
    run_series wheel tooz || \
        die $LINENO "enhance-locks: tooz cannot be built; the error above" \
            "tells why."
    "$REQUIREMENTS_DIR/.venv/bin/edit-constraints" \
        "$REQUIREMENTS_DIR/upper-constraints.txt" -- tooz
    pip_install --no-deps --force-reinstall \
        "$ENHANCE_LOCKS_DIR"/dist/tooz-*.whl || \
        die $LINENO "enhance-locks: tooz cannot be installed."
}

if [[ "$1" == "stack" && "$2" == "install" ]]; then
    if is_service_enabled cinder; then
        echo_summary "Putting enhance-locks on tooz and Cinder"
        install_enhance_locks
        if use_library_from_git tooz; then
            apply_enhance_locks tooz "${GITDIR[tooz]}"
        else
            install_enhanced_tooz
        fi
        apply_enhance_locks cinder "$CINDER_DIR"
    else
        echo_summary "enhance-locks has nothing to do: no Cinder is enabled"
    fi
elif [[ "$1" == "clean" ]]; then
    rm -rf "$ENHANCE_LOCKS_VENV"
fi

$_XTRACE_ENHANCE_LOCKS
