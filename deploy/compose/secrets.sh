#!/bin/sh
# Makes the secrets that compose.yaml mounts. What is there already stays: run it as often as you like.
set -eu
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
# Others on this machine cannot enter; in the containers the users who read the files are not the one who owns them.
chmod 700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

for name in nats_password clickhouse_password grafana_password; do
  [ -s "$folder/$name" ] || random >"$folder/$name"
done
printf 'authorization { user: collector, password: "%s" }\n' "$(cat "$folder/nats_password")" >"$folder/nats_auth"
chmod 444 "$folder"/*
echo "Secrets are in $folder. Grafana: user admin, password in grafana_password."
