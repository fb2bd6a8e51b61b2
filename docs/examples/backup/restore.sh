#!/bin/sh
# Restores a file of backup.sh into a database that has no schema berth yet, all of it or nothing.
# Which database: libpq's variables; PGDATABASE must be set. Owners and rights are not taken over: run 'migrate --roles' afterwards.
set -eu
file=${1:?usage: restore.sh FILE}
: "${PGDATABASE:?name the database to restore into}"

if [ "$(psql -XAtqc "SELECT to_regnamespace('berth') IS NOT NULL")" = t ]; then
  echo "The database $PGDATABASE has a schema berth already. Restore into another one, or rename that schema first." >&2
  exit 1
fi
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$PGDATABASE" "$file"
psql -XAtqc "SELECT 'Restored: ' || (SELECT count(*) FROM berth.people) || ' people, version ' || max(version) FROM berth.schema_versions"
