# SPDX-License-Identifier: Apache-2.0

"""Where this repository stands."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
"""The top of this repository."""
