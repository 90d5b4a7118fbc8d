import * as vscode from 'vscode';
import { runAction } from '../action';
import { withoutLogin } from '../commands/copySshCommand';
import type { Face } from '../face';
import { commandId, type CommandName } from '../ids';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';
import { ensureIncluded } from './include';
import { setRemotePlatform } from './remotePlatform';
import { canOpenSshWindows, refreshHostLists, resolverToInstall } from './resolver';
import { writeSshFiles } from './sshFiles';

/** Starts the sandbox if need be, writes its SSH entry, and opens its home directory in a window. */
export async function openSandboxWindow(
  face: Face,
  node: Node | undefined,
  how: { readonly forceNewWindow: boolean },
): Promise<void> {
  const title = how.forceNewWindow ? vscode.l10n.t('Open in New Window') : vscode.l10n.t('Open in This Window');
  const sandbox = await oneSandbox(face, node, { title });
  if (sandbox === undefined) return;
  const { name } = sandbox;
  const row = face.tree.node(name);
  if (!canOpenSshWindows()) return offerOtherWays(row);
  if (sandbox.state.sshUser === undefined && sandbox.mark === undefined) throw withoutLogin(name);

  const outcome = await runAction(
    face,
    { title: vscode.l10n.t('Opening {0}', name), rows: [name] },
    async (pixels, run) => {
      if (sandbox.status !== 'running' || sandbox.mark !== undefined) await pixels.lifecycle.start(name, run);
      await writeSshFiles(face, pixels);
      return pixels.sshOf(await pixels.host.get(name, run.signal));
    },
  );
  if (outcome.kind !== 'ok') return;
  const { alias, user } = outcome.value;
  if (!(await face.current.use((pixels) => ensureIncluded(face, pixels)))) return offerWithoutInclude(row);
  await setRemotePlatform();
  await refreshHostLists();
  const path = user === 'root' ? '/root' : `/home/${user}`;
  const uri = vscode.Uri.from({ scheme: 'vscode-remote', authority: `ssh-remote+${alias}`, path });
  await vscode.commands.executeCommand('vscode.openFolder', uri, how);
}

async function offerOtherWays(row: Node): Promise<void> {
  const install = vscode.l10n.t('Install');
  const text = vscode.l10n.t('A window in a sandbox needs an extension for remote development over SSH.');
  const chosen = await offer(text, [install], row);
  if (chosen === install) {
    await vscode.commands.executeCommand('workbench.extensions.search', resolverToInstall());
  }
}

async function offerWithoutInclude(row: Node): Promise<void> {
  await offer(vscode.l10n.t('Without the line in your SSH configuration no window can be opened.'), [], row);
}

/** The ways in that always work. */
async function offer(text: string, first: readonly string[], row: Node): Promise<string | undefined> {
  const others: readonly (readonly [string, CommandName])[] = [
    [vscode.l10n.t('Open Terminal Instead'), 'openConsole'],
    [vscode.l10n.t('Copy SSH Command'), 'copySshCommand'],
  ];
  const chosen = await vscode.window.showInformationMessage(text, ...first, ...others.map(([title]) => title));
  const command = others.find(([title]) => title === chosen)?.[1];
  if (command !== undefined) await vscode.commands.executeCommand(commandId(command), row);
  return chosen;
}
