#!/bin/sh
# Copies the whole server while it runs: what a restore to a point in time starts from. Which server: libpq's variables, a role with REPLICATION.
set -eu
folder=${1:?usage: base-backup.sh FOLDER (that is not there yet)}

umask 077
pg_basebackup --pgdata="$folder" --checkpoint=fast --wal-method=stream
pg_verifybackup --quiet "$folder"
echo "Written and verified: $folder"
