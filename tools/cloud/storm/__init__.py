# SPDX-License-Identifier: Apache-2.0

"""A storm: many creates at once from one source.

Each is compared with its ideal, as many creates from as many sources. Either
of the two is a *wave*: creates that are sent at the same time.
"""
