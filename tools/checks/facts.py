# SPDX-License-Identifier: Apache-2.0

"""Compare what files repeat of the facts about releases with their list.

``commits/cinder/releases.yml`` is where the facts stand. tox has environments
named after releases, Zuul has jobs of theirs, pip has requirements, and
README.md has a table; what they say must be what the list says.
"""

import configparser
import re

from tools.series import documents
from tools.series import projects
from tools.series import releases

_VERSION = r'\d+\.\d+\.\d+'
_OLDER = 'testenv:release-'
_PLAN = 'tools/checks/plan.py'


def problems(root):
    """Compare all that files repeat with the list of releases.

    :param pathlib.Path root: the top of this repository
    :returns: a sentence for each difference: where it is, what was expected
        and what was found
    :rtype: list[str]
    :raises ToolError: if the list of releases or .zuul.yaml is malformed
    """
    listed = releases.load(root)
    default, *older = listed
    compared = [*_of_tox(read_tox(root), default, older),
                *_of_jobs(root, older), *_of_requirements(root, listed),
                *_of_readme(root, listed), *_of_plan(root, listed)]
    return [f'{where}: expected {_told(expected)}, found {_told(found)}.'
            for where, expected, found in compared if expected != found]


def read_tox(root):
    """Read tox.ini.

    :param pathlib.Path root: the top of this repository
    :rtype: configparser.ConfigParser
    """
    tox = configparser.ConfigParser(interpolation=None)
    tox.read_string((root / 'tox.ini').read_text(encoding='utf-8'))
    return tox


def environments(tox):
    """List the names of all environments.

    :param configparser.ConfigParser tox: tox.ini
    :rtype: list[str]
    """
    return [name for section in tox.sections()
            if section.startswith('testenv:')
            for name in expand(section.removeprefix('testenv:'))]


def expand(name):
    """Write tox's ``a{b,c}`` out as ``ab`` and ``ac``.

    :param str name: the name in the header of a section
    :rtype: list[str]
    """
    head, brace, rest = name.partition('{')
    if not brace:
        return [name]
    factors, _, tail = rest.partition('}')
    return [head + factor + end
            for factor in factors.split(',') for end in expand(tail)]


def _of_tox(tox, default, older):
    names = [f'release-{version}' for version in older]
    yield ('tox.ini, environments of releases', names,
           [name for name in environments(tox) if name.startswith('release-')])
    for section in tox.sections():
        where = f'tox.ini, [{section}]'
        settings = tox[section]
        if section.startswith(_OLDER):
            for key, value in (('deps', '-r requirements/{}.txt'),
                               ('set_env', 'CINDER = {}')):
                yield (f'{where} {key}',
                       [f'{version}: {value.format(version)}'
                        for version in older],
                       [line for line in settings.get(key, '').splitlines()
                        if re.match(_VERSION, line)])
        else:
            text = '\n'.join(settings.get(key, '') for key in (
                'deps', 'commands_pre', 'commands'))
            for found in re.findall(rf'-r requirements/({_VERSION})\.txt|'
                                    rf'build/cinder-({_VERSION})', text):
                yield where, default, ''.join(found)


def _of_jobs(root, older):
    items = documents.load_list(root / '.zuul.yaml', '.zuul.yaml')
    prefix = 'enhance-locks-release-'
    found = [f'{job["name"]} of {job["vars"]["tox_envlist"]}'
             for job in (item.get('job', {}) for item in items)
             if job.get('name', '').startswith(prefix)]
    yield ('.zuul.yaml, jobs of releases',
           [f'{prefix}{version} of release-{version}' for version in older],
           found)


def _of_requirements(root, listed):
    folder = root / 'requirements'
    default = next(iter(listed))
    for ending in ('in', 'txt'):
        found = {path.stem for path in folder.glob(f'*.{ending}')
                 if re.fullmatch(_VERSION, path.stem)}
        yield (f'requirements/*.{ending} of releases', sorted(listed),
               sorted(found))
    for path in sorted(folder.glob('*.in')):
        of_release = re.fullmatch(_VERSION, path.stem)
        version = path.stem if of_release else default
        where = f'requirements/{path.name}'
        lines = path.read_text(encoding='utf-8').splitlines()
        if of_release:
            yield (where, [f'cinder=={version}', '-r ../build/cinder-'
                           f'{version}/test-requirements.txt'],
                   [line for line in lines if re.match('cinder|-r ../', line)])
        else:
            for found in re.findall(rf'(?m)^-.*?({_VERSION})',
                                    '\n'.join(lines)):
                yield where, default, found
    for version in listed:
        path = folder / f'{version}.txt'
        if path.exists():
            yield (f'requirements/{version}.txt', [f'cinder=={version}'],
                   re.findall('(?m)^cinder==.*', path.read_text()))


def _of_readme(root, listed):
    text = (root / 'README.md').read_text(encoding='utf-8')
    rows = re.findall(
        rf'(?m)^\| *({_VERSION}(?:, {_VERSION})*) *\| *(.*?) *\|$', text)
    found = {version: tests for versions, tests in rows
             for version in versions.split(', ')}
    where = 'README.md, table of releases'
    yield where, list(listed), list(found)
    for version in filter(found.get, listed):
        yield f'{where}, {version}', listed[version].tests, found[version]
    for version in re.findall(
            rf'(?:[Cc]inder[\s-]|CINDER_BRANCH=)({_VERSION})', text):
        yield 'README.md, an example', next(iter(listed)), version


def _of_plan(root, listed):
    text = (root / _PLAN).read_text(encoding='utf-8')
    for version in re.findall(
            rf'release-({_VERSION})', text):
        if version not in listed:
            yield _PLAN, f'a release of {projects.CINDER.releases}', version


def _told(value):
    if isinstance(value, list):
        return ', '.join(value) or 'nothing'
    return value
