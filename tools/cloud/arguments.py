# SPDX-License-Identifier: Apache-2.0

"""The arguments that the commands of the cloud share."""

import argparse
import random

from tools.cloud import command

SEED = 20150518


def parser(module, description):
    """Return the argparse.ArgumentParser of a command.

    What it parses also has ``module``, for tools.cloud.command.main().

    :param module: the name of the command's module, as text
    :param description: what it does, as text
    """
    made = argparse.ArgumentParser(prog=f'python -m {module}',
                                   description=description)
    made.set_defaults(module=module)
    return made


def add_tree(parser):
    """Add the option --tree: which Cinder runs.

    :param parser: argparse.ArgumentParser
    """
    parser.add_argument('--tree', choices=tuple(command.TREES),
                        default='patched',
                        help='which Cinder: as released, or with the series '
                             '(default: %(default)s)')


def add_form(parser, forms, default, text):
    """Add the option --form: how much is run.

    :param parser: argparse.ArgumentParser
    :param forms: the names of the forms, a collection of text
    :param default: one of them
    :param text: what they mean
    """
    parser.add_argument('--form', choices=tuple(forms), default=default,
                        help=f'{text} (default: %(default)s)')


def add_seed(parser):
    """Add the option --seed: which requests are sent, and when.

    :param parser: argparse.ArgumentParser
    """
    parser.add_argument('--seed', type=seed, default=SEED,
                        help='which traffic: a number, or "random" for a new '
                             'one, which is printed (default: %(default)s)')


def seed(text):
    """Return the number that an argument stands for.

    :param text: an integer, or 'random'
    :raises ValueError: if it is neither
    """
    return random.SystemRandom().randrange(2 ** 32) if text == 'random' else (
        int(text))
