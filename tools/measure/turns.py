# SPDX-License-Identifier: Apache-2.0

"""Time several things in turn, so that a drift of the machine hits all."""

import statistics
import timeit


def take_turns(rounds, calls, /, **actions):
    """Time each action once in every round.

    The order is the one given, and backwards in every second round, so that
    no action always runs after the same other one. Each action runs ``calls``
    times before the first round, untimed.

    :param rounds: how many rounds
    :param calls: how many calls of an action make one timing
    :param actions: name -> function without arguments
    :returns: dict of name -> list of the seconds of one call, by round
    """
    timers = {name: timeit.Timer(action) for name, action in actions.items()}
    for timer in timers.values():
        timer.timeit(calls)
    seconds = {name: [] for name in actions}
    for number in range(rounds):
        for name in forth_and_back(timers, number):
            seconds[name].append(timers[name].timeit(calls) / calls)
    return seconds


def forth_and_back(names, number):
    """Return the names as a list, backwards if the number is odd."""
    return list(names)[::-1 if number % 2 else 1]


def ratio(seconds, others):
    """Return the median of the ratios of each round.

    :param seconds: list of the seconds of the thing judged, by round
    :param others: list of the seconds of what it is compared with
    """
    return statistics.median(one / other
                             for one, other in zip(seconds, others))
