#!/bin/sh
# Written by Pixels: carries an SSH connection to a sandbox through the server's API (ProxyCommand in ./config).
# runtime
runtime=node
certificates=no

# A debugger that an editor's terminal attaches to every Node would talk into the connection.
unset NODE_OPTIONS
[ $certificates = yes ] || unset NODE_EXTRA_CA_CERTS
export ELECTRON_RUN_AS_NODE=1
tunnel=${0%/*}/program/tunnel.js

[ ! -x "$runtime" ] || exec "$runtime" "$tunnel" "$@"
! command -v node >/dev/null || exec node "$tunnel" "$@"
echo "pixels: $runtime is gone and there is no other Node; open Pixels once, or install Node." >&2
exit 255
