# SPDX-License-Identifier: Apache-2.0

"""Put the specification into a checkout of cinder-specs.

    python -m tools.specs.submit DIR

It adds the file and its entry in the index, and removes the file that holds
the place of a first specification. Committing and sending are left to git.
"""

import argparse
import os
import pathlib
import sys

from tools.common import cli
from tools.common import errors
from tools.common.paths import ROOT
from tools.series import documents
from tools.series import edit
from tools.series import rules

SPEC = 'specs/2027.1/enhance-locks.rst'
INDEX = 'doc/source/index.rst'
RULES = 'tools/specs/index.yml'


def submit(directory):
    """Put the specification into a checkout.

    :param pathlib.Path directory: the top of the checkout
    :raises ToolError: if it is no checkout of cinder-specs, has the
        specification already, or has an index that the rules do not fit;
        nothing is changed then
    """
    if not (directory / 'specs/template.rst').is_file():
        raise errors.ToolError(
            f'{directory} is no checkout of cinder-specs: it has no '
            f'specs/template.rst.')
    target = directory / SPEC
    if os.path.lexists(target):
        raise errors.ToolError(f'{target} exists already.')
    index = directory / INDEX
    content = edited(index.read_bytes(), str(index))
    target.parent.mkdir(exist_ok=True)
    target.write_bytes((ROOT / SPEC).read_bytes())
    index.write_bytes(content)
    target.with_name('remove-me.rst').unlink(missing_ok=True)
    print(f'{directory} has the specification now; run tox there')


def edited(index, where):
    """Enter the release of the specification into the index.

    :param bytes index: the index of cinder-specs
    :param str where: what to call it in an error
    :returns: the new index; the same if the release has its entry already
    :rtype: bytes
    :raises ToolError: if the rules do not fit
    """
    release = SPEC.split('/')[1]
    if f'specs/{release}/*' in index.decode().split():
        return index
    for number, item in enumerate(documents.load_list(ROOT / RULES, RULES), 1):
        index = edit.apply(
            index, rules.parse(item, f'{RULES}: rule {number}', False), where)
    return index


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        prog='python -m tools.specs.submit',
        description='Put the specification into a checkout of cinder-specs.')
    parser.add_argument('directory', type=pathlib.Path, metavar='DIR')
    sys.exit(cli.run(submit, parser.parse_args().directory))
