import * as vscode from 'vscode';
import type { Config } from '../../config';
import { commandRequest, consoleRequest } from '../../provision';
import type { SandboxName } from '../../sandbox/name';
import type { Sandbox } from '../../sandbox/sandbox';
import type { Face } from '../face';
import { SandboxTerminal } from './sandboxTerminal';

/** The tmux session that the editor's consoles join. */
const SESSION = 'main';

/** A terminal with a shell in the sandbox, which survives a disconnect where the sandbox has tmux. */
export function consoleTerminal(face: Face, name: SandboxName): vscode.ExtensionTerminalOptions {
  const pty = new SandboxTerminal(face, {
    name,
    atEnd: 'close',
    request: ({ config }, sandbox, size, variables) =>
      consoleRequest(userOf(sandbox, config), { ...size, session: SESSION, persist: true, variables }),
  });
  return { name, pty, iconPath: new vscode.ThemeIcon('vm'), isTransient: true };
}

/** A terminal in which one command line runs and whose output stays to be read. */
export function commandTerminal(face: Face, name: SandboxName, commandLine: string): vscode.ExtensionTerminalOptions {
  const pty = new SandboxTerminal(face, {
    name,
    atEnd: 'stay',
    request: ({ config }, sandbox, size, variables) => {
      const command = ['bash', '-lc', commandLine];
      const request = commandRequest(userOf(sandbox, config), command, variables);
      return { ...request, env: { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...request.env }, tty: size };
    },
  });
  return { name: `${name}: ${shortened(commandLine)}`, pty, iconPath: new vscode.ThemeIcon('play'), isTransient: true };
}

function shortened(commandLine: string): string {
  return commandLine.length > 24 ? `${commandLine.slice(0, 23)}…` : commandLine;
}

function userOf({ state }: Sandbox, config: Config): string {
  return state.sshUser ?? config.ssh.user;
}
