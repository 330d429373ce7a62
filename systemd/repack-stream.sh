#!/bin/bash -p
# What runs in bewaard-ffmpeg@.service. On standard input: what ffmpeg is told, a zero byte behind each word and one more behind the
# last. On standard output: at once a plus, or a minus where there is no ffmpeg; then what ffmpeg makes. Over when it ends, or when the input does: then systemd ends what is left.
set -uo pipefail
PATH=/usr/local/bin:/usr/bin:/bin

# Who hears neither knows that it is not the camera: systemd could not so much as start this.
type -P ffmpeg > /dev/null || { printf -; exit; }
printf +

words=()
while IFS= read -r -d '' word || exit 1; do
  [[ -n $word ]] || break
  words+=("$word")
done
exec 3<&0
ffmpeg "${words[@]}" < /dev/null 3<&- &
# Not `read`: that would not end with ffmpeg.
cat <&3 > /dev/null &
wait -n
