# SPDX-License-Identifier: Apache-2.0

"""Check that a specification has the sections of the template, in order.

cinder-specs had a test for this until doc8 took over the rest of its checks.
Sections may have further ones below them, but at the top there is nothing
that the template does not have, and no section is empty: what has nothing to
say, says None.

    python -m tools.specs.titles FILE ...
"""

import argparse
import pathlib
import sys

from docutils import core
from docutils import nodes

SECTIONS = {
    'Problem description': (),
    'Use Cases': (),
    'Proposed change': (
        'Alternatives', 'Data model impact', 'REST API impact',
        'Security impact', 'Active/Active HA impact', 'Notifications impact',
        'Other end user impact', 'Performance Impact',
        'Other deployer impact', 'Developer impact'),
    'Implementation': ('Assignee(s)', 'Work Items'),
    'Dependencies': (),
    'Testing': (),
    'Documentation Impact': (),
    'References': (),
}
"""Title in specs/template.rst of cinder-specs -> titles below it."""


def problems(text):
    """Compare the sections of a specification with those of the template.

    :param str text: the specification in reStructuredText
    :returns: a sentence for each difference
    :rtype: list[str]
    """
    document = core.publish_doctree(
        text, settings_overrides={'report_level': 5})
    found = _sections(document)
    told = [f'section "{title}" is not in the template.'
            for title in found if title not in SECTIONS]
    told += _compare(found, SECTIONS, '')
    for title, below in SECTIONS.items():
        if title in found:
            told += _compare(_sections(found[title]), below,
                             f' below "{title}"')
    return told


def _sections(parent):
    return {section.next_node(nodes.title).astext(): section
            for section in parent.findall(
                lambda node: isinstance(node, nodes.section) and
                node.parent is parent)}


def _compare(found, expected, where):
    told = [f'section "{title}" is missing{where}.'
            for title in expected if title not in found]
    told += [f'section "{title}"{where} is empty; write None.'
             for title in expected
             if title in found and len(found[title].children) == 1]
    there = [title for title in found if title in expected]
    in_order = [title for title in expected if title in found]
    told += [f'section "{instead}"{where} stands where "{title}" should.'
             for title, instead in zip(in_order, there)
             if title != instead][:1]
    return told


def main(arguments=None):
    """Check files.

    :param list[str] arguments: the arguments; the program's by default
    :returns: the exit status
    :rtype: int
    """
    parser = argparse.ArgumentParser(
        prog='python -m tools.specs.titles',
        description='Check the sections of specifications.')
    parser.add_argument('files', nargs='+', type=pathlib.Path, metavar='FILE')
    failed = False
    for path in parser.parse_args(arguments).files:
        for problem in problems(path.read_text(encoding='utf-8')):
            print(f'{path}: {problem}', file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
