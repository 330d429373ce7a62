#!/bin/sh
# What systemd runs at each start and each daemon-reload, as /usr/lib/systemd/system-generators/bewaard-tenants: gives each tenant that
# `bewaard setup --tenant` made units that no template can be for (packaging/tenant.ts). Told where to leave them.
set -eu
from=/usr/lib/bewaard/systemd
for user in /etc/sysusers.d/bewaard-*.conf; do
  # Without tenants it is the pattern itself.
  [ -f "$user" ] || continue
  name=${user##*/bewaard-}
  name=${name%.conf}
  cp $from/bewaard-ffmpeg-tenant.socket "$1/bewaard-ffmpeg-$name.socket"
  cp $from/bewaard-ffmpeg-tenant@.service "$1/bewaard-ffmpeg-$name@.service"
  cp $from/system-bewaard-tenant.slice "$1/system-bewaard-tenant-$name.slice"
done
