# SPDX-License-Identifier: Apache-2.0

"""Command line: a whole cloud, up; checked, or lent to a person; down.

Exits with 0 when all services started and every backend worked; with 1 and
one sentence otherwise; with 2 when the command line is wrong.
"""

import argparse
import os
import shlex
import subprocess
import sys

from tools.cloud import command
from tools.common import progress


def parse(arguments):
    """Return the arguments as an argparse.Namespace, or exit with 2.

    :param arguments: list of text, without the program's name
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.cloud',
        description='Start MariaDB, RabbitMQ, etcd, Keystone, Ceph and '
                    'Cinder on this machine, try every backend, and stop '
                    'all. Nothing but the logs in build/cloud/logs is left.')
    parser.add_argument('--tree', choices=tuple(command.TREES),
                        default='patched',
                        help='which Cinder: as released, or with the series '
                             '(default: %(default)s)')
    parser.add_argument('--shell', action='store_true',
                        help='instead of trying it, give a shell with the '
                             'OS_* variables set; all stops at its end')
    return parser.parse_args(arguments)


def lend(site, keystone):
    """Run a shell in which ``openstack`` works, until it ends.

    :param site: the tools.cloud.site.Site
    :param keystone: the tools.cloud.services.keystone.Keystone
    """
    credentials = keystone.credentials()
    openrc = site.run / 'openrc'
    openrc.touch(0o600)
    openrc.write_text(''.join(f'export {name}={shlex.quote(value)}\n'
                              for name, value in credentials.items()))
    progress.say('a shell: try "openstack volume create --size 1 --type '
                 f'copying NAME"; other terminals can read {openrc}; "exit" '
                 'stops the cloud')
    subprocess.run([os.environ.get('SHELL', '/bin/sh')],
                   env=site.environment(**credentials))


def run(args):
    """Start the cloud, use it, and stop it.

    :param args: argparse.Namespace from parse()
    :raises ToolError: if it does not work
    """
    with command.alone() as site, \
            command.running(site, args.tree) as (cloud, cinder):
        if args.shell:
            lend(site, cinder.keystone)
        else:
            # Only what is installed beside Cinder has what it needs.
            from cloud import health
            health.check(site, cloud, cinder.keystone)
    progress.say('stopped; the logs are in build/cloud/logs')


def main(arguments):
    """Run the command line and return the exit status.

    :param arguments: list of text, without the program's name
    """
    args = parse(arguments)
    return command.main('cloud', arguments, [args.tree], lambda: run(args))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
