#!/bin/bash
# initrd.sh ROOT KERNEL FILE: an initrd that does nothing but find the disk. Debian's own takes ten seconds more, emulated.
set -euo pipefail
root=$1 kernel=$2 file=$3
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree"/{bin,dev,proc,sys,newroot,modules}
cp "$(command -v busybox)" "$tree/bin/busybox"

# virtio_pci is built in from Debian 13 on.
for module in virtio_pci virtio_blk crc32c_generic ext4; do
  modprobe -d "$root" -S "$kernel" --show-depends "$module" 2> /dev/null | awk '$1 == "insmod" {print $2}' || true
done | awk '!seen[$0]++' | while read -r path; do
  name=$(basename "$path")
  name=${name%.xz} name=${name%.zst}
  case $path in
    *.xz) xz -dc "$path" ;;
    *.zst) zstd -qdc "$path" ;;
    *) cat "$path" ;;
  esac > "$tree/modules/$name"
  echo "$name" >> "$tree/modules/order"
done

cat > "$tree/init" <<'END'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
while read -r module; do $b insmod "/modules/$module"; done < /modules/order
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 400 ]; do $b usleep 50000; tries=$((tries + 1)); done
$b mount -t ext4 -o rw,noatime /dev/vda /newroot || $b poweroff -f
$b umount /proc /sys
$b mount --move /dev /newroot/dev
exec $b switch_root /newroot /lib/systemd/systemd
END
chmod 755 "$tree/init"
(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) > "$file"
