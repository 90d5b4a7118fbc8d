import agent from './recipes/agent.toml';
import dev from './recipes/dev.toml';
import node from './recipes/node.toml';
import basics from './recipes/parts/basics.toml';
import nodeLts from './recipes/parts/node-lts.toml';
import python from './recipes/python.toml';
import miseNpm from './recipes/scripts/mise-npm.sh';
import miseSite from './recipes/scripts/mise-site.sh';
import nodeMise from './recipes/scripts/node-mise.sh';
import nodeNpm from './recipes/scripts/node-npm.sh';
import path from './recipes/scripts/path.sh';
import uvPypi from './recipes/scripts/uv-pypi.sh';
import uvSite from './recipes/scripts/uv-site.sh';

/** The recipes that come with Pixels, as they are written, by id. */
export const SHIPPED_RECIPES: Readonly<Record<string, string>> = { agent, dev, node, python };

/** What several of them include; none of these is a recipe by itself. */
export const SHIPPED_PARTS: Readonly<Record<string, string>> = { basics, 'node-lts': nodeLts };

/** What their `script_file`s name. */
export const SHIPPED_SCRIPTS: Readonly<Record<string, string>> = {
  'mise-npm.sh': miseNpm,
  'mise-site.sh': miseSite,
  'node-mise.sh': nodeMise,
  'node-npm.sh': nodeNpm,
  'path.sh': path,
  'uv-pypi.sh': uvPypi,
  'uv-site.sh': uvSite,
};
