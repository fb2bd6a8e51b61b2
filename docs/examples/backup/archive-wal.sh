#!/bin/sh
# archive_command of the server: archive-wal.sh %p /backups/wal/%f
# Exit code 0 tells the server that the file is safe and may be recycled: so it is on the disk before it has its name.
set -eu
from=${1:?usage: archive-wal.sh FILE COPY}
to=${2:?usage: archive-wal.sh FILE COPY}

# The server asks again when it ended before it could note the answer; another file of the same name is somebody else's archive.
if [ -e "$to" ]; then
  cmp -s "$from" "$to"
  exit
fi
umask 077
cp "$from" "$to.part"
sync "$to.part"
mv "$to.part" "$to"
