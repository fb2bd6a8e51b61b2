#!/bin/sh
# What a restore of the accounts takes, in its order, up to the start of the edge: restores a file of backup.sh into an empty database, brings schema and
# roles up to the program that is to run on it, ends all sessions, and looks whether the audit chain has a head that was noted before.
# In a drill as in an emergency; the keys are not its business (docs/upgrades.md).
# Which database: libpq's variables, a role that owns it and may create roles; PGDATABASE and PGHOST must be set.
# Reads: EDGE (Berth.Edge, the program, with arguments if need be), ROLES (berth, prefix of the roles), LOGIN (a role the edge signs in as, with its
#        password in BERTH_LOGIN_PASSWORD; none by default)
set -eu
usage='usage: drill.sh FILE [SEQUENCE HASH]'
file=${1:?$usage}
sequence=${2:-} hash=${3:-}
: "${PGDATABASE:?name the database to restore into}" "${PGHOST:?name the server to restore to}"

case $sequence in
  *[!0-9]*) echo "That is no sequence number of the audit chain: $sequence" >&2; exit 2 ;;
esac
case $hash in
  *[!0-9a-f]*) echo "That is no hash of the audit chain: $hash" >&2; exit 2 ;;
esac
if { [ -n "$sequence" ] && [ -z "$hash" ]; } || { [ -z "$sequence" ] && [ -n "$hash" ]; }; then
  echo "$usage" >&2
  exit 2
fi

"$(dirname "$0")/restore.sh" "$file"

# Npgsql reads PGPASSWORD and PGPASSFILE as libpq does.
# shellcheck disable=SC2086  # the program and its arguments
${EDGE:-Berth.Edge} migrate --roles "${ROLES:-berth}" ${LOGIN:+--login "$LOGIN"} \
  --connection "Host=$PGHOST;Port=${PGPORT:-5432};Database=$PGDATABASE${PGUSER:+;Username=$PGUSER}"

# Revocations after the backup are gone: who was signed out since would be in again.
psql -XAtqc 'UPDATE berth.people SET epoch = epoch + 1'
echo "Ended: all sessions"

psql -XAtqc "SELECT 'Audit chain: ends at ' || seq || ' ' || encode(hash, 'hex') FROM berth.audit_events ORDER BY seq DESC LIMIT 1"
if [ -n "$sequence" ]; then
  found=$(psql -XAtqc "SELECT encode(hash, 'hex') FROM berth.audit_events WHERE seq = $sequence
    UNION SELECT encode(hash, 'hex') FROM berth.audit_checkpoints WHERE seq = $sequence")
  if [ "$found" != "$hash" ]; then
    echo "The audit chain does not have the head that was noted: at $sequence it has ${found:-nothing}." >&2
    exit 1
  fi
  echo "Audit chain: has the head that was noted"
fi
echo "Next: start the edge on it with the saved keys, and ask it for GET /api/audit/verification"
