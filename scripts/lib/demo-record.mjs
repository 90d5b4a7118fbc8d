/**
 * What the demo added to this machine, so that `--remove` takes away that and nothing else. It is state, not a cache: it is
 * kept where a cleaned cache does not take it along.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const stateHome = process.env.XDG_STATE_HOME || path.join(homedir(), '.local/state');

/** The demo's own directory: the record, and the profile of its VS Code. */
export const demoDirectory = path.join(stateHome, 'pixels-demo');

/**
 * `add({ key: value })` writes at once, since the script may be killed at any moment; lists grow. `get(key)` is undefined
 * for what the demo did not make. `erase()` forgets all of it.
 */
export function demoRecord() {
  const file = path.join(demoDirectory, 'made.json');
  const made = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const write = () => {
    mkdirSync(demoDirectory, { recursive: true });
    writeFileSync(file, JSON.stringify(made, null, 2));
  };
  return {
    file,
    exists: existsSync(file),
    get: (key) => made[key],
    add(entries) {
      for (const [key, value] of Object.entries(entries)) {
        made[key] = Array.isArray(value) ? [...new Set([...(made[key] ?? []), ...value])] : value;
      }
      write();
    },
    forget(key) {
      delete made[key];
      write();
    },
    erase: () => rmSync(demoDirectory, { recursive: true, force: true }),
  };
}
