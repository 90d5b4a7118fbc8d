import { fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { WebSocket } from 'ws';
import { editorPaths } from '../../../scripts/lib/editor.mjs';

export interface LocalExtensionHostOptions {
  /** The editor's directory, as in PIXELS_TEST_EDITOR. */
  readonly editor: string;
  /** The profile's directory. */
  readonly directory: string;
  /** What it prints is appended to this file. */
  readonly logFile: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs VS Code's extension host for Node in a process of its own, with every extension of the profile, and connects it with
 * the window at the other end of `window`; ends it with that. It is started as the desktop starts its local one.
 */
export function runLocalExtensionHost(
  window: WebSocket,
  { editor, directory, logFile, env }: LocalExtensionHostOptions,
): void {
  const { node, codeServer } = editorPaths(editor);
  const code = path.resolve(path.dirname(codeServer), '../../lib/vscode');
  const log = fs.openSync(logFile, 'a');
  const host = fork(path.join(code, 'out/bootstrap-fork.js'), ['--type=extensionHost', '--skipWorkspaceStorageLock'], {
    execPath: node,
    execArgv: ['--import', path.join(import.meta.dirname, 'parentPort.mjs')],
    env: {
      ...env,
      VSCODE_ESM_ENTRYPOINT: 'vs/workbench/api/node/extensionHostProcess',
      VSCODE_NLS_CONFIG: JSON.stringify({ defaultMessagesFile: path.join(code, 'out/nls.messages.json') }),
      VSCODE_WILL_SEND_MESSAGE_PORT: '1',
      VSCODE_HANDLES_UNCAUGHT_ERRORS: 'true',
    },
    stdio: ['ignore', log, log, 'ipc'],
  });
  fs.closeSync(log);
  const send = (message: Buffer): void => {
    if (host.connected) host.send(message.toString('base64'));
  };
  host.on('message', (base64: string) => window.send(Buffer.from(base64, 'base64')));
  host.on('close', () => window.close());
  window.once('message', (first: Buffer) => {
    const initData = JSON.parse(first.toString()) as InitData;
    send(Buffer.from(JSON.stringify(forThisMachine(initData, directory, code))));
    window.on('message', (message: Buffer) => send(message));
  });
  window.on('close', () => host.kill());
}

/** Of what a window tells its extension host at first, the parts that are about the machine. */
interface InitData {
  readonly environment: Readonly<Record<string, unknown>>;
}

/** The window believes its extension host to be in the browser: says instead which extensions and directories it has here. */
function forThisMachine(initData: InitData, directory: string, code: string): object {
  const extensions = installedExtensions(path.join(directory, 'extensions'));
  return {
    ...initData,
    parentPid: process.pid,
    environment: {
      ...initData.environment,
      appRoot: fileUri(code),
      globalStorageHome: fileUri(`${directory}/data/User/globalStorage`),
      workspaceStorageHome: fileUri(`${directory}/data/User/workspaceStorage`),
    },
    extensions: {
      versionId: 0,
      allExtensions: extensions,
      activationEvents: Object.fromEntries(extensions.map(({ id, activationEvents }) => [id, activationEvents])),
      myExtensions: extensions.map(({ identifier }) => identifier),
    },
    logsLocation: fileUri(`${directory}/data/logs/local`),
  };
}

interface Manifest {
  readonly publisher: string;
  readonly name: string;
  readonly activationEvents: readonly string[];
}

function installedExtensions(directory: string) {
  const folders = fs.readdirSync(directory).filter((name) => fs.existsSync(path.join(directory, name, 'package.json')));
  return folders.map((folder) => {
    const manifest = JSON.parse(fs.readFileSync(path.join(directory, folder, 'package.json'), 'utf8')) as Manifest;
    const id = `${manifest.publisher}.${manifest.name}`;
    return {
      ...manifest,
      id,
      identifier: { value: id, _lower: id.toLowerCase() },
      extensionLocation: fileUri(path.join(directory, folder)),
      isBuiltin: false,
      isUserBuiltin: false,
      isUnderDevelopment: false,
      targetPlatform: 'undefined',
    };
  });
}

/** As VS Code's processes tell each other a URI. */
const fileUri = (file: string): object => ({ $mid: 1, scheme: 'file', authority: '', path: file });
