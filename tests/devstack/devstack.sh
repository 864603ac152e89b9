#!/usr/bin/env bash
# As much of DevStack as a plugin meets:  devstack.sh stack|unstack|clean
#
# It takes its settings from the environment, where DevStack reads local.conf,
# and tells after each phase what Cinder's commit is and how the shell changed.
set -o errexit -o xtrace

PLUGIN=$DEST/enhance-locks
CINDER_DIR=$DEST/cinder
REQUIREMENTS_DIR=$DEST/requirements
# shellcheck disable=SC2034  # The plugin reads it.
declare -A GITDIR=([tooz]=$DEST/tooz)

function define_plugin {
    echo "PLUGIN $1"
}

function echo_summary {
    echo "SUMMARY $1"
}

function is_service_enabled {
    [[ ",$ENABLED_SERVICES," == *",$1,"* ]]
}

function die {
    echo "DIED ${*:2}" >&2
    exit 1
}

function use_library_from_git {
    [[ ",$LIBS_FROM_GIT," == *",$1,"* ]]
}

# It keeps to the constraints, as pip does, and also to that on a wheel.
function pip_install {
    if [[ "$OFFLINE" != "True" ]]; then
        echo "PIP_INSTALL $*"
        if grep '^tooz===' "$REQUIREMENTS_DIR/upper-constraints.txt" >&2; then
            return 1
        fi
    fi
}

# As git_clone does: a clone that is there stays, unless RECLONE is set.
function install_cinder {
    if [[ ! -d $CINDER_DIR ]]; then
        git clone --quiet --no-checkout "$CINDER_REPO" "$CINDER_DIR"
        git -C "$CINDER_DIR" fetch --quiet origin master
        git -C "$CINDER_DIR" checkout --quiet FETCH_HEAD
    elif [[ "$RECLONE" == "True" ]]; then
        git -C "$CINDER_DIR" remote set-url origin "$CINDER_REPO"
        git -C "$CINDER_DIR" fetch --quiet origin
        git -C "$CINDER_DIR" checkout --quiet --force origin/master
        git -C "$CINDER_DIR" branch --quiet -D master
        git -C "$CINDER_DIR" checkout --quiet -b master
    fi
}

function run_phase {
    (set +o; declare -p) > "$STATE/before"
    # shellcheck source=/dev/null
    source "$PLUGIN/devstack/plugin.sh" "$@"
    (set +o; declare -p) > "$STATE/after"
    diff "$STATE/before" "$STATE/after" | sed -n 's/^[<>]/SHELL/p'
    echo "AFTER $*: $(git -C "$CINDER_DIR" rev-parse HEAD 2>/dev/null || true)"
}

# shellcheck source=/dev/null
source "$PLUGIN/devstack/settings"
if [[ "$1" == "stack" ]]; then
    run_phase stack pre-install
    if is_service_enabled cinder; then
        install_cinder
    fi
    for phase in install post-config extra test-config; do
        run_phase stack $phase
    done
else
    run_phase "$1"
fi
