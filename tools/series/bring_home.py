# SPDX-License-Identifier: Apache-2.0

"""Make the files of the series from the commits that were taken."""

import re

from tools.common import errors
from tools.series import commit_file
from tools.series import hunks
from tools.series import releases


def files_of(root, repository, series, found, version, project):
    """Make the files that differ from those of this repository.

    :param pathlib.Path root: the top of this repository
    :param tools.series.git.Git repository: where the commits are
    :param series: the series
    :type series: list[tools.series.commits.Commit]
    :param list[tools.series.taken.Taken] found: the commits that were taken
    :param str version: the release
    :param tools.series.projects.Project project: the project
    :returns: path -> its new content and mode, None to remove it
    :rtype: dict[str, tuple[bytes, int]]
    :raises ToolError: telling all that cannot be taken
    """
    made, problems = {}, []
    names = _names(series, found)
    adders = {path: commit.name for commit in series for path in commit.adds}
    for taken, name in zip(found, names):
        path = project.file_of(name)
        old = (root / path).read_text() if taken.commit else ''
        writer = _Writer(repository, taken, old, path, version, adders)
        writer.write()
        problems += writer.problems
        made |= {project.place_of(place): content
                 for place, content in writer.added.items()}
        if writer.text != old:
            made[path] = writer.text.encode(), 0o644
    if problems:
        raise errors.ToolError('\n'.join(
            ['Nothing was taken. These are for you to mend:', *problems]))
    left = {path for commit in series for path in commit.adds}
    for taken in found:
        if taken.commit:
            left -= set(taken.commit.adds)
    added = {path for taken in found for path, change in taken.changes.items()
             if change[0] == 'A'}
    gone = {path for commit in series for path in commit.adds} - added - left
    made |= dict.fromkeys(map(project.place_of, sorted(gone)))
    order = (root / project.order).read_text()
    new_order = _order(order, found, names)
    if new_order != order:
        made[project.order] = new_order.encode(), 0o644
    return {path: content for path, content in made.items()
            if content is None or content != _now(root / path)}


def _now(path):
    if not path.is_file():
        return None
    return (path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644)


def _names(series, found):
    """Name the commits, new ones after their subjects."""
    used = {commit.name for commit in series}
    names = []
    for taken in found:
        name = taken.commit.name if taken.commit else _slug(
            taken.subject, used)
        used.add(name)
        names.append(name)
    return names


def _slug(subject, used):
    slug = re.sub(r'[^a-z0-9]+', '-', subject.lower()).strip('-')
    number, name = 1, slug
    while name in used:
        number += 1
        name = f'{slug}-{number}'
    return name


def _order(text, found, names):
    """List new commits below the commit that they stand on."""
    lines = text.splitlines()
    before = None
    for taken, name in zip(found, names):
        if not taken.commit:
            places = [number for number, line in enumerate(lines)
                      if re.match(r'[\w.-]', line) and
                      before in (None, line.partition('#')[0].strip())]
            lines.insert(places[0] + (before is not None), name)
        before = name
    return '\n'.join(lines) + '\n'


class _Writer:
    """The file of one commit, being rewritten."""

    def __init__(self, repository, taken, text, file, version, adders):
        self.text = text
        self.added = {}
        self.problems = []
        self._repository = repository
        self._taken = taken
        self._file = file
        self._version = releases.parse(version)
        self._adders = adders

    def write(self):
        """Write the message, the files that are added and the rules."""
        self._message()
        self._adds()
        for path, change in self._taken.changes.items():
            letter, old_mode, mode, old, new = change
            if change == self._taken.before.get(path):
                continue
            if letter == 'M' and old_mode == mode:
                self._edit(path, self._blob(old), self._blob(new))
            elif letter != 'A':
                self._problem(path, 'only files that are added, and the '
                                    'content of others, can be taken')
        commit = self._taken.commit
        for path in commit.edits if commit else ():
            if self._taken.changes.get(path, 'A')[0] == 'A':
                self._forget(path)

    def _problem(self, path, text):
        self.problems.append(
            f'{self._file} ({self._taken.subject}): {path}: {text}')

    def _blob(self, blob):
        return self._repository.run('cat-file', 'blob', blob)

    def _message(self):
        commit, message = self._taken.commit, self._taken.message
        old = re.sub(r'^Change-Id: .*\n', '', commit.message,
                     flags=re.MULTILINE) if commit else ''
        if old.strip() != message.strip():
            self.text = commit_file.with_message(self.text, message)

    def _adds(self):
        old = self._taken.commit.adds if self._taken.commit else ()
        new = []
        for path, (letter, _, mode, _, blob) in self._taken.changes.items():
            if letter == 'A':
                new.append(path)
                self.added[path] = (
                    self._blob(blob), 0o755 if mode == '100755' else 0o644)
        folders = tuple(re.findall(r'^ *- (\S+/)$', self.text, re.MULTILINE))
        gone = [path for path in (*old, *folders) if not any(
            file == path or path.endswith('/') and file.startswith(path)
            for file in new)]
        fresh = [path for path in new if path not in old and
                 not (folders and path.startswith(folders))]
        if gone or fresh:
            self.text = commit_file.with_adds(self.text, fresh, gone)

    def _rules(self, path):
        """Give the rules of a file for this release, by their numbers."""
        commit = self._taken.commit
        listed = commit.edits.get(path, []) if commit else []
        return {number: rule for number, rule in enumerate(listed, 1)
                if self._version in rule.releases}, len(listed)

    def _edit(self, path, before, after):
        by_number, total = self._rules(path)
        numbers = list(by_number)
        if path in self._adders and not total:
            self._problem(path, f'it is added by {self._adders[path]}; fix up '
                                f'that commit instead')
            return

        def tell(hunk, number, is_new):
            where = (f'new rule {total + number - len(numbers)}' if is_new
                     else f'rule {numbers[number - 1]}')
            print(f'{self._file}: {path}: {where}, line {hunk.start + 1}:\n'
                  f'{hunk}\n')

        try:
            made = hunks.rewrite(before, after, list(by_number.values()),
                                 path.endswith('.py'), tell)
        except (errors.ToolError, UnicodeDecodeError) as error:
            self._problem(path, error)
            return
        for number, rule in zip(numbers, made):
            if rule != by_number[number]:
                key = next(key for key in hunks.OUTCOMES if key in rule.body)
                self.text = commit_file.with_outcome(
                    self.text, path, number, rule.body, key)
        for rule in made[len(numbers):]:
            self.text = commit_file.with_rule(self.text, path, rule.body)

    def _forget(self, path):
        """Drop the rules of a file that is not edited any more."""
        chosen, total = self._rules(path)
        if len(chosen) == total:
            self.text = commit_file.without_rules(self.text, path)
        elif chosen:
            self._problem(path, 'is not edited any more, but has rules for '
                                'other releases')
