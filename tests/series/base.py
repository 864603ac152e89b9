# SPDX-License-Identifier: Apache-2.0

"""A small stand-in for Cinder, for PyPI and for this repository."""

import contextlib
import functools
import hashlib
import http.server
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import threading
from unittest import mock

import testtools

from tools.series import __main__
from tools.series import edited
from tools.series import style

VERSION = '1.2.0'
ORDER = 'commits/cinder/series'
RELEASES = 'commits/cinder/releases.yml'
CHECKED = 'commits/cinder/check-acquire.yml'
RWLOCK = 'commits/cinder/rwlock.yml'
LOCKS = '''\
import time


def acquire(lock, blocking):
    """Acquire a lock."""
    lock.acquire(blocking)
    return time.time()


def both(one, two):
    try:
        one.acquire(True)

        two.acquire(True)
    finally:
        one.release()
'''
FILES = {
    'PKG-INFO': 'Name: cinder\n',
    'setup.cfg': '[metadata]\nname = cinder\n',
    'tox.ini': '[tox]\n\n[flake8]\nmax-line-length = 60\n\n'
               '[flake8:local-plugins]\n'
               'extension =\n  X900 = checks:no_gadget\n'
               'paths = ./cinder/tests/hacking\n',
    '.gitignore': '*.egg-info\n',
    'cinder.egg-info/SOURCES.txt': 'setup.cfg\n',
    'cinder/__init__.py': '',
    'cinder/locks.py': LOCKS,
    'cinder/tests/hacking/checks.py': textwrap.dedent('''\
        from hacking import core


        @core.flake8ext
        def no_gadget(logical_line):
            """X900"""
            if 'gadget' in logical_line:
                yield 0, 'X900 no gadgets'
        '''),
    'doc/locks.rst': 'Locks\n=====\n\nOne line.\n\nOne more line.\n',
}

_MEMORY = tempfile.TemporaryDirectory()


def snapshot(folder, without=()):
    """Sum up a directory, names, modes and contents, .git included."""
    facts = {}
    for path in sorted(folder.rglob('*')):
        name = path.relative_to(folder).as_posix()
        if name.startswith(tuple(without)):
            continue
        content = path.read_bytes() if path.is_file() else b''
        facts[name] = (path.lstat().st_mode,
                       hashlib.sha256(content).hexdigest())
    return facts


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Index:
    """A package index that serves releases of small projects."""

    def __init__(self, folder):
        self.folder = folder
        self._links = {}
        folder.mkdir()
        handler = functools.partial(_Handler, directory=folder)
        self._server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,),
                         daemon=True).start()
        self.endpoint = f'http://127.0.0.1:{self._server.server_port}/'

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def add(self, version, files=FILES, project='cinder'):
        """Serve a release; return its hash."""
        name = f'{project}-{version}'
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode='w:gz') as archive:
            for path, text in files.items():
                member = tarfile.TarInfo(f'{name}/{path}')
                member.size = len(text.encode())
                member.mode = 0o755 if path.endswith('.sh') else 0o664
                archive.addfile(member, io.BytesIO(text.encode()))
        (self.folder / f'{name}.tar.gz').write_bytes(data.getvalue())
        links = self._links.setdefault(project, [])
        links.append(f'<a href="../{name}.tar.gz">{name}.tar.gz</a><br>')
        (self.folder / project).mkdir(exist_ok=True)
        (self.folder / project / 'index.html').write_text(
            '<!DOCTYPE html><html><body>' + '\n'.join(links) +
            '</body></html>')
        return hashlib.sha256(data.getvalue()).hexdigest()


