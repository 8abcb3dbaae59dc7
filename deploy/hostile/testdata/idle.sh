#!/bin/sh
# A worker that is alive and does nothing.
trap "exit 0" TERM
while :; do sleep 0.1; done
