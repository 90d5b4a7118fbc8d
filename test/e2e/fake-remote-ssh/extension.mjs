import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';

/**
 * Takes the place of the editor's own commands for all extensions in this host, and appends what they are asked to the file
 * that STAND_IN_LOG names, one JSON object a line. In this editor a window on another host would lose its host.
 */
export function activate(context) {
  for (const command of ['vscode.openFolder', 'vscode.newWindow', 'opensshremotes.explorer.refresh']) {
    const noteCommand = (uri, options) =>
      note({ command, uri: uri instanceof vscode.Uri ? uri.toString(true) : undefined, options });
    context.subscriptions.push(vscode.commands.registerCommand(command, noteCommand));
  }
  context.subscriptions.push(vscode.workspace.registerRemoteAuthorityResolver('ssh-remote', { resolve }));
}

/**
 * Appends what ssh knows of the host now, and the measuring points of this extension host. On a sandbox it logs in, as
 * Remote-SSH does, to ask for the variable that STAND_IN_PRINTENV names. Where Remote-SSH would start a server, it names the
 * one of STAND_IN_SERVER.
 */
function resolve(authority) {
  const marks = globalThis.MonacoPerformanceMarks.getMarks();
  const config = path.join(os.homedir(), '.ssh/pixels/config');
  const alias = authority.replace('ssh-remote+', '');
  const asked = spawnSync('ssh', ['-G', '-F', config, alias], { encoding: 'utf8' });
  const { STAND_IN_PRINTENV: variable } = process.env;
  const login = ['-F', config, '-o', 'BatchMode=yes', alias, 'printenv', variable];
  const answer = alias.endsWith('.pixels') && variable ? spawnSync('ssh', login, { encoding: 'utf8' }) : undefined;
  const printed = answer && answer.stdout + answer.stderr;
  note({ command: 'resolve', uri: authority, ssh: asked.stdout + asked.stderr, marks, printed });
  const [host, port] = process.env.STAND_IN_SERVER.split(':');
  return new vscode.ResolvedAuthority(host, Number(port));
}

const note = (line) => fs.appendFileSync(process.env.STAND_IN_LOG, `${JSON.stringify(line)}\n`);
