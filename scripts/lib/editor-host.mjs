/**
 * Runs the VS Code that editor.mjs installed, for the demo and the end-to-end tests (types: editor-host.d.mts). What is true
 * only of this VS Code: it is a web workbench with a remote extension host, so `vscode.env.remoteName` is always set and an
 * extension of kind ["ui"] alone would not load.
 */
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { editorPaths } from './editor.mjs';
import { freePort } from './port.mjs';
import { run, until } from './steps.mjs';

/** Settings that keep away everything that would move the view or call home. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.confirmBeforeClose': 'never',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
};

/**
 * A profile: all that this VS Code reads and writes is under `directory`. With `home`, programs started in it (`ssh` among
 * them) see that HOME; otherwise one under `directory`. `editor`: where the editor is, by default in the cache directory.
 */
export function createProfile(directory, { home, settings = {}, editor } = {}) {
  for (const name of ['home', 'extensions', 'data/User', 'workspace'])
    mkdirSync(`${directory}/${name}`, { recursive: true });
  writeFileSync(`${directory}/data/User/settings.json`, JSON.stringify({ ...quietSettings, ...settings }, null, 2));
  // In a file, since every user of the machine can read a command line. On loopback, every one of them can reach the port.
  const password = randomBytes(12).toString('base64url');
  writeFileSync(`${directory}/config.yaml`, `auth: password\npassword: ${password}\ncert: false\n`, { mode: 0o600 });
  return {
    directory,
    editor,
    home: home ?? `${directory}/home`,
    ownHome: !home,
    password,
    workspace: `${directory}/workspace`,
  };
}

/** Installs a .vsix into the profile. Throws when VS Code refuses it. */
export async function installExtension(profile, vsix) {
  const { node, codeServer } = editorPaths(profile.editor);
  await run(node, [codeServer, ...common(profile), '--force', '--install-extension', path.resolve(vsix)], {
    env: editorEnvironment(profile),
  });
}

/**
 * Starts VS Code on a free port of 127.0.0.1 (or on `port`) and waits until it answers. `env` is added to its environment;
 * an undefined value takes a variable away. The result's `stop()` ends it with its extension hosts and terminals.
 */
export async function startEditor(profile, { port, env = {} } = {}) {
  const { node, codeServer } = editorPaths(profile.editor);
  const authority = `127.0.0.1:${port ?? (await freePort())}`;
  const logFile = `${profile.directory}/server.log`;
  const log = openSync(logFile, 'a');
  const quiet = ['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'];
  const child = spawn(node, [codeServer, ...common(profile), '--bind-addr', authority, ...quiet], {
    env: { ...process.env, ...editorEnvironment(profile), ...env },
    stdio: ['ignore', log, log],
    detached: true, // a process group of its own, so that all of it can be ended
  });
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch {
      // the group is gone already
    }
  };
  const lastResort = () => signal('SIGKILL');
  process.once('exit', lastResort);
  const stop = async () => {
    if (!ended()) {
      signal('SIGTERM');
      await until('VS Code ended', 5000, ended).catch(() => {});
    }
    signal('SIGKILL');
    process.off('exit', lastResort);
  };
  try {
    await until('VS Code answers', 30_000, async () => {
      if (ended()) throw new Error(`VS Code ended: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
      return fetch(`http://${authority}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://${authority}/`, authority, profile, pid: child.pid, logFile, stop };
}

function common({ directory }) {
  const data = ['--user-data-dir', `${directory}/data`, '--extensions-dir', `${directory}/extensions`];
  return ['--config', `${directory}/config.yaml`, ...data, '--disable-workspace-trust'];
}

/**
 * What VS Code's processes get on top of this one's environment: the profile's directories, and without the variables of a
 * VS Code or code-server that this script may run in, which would redirect this one.
 */
export function editorEnvironment({ directory, home, ownHome }) {
  const foreign = Object.keys(process.env).filter((name) =>
    /^(VSCODE_|CODE_SERVER_|ELECTRON_|PORT$|(HASHED_)?PASSWORD$)/.test(name),
  );
  return {
    ...Object.fromEntries(foreign.map((name) => [name, undefined])),
    HOME: home,
    ...(ownHome ? { XDG_CONFIG_HOME: `${home}/.config`, XDG_STATE_HOME: `${home}/.local/state` } : {}),
    // code-server's heartbeat and VS Code's device id, whatever the flags say
    XDG_DATA_HOME: `${directory}/home/.local/share`,
    XDG_CACHE_HOME: `${directory}/home/.cache`,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}', // no look-ups
  };
}
