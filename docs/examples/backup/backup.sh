#!/bin/sh
# Writes everything in the schema berth, as of one moment, into one file that pg_restore reads.
# Which database: libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSFILE, PGDATABASE). Nobody has to stop meanwhile.
set -eu
file=${1:?usage: backup.sh FILE}

# It holds names and addresses of people: for its owner only, and under its name only when it is complete and readable.
umask 077
pg_dump --format=custom --schema=berth --lock-wait-timeout=30s --file="$file.part"
pg_restore --list "$file.part" >/dev/null
mv "$file.part" "$file"
echo "Written: $file"