class TestCase(testtools.TestCase):
    """A series in a temporary directory, with an index to build it from."""

    def setUp(self):
        super().setUp()
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.temp = pathlib.Path(temporary.name).resolve()
        self.root = self.temp / 'repository'
        self.index = Index(self.temp / 'index')
        self.addCleanup(self.index.close)
        self.releases = {}
        self.share_memory()
        self.add_release(VERSION)
        self.tree = self.root / 'build' / f'cinder-{VERSION}'
        self.use_series()

    def share_memory(self):
        """Let all tests of a process remember what rules and flake8 gave."""
        for module in (edited, style):
            patch = mock.patch.object(
                module, 'FOLDER', pathlib.Path(_MEMORY.name, module.__name__))
            patch.start()
            self.addCleanup(patch.stop)

    def interrupt(self, number, lines, *arguments):
        """Send a signal to a run of the tool and all that it started.

        :param int number: the signal
        :param int lines: after how many lines of progress
        :param arguments: the command, with its options
        :returns: whether that stopped it; if not, it was done before
        """
        process = subprocess.Popen(
            [sys.executable, *driver(self.root, self.index.endpoint,
                                     *arguments)],
            stderr=subprocess.PIPE, text=True, process_group=0)
        for _line in range(lines):
            process.stderr.readline()
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=60)
        if process.returncode == 130:
            self.assertNotIn('Traceback', err)
            return True
        # Python may be about to exit, and say so in its own ways.
        self.assertRegex(err, 'is ready|is on branch')
        return False

    def use_series(self):
        """Write a series of two commits that is all right."""
        self.write(ORDER, '''\
            # The commits in order.

            [bug/acquire]
            check-acquire

            [bp/enhance-locks]
            rwlock
            ''')
        self.write(CHECKED, '''\
            message: |
              Check the result of acquire

              A body.

              Partially-Implements: blueprint enhance-locks

            edits:
              cinder/locks.py:
                - why: a lock that was not acquired must not be taken for one
                  rule:
                    pattern: lock.acquire(blocking)
                  fix: |
                    if not lock.acquire(blocking):
                        raise RuntimeError()

                # What two guards is guarded by both.
                - rule:
                    pattern: |
                      try:
                          $$$BODY
                      finally:
                          $$$END
                  fix: |
                    with two:
                        try:
                            $$$BODY
                        finally:
                            $$$END

              doc/locks.rst:
                - find: |
                    One line.
                  after: |
                    Another line.
            ''')
        self.write(RWLOCK, '''\
            message: |
              Add read and write locks

              Readers share.

              Implements: blueprint enhance-locks

            adds:
              - cinder/rwlock/
            ''')
        self.write('cinder/rwlock/__init__.py', 'SHARED = 1\n')
        self.write('cinder/rwlock/__pycache__/x.pyc', 'no file of ours')

    def add_commit(self, name, text):
        """Add a commit at the end of the series."""
        self.write(f'commits/cinder/{name}.yml', text)
        with open(self.root / ORDER, 'a') as file:
            file.write(f'{name}\n')

    def add_release(self, version, files=FILES, sha256=None):
        """Put a release on the index and, by default as it is, in the list."""
        found = self.index.add(version, files)
        self.releases[version] = sha256 or found
        self.write(RELEASES, ''.join(
            f'- {{version: {version}, sha256: "{sha256}", tests: all}}\n'
            for version, sha256 in self.releases.items()))

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def replace(self, path, old, new):
        """Change a text that must be there."""
        text = (self.root / path).read_text()
        self.assertIn(old, text)
        (self.root / path).write_text(text.replace(old, new))

    def main(self, *arguments):
        """Run the command line; return its status, output and errors."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = __main__.main(list(arguments), root=self.root,
                                       endpoint=self.index.endpoint)
            except SystemExit as exit:
                status = exit.code
        self.assertNotIn('Traceback', err.getvalue())
        return status, out.getvalue(), err.getvalue()

    def build(self, *arguments):
        return self.main('build', '--cinder', VERSION, *arguments)

    def succeed(self, *arguments):
        status, out, err = self.main(*arguments)
        self.assertEqual(0, status, err)
        return out, err

    def fail(self, *arguments):
        """Run a command that must fail; return its error message."""
        status, out, err = self.main(*arguments)
        self.assertEqual(1, status, err)
        self.assertIn('error: ', err)
        return err[err.index('error: '):]

    def fail_build(self):
        error = self.fail('build', '--cinder', VERSION)
        self.assertFalse(self.tree.exists())
        self.assert_no_litter()
        return error

    def assert_no_litter(self):
        build = self.root / 'build'
        if build.exists():
            self.assertEqual(
                [], [entry.name for entry in build.iterdir()
                     if entry.name != 'cache' and entry != self.tree])

    def git(self, *arguments, cwd=None):
        command = ['git', '--no-optional-locks', '-c', 'user.name=x',
                   '-c', 'user.email=x@x', *arguments]
        return subprocess.run(
            command, cwd=cwd or self.tree, check=True, capture_output=True,
            text=True).stdout.strip()

    def hashes(self, cwd=None):
        return self.git('rev-list', '--reverse', 'HEAD', cwd=cwd).split()


def driver(root, endpoint, *arguments):
    """The command that runs the tool in a process of its own."""
    code = ('import pathlib, sys\nfrom tools.series import __main__\n'
            'sys.exit(__main__.main(sys.argv[3:], pathlib.Path(sys.argv[1]),'
            ' sys.argv[2]))')
    return ['-c', code, os.fspath(root), endpoint, *arguments]
