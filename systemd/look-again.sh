#!/bin/sh
# Lets the root helper look once more at each card that it did not mount for want of a pairing, or for its twin. Run by
# bewaard-paired.service when core has written another list of paired cameras.
set -eu
cd /run/bewaard/cards
for record in *.json; do
  if grep -qsE '"refused":"(unpaired|same-identity)"' "$record"; then
    name=${record%.json}
    case $name in
      mtp-*) unit=bewaard-mtp@${name#mtp-}.service ;;
      *) unit=bewaard-media@$name.service ;;
    esac
    # Not restart: until it has looked, what it wrote before must stand. The next camera is paired by that. One that is going
    # at this moment keeps none of the others from it.
    systemctl reload-or-restart --no-block "$unit" || echo "$unit: not asked" >&2
  fi
done
