#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The part of TC_contract.sh that takes seconds.
cd "$MCX_SOURCE/tests/interop" && exec python3 contract.py quick
