# SPDX-License-Identifier: Apache-2.0

"""Command line: start a whole cloud, try it or open a shell, and stop it.

Exits with 0 when all services started and every backend worked; with 1 and
one sentence otherwise; with 2 when the command line is wrong.
"""

import os
import shlex
import subprocess
import sys

from tools.cloud import arguments as common
from tools.cloud import command
from tools.cloud import health
from tools.common import progress

PARSER = common.parser(
    'tools.cloud',
    'Start MariaDB, RabbitMQ, etcd, Keystone, Ceph and Cinder on this '
    'machine, try every backend, and stop all. Only the logs in '
    'build/cloud/logs are kept.')
common.add_tree(PARSER)
PARSER.add_argument('--shell', action='store_true',
                    help='open a shell with the OS_* variables set '
                         'instead; all stops when it ends')


def open_shell(site, keystone):
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

    :param args: argparse.Namespace from PARSER
    :raises ToolError: if it does not work
    """
    with command.alone() as site, \
            command.running(site, args.tree) as (deployment, cinder):
        if args.shell:
            open_shell(site, cinder.keystone)
        else:
            health.check(site, deployment, cinder.volumes)
    progress.say('stopped; the logs are in build/cloud/logs')


if __name__ == '__main__':
    sys.exit(command.main(PARSER, run))
