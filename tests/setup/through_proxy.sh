#!/bin/sh
# Run the contract suite of calls and streams once more on tcp, through the fault
# proxy: messages come late, unevenly and in small pieces.
#   sh tests/setup/through_proxy.sh PROGRAM
BED_FAULTS=latency-ms=1,jitter-ms=2,slice-bytes=1000 exec "$1" --filter '*/*_tcp'
