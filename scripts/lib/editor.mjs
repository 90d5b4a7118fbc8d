/**
 * A real VS Code that needs no desktop: code-server (VS Code's own server and workbench) from npm, run by the Node that it
 * insists on. Installed into the cache directory; deleting that is the removal.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { distribution, ensurePackages } from './packages.mjs';
import { cacheDir, commandPath, run, step } from './steps.mjs';

// Changed by hand and together: code-server takes no other major version of Node than the one it was built for.
const versions = { node: '24.21.0', codeServer: '4.139.1' };

// 360 MB that nothing here uses: the AI parts, and binaries for other platforms.
const unused = [
  'extensions/copilot',
  'extensions/mermaid-markdown-features',
  'extensions/microsoft-authentication',
  'node_modules/@github',
  'node_modules/@microsoft/mxc-sdk',
  'node_modules/@devcontainers',
];
const platformDirectories = ['node_modules/@vscode/ripgrep-universal/bin', 'node_modules/node-pty/prebuilds'];

// Built here, in half a minute. Without the first, "Show Log" has no file to show; the second ends orphaned extension hosts.
const addons = ['@vscode/spdlog', '@vscode/native-watchdog'];

/** Where `ensureEditor()` puts things: `{ directory, node, codeServer }`, whether or not they are there. */
export function editorPaths(directory = path.join(cacheDir, 'editor')) {
  return {
    directory,
    node: `${directory}/node/node_modules/node-linux-${process.arch}/bin/node`,
    codeServer: `${directory}/app/node_modules/code-server/out/node/entry.js`,
  };
}

/** Installs the editor where it is missing or of another version, and returns its paths. */
export async function ensureEditor() {
  const paths = editorPaths();
  const stamp = `${paths.directory}/.complete-${Object.values(versions).join('-')}-${process.arch}`;
  if (existsSync(stamp)) return paths;
  await ensurePackages(['g++', 'make', 'python3'], "building two of VS Code's native modules");
  await step('VS Code for the browser', async (note) => {
    rmSync(paths.directory, { recursive: true, force: true });
    await install(paths);
    const env = { HOME: paths.directory, XDG_DATA_HOME: `${paths.directory}/data` }; // it writes a log wherever it runs
    const version = await run(paths.node, [paths.codeServer, '--version', '--config', '/dev/null'], { env });
    note(/with Code (\S+)/.exec(version)?.[1] ?? '');
  });
  writeFileSync(stamp, '');
  return paths;
}

async function install({ directory, node }) {
  // npm's own path, before the other Node comes first on the PATH: that one has no npm.
  const npm = path.join((await run('npm', ['root', '-g'])).trim(), 'npm/bin/npm-cli.js');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const folder = (name) => {
    mkdirSync(`${directory}/${name}`, { recursive: true });
    writeFileSync(`${directory}/${name}/package.json`, '{"private":true}\n');
    return `${directory}/${name}`;
  };
  await run('npm', ['install', ...quiet, `node-linux-${process.arch}@${versions.node}`], {
    cwd: folder('node'),
    env: clean,
  });
  const home = path.dirname(path.dirname(node));
  // The headers are in that package too; a nodedir in the user's .npmrc would be those of another version.
  const env = { ...clean, PATH: `${home}/bin:${process.env.PATH}`, npm_config_nodedir: home };
  const npm24 = (cwd, ...args) => run(node, [npm, ...args, ...quiet], { cwd, env });
  const app = folder('app');
  await npm24(app, 'install', '--ignore-scripts', `code-server@${versions.codeServer}`);
  const server = `${app}/node_modules/code-server/lib/vscode`;
  await npm24(server, 'install', '--omit=dev', '--ignore-scripts');
  await npm24(server, 'rebuild', ...addons);
  for (const name of unused) rmSync(`${server}/${name}`, { recursive: true, force: true });
  for (const name of platformDirectories) {
    if (!existsSync(`${server}/${name}`)) continue;
    for (const platform of readdirSync(`${server}/${name}`)) {
      if (platform !== `linux-${process.arch}`) rmSync(`${server}/${name}/${platform}`, { recursive: true });
    }
  }
}

// npm takes PREFIX for its global prefix. Variables of the npm that runs this script would name its project.
const clean = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name === 'PREFIX' || /^npm_(package|lifecycle|config_local_prefix)/.test(name))
    .map((name) => [name, undefined]),
);

/** The path of a Chromium that is there, $CHROMIUM first, or undefined. */
export function installedChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'];
  return names.map(commandPath).find(Boolean);
}

/** The same, after installing Debian's package where there is none. */
export async function ensureChromium() {
  const found = installedChromium();
  if (found) return found;
  if (distribution().id !== 'debian') {
    throw new Error("No Chromium here, and Ubuntu's package is a snap: install Google Chrome, or set CHROMIUM to one");
  }
  await ensurePackages(['chromium'], 'driving VS Code in a browser');
  return installedChromium();
}
