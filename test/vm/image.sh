#!/bin/bash
# image.sh SUITE FOLDER: makes the disk, kernel and initrd of the test guest in FOLDER, which must not exist yet.
# Needs root, because Debian's packages are configured in a chroot, and Debian's mirrors. A minute or two.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
suite=$1 folder=$2

# What Debian gives an administrator who follows docs/operations.md, and what serves USB cameras.
packages=(
  systemd systemd-sysv udev dbus kmod adduser procps util-linux iproute2
  age ffmpeg openssh-client openssl
  dosfstools exfatprogs usbutils jmtpfs fuse3
  qemu-guest-agent
)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
root=$work/root
mkdir "$work/made"

cat > "$work/sources.list" <<END
deb [signed-by=$keyring] http://deb.debian.org/debian $suite main
deb [signed-by=$keyring] http://deb.debian.org/debian-security $suite-security main
END

# The kernel is unpacked and not installed: that spares Debian's initramfs and its slow making. Not the cloud kernel, which
# has no USB at all.
cat > "$work/kernel.sh" <<'END'
set -e
cd "$1/var/cache/apt"
name=$(chroot "$1" apt-cache depends linux-image-amd64 | awk '/Depends/ {print $2; exit}')
chroot "$1" sh -c "cd /var/cache/apt && apt-get -qq download $name"
mkdir "$1/kernel"
dpkg-deb -x linux-image-*.deb "$1/kernel"
rm linux-image-*.deb
END

mmdebstrap --quiet --mode=root --variant=minbase --architectures=amd64 --skip=check/empty \
  --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Languages "none"' \
  --aptopt='Acquire::Retries "3"' \
  --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include="$(IFS=,; echo "${packages[*]}")" \
  --customize-hook="sh '$work/kernel.sh' \"\$1\"" \
  "$suite" "$root" "$work/sources.list" >&2

# Debian 12 has its modules under /lib.
[[ -d $root/kernel/usr/lib/modules ]] || { mkdir -p "$root/kernel/usr/lib"; mv "$root/kernel/lib/modules" "$root/kernel/usr/lib/"; }
version=$(ls "$root/kernel/usr/lib/modules")
cp "$root/kernel/boot/vmlinuz-$version" "$work/made/vmlinuz"
mkdir -p "$root/usr/lib/modules"
mv "$root/kernel/usr/lib/modules/$version" "$root/usr/lib/modules/"
rm -r "$root/kernel"
# Drivers of what no such guest has: most of the kernel's 100 MB.
for driver in drivers/{net,gpu,media,infiniband,iio,staging,platform,bluetooth} sound net/{bluetooth,wireless,mac80211}; do
  rm -rf "$root/usr/lib/modules/$version/kernel/$driver"
done
depmod -b "$root" "$version"

"$here/guest-root.sh" "$root"
"$here/initrd.sh" "$root" "$version" "$work/made/initrd"

mke2fs -q -t ext4 -m 0 -L root -E lazy_itable_init=0,root_owner=0:0 -d "$root" "$work/disk" 4G
qemu-img convert -O qcow2 "$work/disk" "$work/made/disk.qcow2"
chroot "$root" dpkg-query -W > "$work/made/packages.txt"
mv -T "$work/made" "$folder" # the name appears only when all is there
