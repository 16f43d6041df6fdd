# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: network namespaces with real programs around a gateway under test."""
