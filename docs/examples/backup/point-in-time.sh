#!/bin/sh
# Makes a data folder that, once a server is started on it, is as it was at a time: a base backup and the log archived since.
set -eu
usage='usage: point-in-time.sh BASE-BACKUP ARCHIVE NEW-FOLDER TIME (such as "2030-01-31 12:00:00+00"); folders with their full path'
base=${1:?$usage} archive=${2:?$usage} data=${3:?$usage} time=${4:?$usage}

for path in "$base" "$archive" "$data"; do
  case $path in
    *[\'\"\\%]*) echo "A path must not have quotes, backslashes or percent signs: $path" >&2; exit 2 ;;
    /*) ;;
    *) echo "Give the full path: $path" >&2; exit 2 ;;
  esac
done
case $time in
  *[!0-9:.+\ -]*) echo "That is no time: $time" >&2; exit 2 ;;
esac
if [ -e "$data" ]; then
  echo "$data is there already; nothing was changed." >&2
  exit 1
fi

umask 077
cp -R "$base" "$data"
chmod 700 "$data"
# It must not archive into the archive it is made from; and it opens for writing once it has reached the time.
cat >>"$data/postgresql.auto.conf" <<END
restore_command = 'cp "$archive/%f" "%p"'
recovery_target_time = '$time'
recovery_target_action = 'promote'
archive_mode = 'off'
END
touch "$data/recovery.signal"
echo "Start a server on $data and look at its log: 'recovery stopping before commit' names the time it reached."
