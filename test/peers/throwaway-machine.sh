#!/bin/sh
# throwaway-machine.sh PLACE SCRIPT [ARGUMENT...]: runs SCRIPT by sh in a copy of this machine's root that is written to
# memory, with its arguments; a file among those is seen under the same name. For a view of the mounts of one's own.
set -eu
place=$1
shift
mkdir -p "$place"
mount -t tmpfs -o size=600m tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
mount -t proc proc "$place/root/proc"
mount --rbind /dev "$place/root/dev"
mount -t tmpfs tmpfs "$place/root/run"
exec chroot "$place/root" /bin/sh -c "$@"
