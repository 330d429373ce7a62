#!/bin/sh
# node-key.sh [UNIT]: `bewaard setup` as core's user, which owns the state folder, and then the public key of this box into
# /etc/bewaard/node.vkey: what runs as root believes that key and nothing else. Run as root when the configuration is
# written, and after a new node key; harmless to repeat. Not for a box whose keys are with systemd: `bewaard setup` does both there.
set -eu
umask 022

home=/usr/lib/bewaard
config=/etc/bewaard/bewaard.yaml
node="$home/node_modules/.bin/node"
[ "$(id -u)" = 0 ] || { echo "alleen voor root / root only" >&2; exit 1; }
# The state folder may have been lost, and what is in it with it: core would make a second key there.
if [ -e /etc/credstore.encrypted/bewaard.node.key ]; then
  echo "de sleutel van deze kast ligt bij systemd / the key of this box is with systemd: bewaard setup" >&2
  exit 1
fi
# What is compiled now, the service need not compile again: Node keeps it by the options that it was started with.
options=$(sed -n 's/^ExecStart=[^ ]*\(\( --[^ ]*\)*\) .*bewaard\.ts .*/\1/p' "${1:-/usr/lib/systemd/system/bewaard.service}")
install -d -o bewaard -g bewaard /var/cache/bewaard
# Written by root, by rename.
NODE_COMPILE_CACHE=/var/cache/bewaard setpriv --reuid=bewaard --regid=bewaard --clear-groups --no-new-privs \
  "$node" $options "$home/daemon/cli/bewaard.ts" --config "$config" --json setup |
  "$node" -e 'process.stdout.write(JSON.parse(require("fs").readFileSync(0, "utf8")).verifier + "\n")' \
  > /etc/bewaard/.node.vkey
[ -s /etc/bewaard/.node.vkey ] || { echo "geen sleutel / no key" >&2; exit 1; }
chmod 644 /etc/bewaard/.node.vkey
mv /etc/bewaard/.node.vkey /etc/bewaard/node.vkey
# What is the dock's and the recorder's of what was made.
bewaard --config "$config" setup --parts > /dev/null
