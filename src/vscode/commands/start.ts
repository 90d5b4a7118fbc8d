import * as vscode from 'vscode';
import type { Sandbox } from '../../sandbox/sandbox';
import { runAction } from '../action';
import type { Face } from '../face';
import { severalSandboxes } from '../targets';
import type { Node } from '../tree/node';
import { namesOf, suitable, toEach } from './selection';

/** Starts the chosen sandboxes that do not run. One that was left unfinished is finished. */
export async function startSandboxes(face: Face, node?: Node, selected?: readonly Node[]): Promise<void> {
  const chosen = await severalSandboxes(face, node, selected, {
    title: vscode.l10n.t('Start'),
    suits: canStart,
    none: vscode.l10n.t('All sandboxes are running.'),
  });
  const stopped = suitable(chosen, canStart, (names) => vscode.l10n.t('Already running: {0}.', names));
  if (stopped.length === 0) return;
  const title = vscode.l10n.t('Starting {0}', namesOf(stopped));
  await runAction(face, { title, rows: stopped.map(({ name }) => name) }, ({ lifecycle }, _, runFor) =>
    toEach(stopped, ({ name }) => lifecycle.start(name, runFor(name))),
  );
}

function canStart({ status, mark }: Sandbox): boolean {
  return status !== 'running' || mark !== undefined;
}
