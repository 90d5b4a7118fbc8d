import fs from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { environmentFromSettings } from '../settings';

/**
 * Puts the `pixels` command on the PATH of integrated terminals, with the editor's settings as its own. It is run by the
 * editor's Node, so that a machine needs no other. Changes only what differs: a change marks open terminals as outdated.
 */
export function offerCommandInTerminals(context: vscode.ExtensionContext): void {
  const { environmentVariableCollection: variables, globalStorageUri, extensionPath } = context;
  const directory = path.join(globalStorageUri.fsPath, 'bin');
  const settings = environmentFromSettings();
  const wanted = new Map([['PATH', directory + path.delimiter], ...Object.entries(settings)]);
  variables.forEach((name) => {
    if (!wanted.has(name)) variables.delete(name);
  });
  for (const [name, value] of wanted) {
    if (variables.get(name)?.value === value) continue;
    if (name === 'PATH') variables.prepend(name, value);
    else variables.replace(name, value);
  }
  if (variables.description === undefined) variables.description = vscode.l10n.t('Adds the `pixels` command');
  void writeLaunchers(directory, process.execPath, path.join(extensionPath, 'dist', 'cli.js'));
}

/** `pixels` for shells and `pixels.cmd` for Windows. Both change with the editor's and the extension's version. */
async function writeLaunchers(directory: string, node: string, cli: string): Promise<void> {
  const posix = `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec ${quoted(node)} ${quoted(cli)} "$@"\n`;
  const windows = `@echo off\r\nsetlocal\r\nset ELECTRON_RUN_AS_NODE=1\r\n"${node}" "${cli}" %*\r\n`;
  const [name, text] = process.platform === 'win32' ? ['pixels.cmd', windows] : ['pixels', posix];
  const file = path.join(directory, name);
  try {
    if ((await fs.readFile(file, 'utf8').catch(() => '')) === text) return;
    await fs.mkdir(directory, { recursive: true });
    const fresh = `${file}.${process.pid}`;
    await fs.writeFile(fresh, text, { mode: 0o755 });
    await fs.rename(fresh, file);
  } catch {
    // Two windows at once, or a read-only disk: terminals then lack the command, and say so when it is typed.
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
