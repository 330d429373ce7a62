#!/bin/bash
# guest-root.sh ROOT: makes of unpacked packages a machine that boots quickly and is steered from outside.
set -euo pipefail
root=$1

echo dock-test > "$root/etc/hostname"
echo '127.0.0.1 localhost dock-test' > "$root/etc/hosts"
: > "$root/etc/resolv.conf"
echo '/dev/vda / ext4 rw,noatime 0 0' > "$root/etc/fstab"
ln -sf /usr/share/zoneinfo/Etc/UTC "$root/etc/localtime"
# Fixed: no first-boot work, and the journal stays where it is.
echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"

mkdir -p "$root/var/log/journal" "$root"/etc/systemd/{journald,system}.conf.d
cat > "$root/etc/systemd/journald.conf.d/test.conf" <<'END'
[Journal]
Storage=persistent
ForwardToConsole=no
SyncIntervalSec=1s
END
# An emulated processor is slow: slowness must never look like a failure.
cat > "$root/etc/systemd/system.conf.d/test.conf" <<'END'
[Manager]
DefaultTimeoutStartSec=180s
DefaultDeviceTimeoutSec=180s
END

# What takes time at a boot and serves nothing here.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  getty@tty1.service serial-getty@ttyS0.service getty-static.service console-getty.service systemd-timesyncd.service \
  systemd-networkd-wait-online.service systemd-pstore.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service \
  sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# The agent of QEMU is how commands come in: there is no network and no login.
mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/systemd/system/qemu-guest-agent.service.d"
ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
ln -sf /usr/lib/systemd/system/qemu-guest-agent.service "$root/etc/systemd/system/multi-user.target.wants/"
# It logs each call.
cat > "$root/etc/systemd/system/qemu-guest-agent.service.d/test.conf" <<'END'
[Service]
LogLevelMax=warning
Restart=always
END

# ffmpeg brings a software OpenGL along, 200 MB, which a machine without a screen never loads.
rm -rf "$root"/usr/lib/x86_64-linux-gnu/{libLLVM*,libgallium*,libz3*,dri}
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,info,locale,lintian}
chroot "$root" systemd-hwdb update
chroot "$root" ldconfig
touch "$root/etc/.updated" "$root/var/.updated"
