import * as vscode from 'vscode';
import { FORCED, GRACEFUL } from '../../sandbox/lifecycle';
import type { SandboxName } from '../../sandbox/name';
import { runAction } from '../action';
import type { ErrorButton } from '../errorMessage';
import type { Face } from '../face';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';

/** Stops and starts a sandbox. When it does not shut down in time, it offers force. */
export async function restartSandbox(face: Face, node?: Node): Promise<void> {
  const sandbox = await oneSandbox(face, node, {
    title: vscode.l10n.t('Restart'),
    suits: ({ status }) => status === 'running',
    none: vscode.l10n.t('No sandbox is running.'),
  });
  if (sandbox !== undefined) await restart(face, sandbox.name, false);
}

async function restart(face: Face, name: SandboxName, force: boolean): Promise<void> {
  const title = vscode.l10n.t('Restarting {0}', name);
  const byForce: ErrorButton = { title: vscode.l10n.t('Force Restart'), run: () => restart(face, name, true) };
  await runAction(
    face,
    { title, rows: [name], recover: ({ kind }) => (kind === 'timeout' && !force ? [byForce] : []) },
    ({ lifecycle }, run) => lifecycle.restart(name, force ? FORCED : GRACEFUL, run),
  );
}
