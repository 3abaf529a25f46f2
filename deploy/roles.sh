#!/bin/sh
# Run once by the database's own start: the role of the desk (docs/security.md#database).
set -e
psql -v ON_ERROR_STOP=1 -v password="$PCC_DESK_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE pcc_desk LOGIN NOINHERIT PASSWORD :'password';
GRANT CONNECT ON DATABASE pcc TO pcc_desk;
SQL
