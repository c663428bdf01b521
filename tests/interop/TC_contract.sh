#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The mcx tool as a test laboratory meets it: documents and messages of many makers, every kind of key, two domains,
# SRTP, refusals, exit codes. What it should have said comes from laboratory.py, a second reading of the formats.
cd "$MCX_SOURCE/tests/interop" && exec python3 contract.py all
