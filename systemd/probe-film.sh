#!/bin/bash -p
# What runs in bewaard-ffprobe@.service. On standard input: a line with the size of a film, and how many bytes of its beginning follow;
# those bytes; and its end, to where the input ends. What is in between is as if it were zeros: ffprobe reads neither there, and finds
# each byte where it was. On standard output: JSON, or the word `absent` where there is no ffprobe.
set -uo pipefail
PATH=/usr/local/bin:/usr/bin:/bin
most=16777216

IFS=' ' read -r size begins || exit 1
[[ $size =~ ^[1-9][0-9]{0,15}$ && $begins =~ ^[1-9][0-9]{0,7}$ ]] || exit 1
(( begins <= size && begins <= most )) || exit 1
ends=$(( size - begins < most - begins ? size - begins : most - begins ))
# What is sent and not read would take the answer along.
type -P ffprobe > /dev/null || { cat > /dev/null; echo absent; exit; }

film=/film/film
truncate -s "$size" $film || exit 1
copy() { dd of=$film conv=notrunc bs=64K iflag=fullblock,count_bytes count="$1" oflag=seek_bytes seek="$2" status=none; }
copy "$begins" 0 || exit 1
if (( ends > 0 )); then copy "$ends" $(( size - ends )) || exit 1; fi
exec 3< $film
rm $film

# as: 1 GiB. fsize: from here on not a byte can be written anywhere. Protocols and formats: a playlist is refused before it is read.
# Names of formats are as libavformat lists them; one of each alias is enough.
exec prlimit --as=1073741824 --fsize=0 -- \
  ffprobe -v quiet -protocol_whitelist file -format_whitelist mov,matroska,mpegts,avi \
  -probesize 8M -analyzeduration 5M -max_streams 16 -show_entries format=duration:format_tags=creation_time \
  -of json -i file:/proc/self/fd/3 < /dev/null
