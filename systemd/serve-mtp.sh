#!/bin/sh
# serve-mtp.sh MIB BUS,DEVICE PLACE uid=UID,gid=GID: serves the files of a media device at PLACE, which is below /run, until it is told to
# stop. Started by bewaard's root helper (daemon/helper/jmtpfs.ts) in a view of the mounts of its own.
set -eu
# jmtpfs fetches each file whole to /tmp, wherever TMPDIR points (tmpfile(3)): to memory of a limited size here, that nobody
# else sees and that goes with it. Only what is mounted below /run is seen by others.
mount --make-private /
if mountpoint -q /tmp; then mount --make-private /tmp; fi
# A little more than a file needs: the longest that is fetched is MIB long.
mount -i -t tmpfs -o "size=$(($1 + 1))m,mode=0700,nosuid,nodev,noexec" tmpfs /tmp
# It looks at no permission itself (default_permissions). That user's alone, read-only also where the card is not. Without
# hard_remove a file that is open is not removed but given another name, for which jmtpfs sends a copy of it to the device.
exec jmtpfs -f "-device=$2" \
  -o "ro,nosuid,nodev,noexec,allow_other,default_permissions,hard_remove,$4,umask=0277" "$3"
