#!/bin/sh
# Node.js for this machine is an npm package too, and so is npm. The registry does not say which versions are LTS, but each
# program knows about itself (process.release.lts): the newest even major version that says so is taken.
package=node-linux-$(npm_architecture)
base=$HOME/.local/share/pixels
from_npm "$package" "$base/node.new"
lts() { "$base/node.new/bin/node" -p 'process.release.lts ?? ""'; }
if [ -z "$(lts)" ]; then
  major=$("$base/node.new/bin/node" -p 'parseInt(process.versions.node)')
  major=$((major - major % 2))
  until from_npm "$package" "$base/node.new" $major && [ -n "$(lts)" ]; do
    major=$((major - 2))
    [ $major -ge 20 ] # set -e: there is none
  done
fi
from_npm npm "$base/node.new/lib/node_modules/npm"
rm -rf "$base/node"
mv "$base/node.new" "$base/node"
mkdir -p "$HOME/.local/bin"
ln -sf "$base/node/bin/node" "$HOME/.local/bin/node"
for program in npm npx; do
  ln -sf "$base/node/lib/node_modules/npm/bin/$program-cli.js" "$HOME/.local/bin/$program"
done
npm_for_user
