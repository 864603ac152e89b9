# SPDX-License-Identifier: Apache-2.0

"""Mutants: trees of Cinder or tooz that lack what a test must miss.

A test that cannot fail proves nothing.  So every test that the series adds is
named in a list here, with a mutant on which it fails and the reason that its
failure shows.
"""
