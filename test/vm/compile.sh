#!/bin/bash
# compile.sh USR OUT ALL OPTIONS: what Node keeps of what it compiled (NODE_COMPILE_CACHE) of the package whose unpacked /usr is USR, in
# OUT/bewaard for core with its OPTIONS, in OUT/bewaard-dock, which has none, and in OUT/bewaard-helper, with the options ALL for each. An emulated processor needs half a minute for it.
# Needs root, in a mount namespace of its own: unshare --mount.
set -euo pipefail
usr=$1 out=$2 all=$3 options=$4
mount -t overlay overlay -o "lowerdir=$usr:/usr" /usr
cd /usr/lib/bewaard

# compile NAME MODULES [OPTION...]
compile() {
  local name=$1 modules=$2
  shift 2
  MODULES=$modules NODE_COMPILE_CACHE=$out/$name node_modules/.bin/node "$@" --input-type=module --eval '
    import { flushCompileCache } from "node:module";
    for (const path of process.env.MODULES.split(" ")) await import(`/usr/lib/bewaard/${path}`);
    flushCompileCache();
    process.exit(0);'
}
# shellcheck disable=SC2086
compile bewaard "$(echo daemon/{main,setup}.js daemon/cli/{bewaard,run-parts,*-commands,bewaarctl}.js)" $all $options
# shellcheck disable=SC2086
compile bewaard-dock "$(echo daemon/run-dock.js daemon/cli/{bewaard,run-parts}.js)" $all
# shellcheck disable=SC2086
compile bewaard-helper "$(echo daemon/cli/bewaard-helper.js daemon/helper/*.js)" $all
