#!/bin/sh
# A worker that cannot start.
echo "no configuration" >&2
exit 78
