#!/bin/sh
# A throw-away Postgres that cannot outlive the program that started it.
#
#   sh postgres.sh BINARIES FOLDER     with file descriptor 3 held open by the starter
#
# The starter ends it by closing descriptor 3. If the starter crashes or is killed, even by SIGKILL, the operating system
# closes it. Either way Postgres is stopped and FOLDER removed, and no process is left. Clients connect through the
# socket in FOLDER, which only its owner may enter: there is no port to collide with and no password to manage.
binaries=$1
folder=$2

"$binaries/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale \
  --wal-segsize=1 --no-sync --no-instructions 3<&- >"$folder/initdb.log" 2>&1 || {
  cat "$folder/initdb.log" >&2
  rm -rf "$folder"
  exit 1
}

# Durability is off, because the data goes with the folder; memory is for one small service.
"$binaries/postgres" -D "$folder/data" -c listen_addresses= -c unix_socket_directories="$folder" \
  -c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off -c io_method=sync \
  -c shared_buffers=16MB -c max_connections=60 3<&- &
postgres=$!

# SIGQUIT is Postgres's immediate shutdown: nothing is written that would be removed right after.
(read -r _ <&3; kill -QUIT "$postgres") 2>/dev/null &
watch=$!

wait "$postgres"
status=$?
kill "$watch" 2>/dev/null
rm -rf "$folder"
exit "$status"
