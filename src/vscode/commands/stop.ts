import * as vscode from 'vscode';
import { FORCED, GRACEFUL } from '../../sandbox/lifecycle';
import type { Sandbox } from '../../sandbox/sandbox';
import { runAction } from '../action';
import type { ErrorButton } from '../errorMessage';
import type { Face } from '../face';
import { severalSandboxes } from '../targets';
import type { Node } from '../tree/node';
import { namesOf, suitable, toEach } from './selection';

/** Stops the chosen sandboxes that run. When one does not shut down in time, it offers force. */
export async function stopSandboxes(face: Face, node?: Node, selected?: readonly Node[]): Promise<void> {
  const chosen = await severalSandboxes(face, node, selected, {
    title: vscode.l10n.t('Stop'),
    suits: canStop,
    none: vscode.l10n.t('All sandboxes are stopped.'),
  });
  const running = suitable(chosen, canStop, (names) => vscode.l10n.t('Already stopped: {0}.', names));
  if (running.length > 0) await stop(face, running, false);
}

async function stop(face: Face, sandboxes: readonly Sandbox[], force: boolean): Promise<void> {
  const title = vscode.l10n.t('Stopping {0}', namesOf(sandboxes));
  const rows = sandboxes.map(({ name }) => name);
  const byForce: ErrorButton = { title: vscode.l10n.t('Force Stop'), run: () => stop(face, sandboxes, true) };
  await runAction(
    face,
    { title, rows, recover: ({ kind }) => (kind === 'timeout' && !force ? [byForce] : []) },
    ({ lifecycle }, _, runFor) =>
      toEach(sandboxes, ({ name }) => lifecycle.stop(name, force ? FORCED : GRACEFUL, runFor(name))),
  );
}

function canStop({ status }: Sandbox): boolean {
  return status !== 'stopped';
}
