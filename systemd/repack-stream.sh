#!/bin/bash -p
# What runs in bewaard-ffmpeg@.service. On standard input: what ffmpeg is told, a zero byte behind each word and one more behind the
# last. On standard output: what ffmpeg makes. Over when it ends, or when the input does: then systemd ends what is left.
set -uo pipefail
PATH=/usr/local/bin:/usr/bin:/bin

words=()
while IFS= read -r -d '' word || exit 1; do
  [[ -n $word ]] || break
  words+=("$word")
done
exec 3<&0
# Else nothing tells it from a camera that is silent.
type -P ffmpeg > /dev/null || { echo "ffmpeg is not installed: apt-get install ffmpeg" >&2; exit; }
ffmpeg "${words[@]}" < /dev/null 3<&- &
# Not `read`: that would not end with ffmpeg.
cat <&3 > /dev/null &
wait -n
