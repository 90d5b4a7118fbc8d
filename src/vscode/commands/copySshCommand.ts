import * as vscode from 'vscode';
import { PixelsError } from '../../sandbox/errors';
import type { Face } from '../face';
import { writeSshFiles } from '../remote/sshFiles';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';

/** Puts the command that logs into a sandbox on the clipboard. It works at once: the SSH files are written first. */
export async function copySshCommand(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, { title: vscode.l10n.t('Copy SSH Command') });
  if (sandbox === undefined) return;
  if (sandbox.state.sshUser === undefined) throw withoutLogin(sandbox.name);
  const command = await face.current.use(async (pixels) => {
    await writeSshFiles(face, pixels);
    return pixels.ssh.sshCommand(sandbox.name);
  });
  await vscode.env.clipboard.writeText(command);
  void vscode.window.setStatusBarMessage(vscode.l10n.t('Copied: {0}', command), 5000);
}

/** The error of a sandbox that was made without a way in. */
export function withoutLogin(name: string): PixelsError {
  return new PixelsError('wrong-state', vscode.l10n.t('Nobody has set up a login to {0}.', name), {
    hint: vscode.l10n.t('Its console works without one.'),
  });
}
