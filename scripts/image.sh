#!/bin/sh
# The steps of the Dockerfile, which runs this script; test/system/image.test.ts runs it too, with a folder instead of an image.
#
#   image.sh build SOURCE ROOT   builds SOURCE and lays what ships out under ROOT
#   image.sh finish ROOT         makes the user, its folder, and a Node with the two capabilities, as root
set -eu

user=10001

build() {
  source=$1
  root=$2
  lib=$root/usr/local/lib/starling
  cd "$source"
  npm ci --include=dev --no-audit --no-fund --prefer-offline
  node scripts/build.mjs
  # Everything else is bundled: koffi alone stays outside, because it is compiled.
  npm prune --omit=dev --no-audit --no-fund --prefer-offline
  mkdir -p "$lib/node_modules" "$root/usr/local/bin" "$root/usr/bin"
  cp -R bin dist package.json LICENSE "$lib/"
  cp -R node_modules/koffi node_modules/@koromix "$lib/node_modules/"
  cp deploy/image/starling "$root/usr/local/bin/starling"
  # BIRD's clients, where scripts and people expect them (/bin is /usr/bin).
  ln -s ../local/lib/starling/bin/birdcl.mjs "$root/usr/bin/birdcl"
  ln -s ../local/lib/starling/bin/birdcl6.mjs "$root/usr/bin/birdcl6"
  # `calicoctl node status` looks for processes of these names before it asks the sockets: deploy/kubernetes/node runs them.
  ln -s /bin/sleep "$root/usr/local/bin/bird"
  ln -s /bin/sleep "$root/usr/local/bin/bird6"
}

finish() {
  root=$1
  bin=$root/usr/local/bin
  # In an image this is its own Node; in a test's folder the one that runs.
  cp "$(command -v node)" "$bin/node-net"
  setcap cap_net_admin,cap_net_bind_service+ep "$bin/node-net"
  install -d -o $user -g $user -m 0750 "$root/run/starling"
  if [ -f "$root/etc/passwd" ]; then
    echo "starling:x:$user:$user:starling:/nonexistent:/usr/sbin/nologin" >> "$root/etc/passwd"
    echo "starling:x:$user:" >> "$root/etc/group"
  fi
}

case "${1:-}" in
  build | finish) "$@" ;;
  *)
    echo "usage: image.sh build SOURCE ROOT | finish ROOT" >&2
    exit 2
    ;;
esac
