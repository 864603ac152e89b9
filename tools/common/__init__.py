# SPDX-License-Identifier: Apache-2.0

"""What all tools share: errors, progress, whole files and the command line."""
