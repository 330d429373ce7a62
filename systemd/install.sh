#!/bin/sh
# Installs bewaard's units on a box, from a checkout in /opt/bewaard where `node setup.mjs` has run. Run as root; harmless
# to repeat, and to be repeated after an upgrade or a new node key. Starts nothing that keeps footage: see docs/operations.md.
#   --bucket   the vault is a bucket: core alone has a network, and the dock is a unit of its own
#   --cameras  cameras hang on walls: the recorder too
set -eu
umask 022

home=/opt/bewaard
units=/etc/systemd/system
config=/etc/bewaard/bewaard.yaml
bucket=no cameras=no
for option; do
  case $option in
    --bucket) bucket=yes ;;
    --cameras) cameras=yes ;;
    *) echo "gebruik / usage: $0 [--bucket] [--cameras]" >&2; exit 2 ;;
  esac
done
[ "$(id -u)" = 0 ] || { echo "alleen voor root / root only" >&2; exit 1; }
[ -x "$home/node_modules/.bin/node" ] || {
  echo "eerst / first: git clone … $home && cd $home && node setup.mjs" >&2; exit 1; }

# What runs as root must be root's: whoever can write there is root. -H: also where /opt/bewaard is a link.
if [ -n "$(find -H "$home" ! -type l \( ! -user root -o -perm /022 \) -print -quit)" ]; then
  echo "$home is niet van root alleen / not root's alone: chown -R root:root $home; chmod -R go-w $home" >&2; exit 1
fi

cd "$home/systemd"
install -D -m 644 bewaard.sysusers /usr/lib/sysusers.d/bewaard.conf
install -D -m 644 bewaard.tmpfiles /usr/lib/tmpfiles.d/bewaard.conf
install -D -m 644 90-bewaard.rules /etc/udev/rules.d/90-bewaard.rules
install -m 644 bewaard.service bewaard-media@.service bewaard-mtp@.service bewaard-again@.service "$units/"
install -m 644 bewaard-ffprobe.socket bewaard-ffprobe@.service "$units/"
install -m 644 bewaard-metrics.socket bewaard-metrics.service "$units/"
install -m 644 bewaard-orders.service bewaard-orders.path bewaard-paired.service bewaard-paired.path "$units/"
if [ $bucket = yes ]; then
  install -D -m 644 bewaard-bucket.conf "$units/bewaard.service.d/bucket.conf"
  install -m 644 bewaard-dock.service "$units/"
fi
if [ $cameras = yes ]; then
  install -m 644 bewaard-record.service bewaard-ffmpeg.socket bewaard-ffmpeg@.service bewaard-gate.socket "$units/"
fi

# For journalctl -x.
install -D -m 644 -t /usr/lib/systemd/catalog catalog/bewaard.catalog catalog/bewaard.nl.catalog
journalctl --update-catalog || echo "journalctl -x legt niets uit / explains nothing" >&2

systemd-sysusers bewaard.conf
systemd-tmpfiles --create bewaard.conf
install -d -m 755 /etc/bewaard

# Only for cameras that show themselves as media devices (docs/docks.md).
command -v jmtpfs > /dev/null ||
  echo "zonder jmtpfs worden camera's met MTP niet gelezen / not read without it: apt install jmtpfs" >&2

if [ -f "$config" ]; then
  service=bewaard.service
  if [ $bucket = yes ]; then service=bewaard-bucket.conf; fi
  ./node-key.sh $service
else
  echo "nog geen / no $config yet: schrijf het en herhaal dit / write it and repeat this" >&2
fi

# Where systemd does not run, as in an image being made, it reads all of this at its first start.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --now bewaard-orders.path bewaard-paired.path
  udevadm control --reload
  # What an earlier version wrote of the cards that are in, this one may not know. Not while one is being wiped.
  install -d -m 700 /var/lib/bewaard-helper
  flock -w 600 /var/lib/bewaard-helper/used.lock \
    systemctl try-restart 'bewaard-media@*.service' 'bewaard-mtp@*.service' ||
    echo "camera's in een slot: steek ze opnieuw in / cameras in a slot: put them in again" >&2
  # Cameras that are in already.
  udevadm trigger --subsystem-match=block --subsystem-match=usb --action=change
else
  systemctl enable bewaard-orders.path bewaard-paired.path
fi
