import * as vscode from 'vscode';
import type { Policy, Preset } from '../../../egress';
import { PixelsError } from '../../../sandbox/errors';
import type { Face } from '../../face';
import { refusalKey } from '../../liveRefusals';
import { timeOfDay } from '../../tree/format';
import type { Node, RefusalNode } from '../../tree/node';
import { changePolicy } from './changePolicy';

const HOUR_MS = 3_600_000;

/** Lets a sandbox reach what it could not, for an hour. */
export async function allowForOneHour(face: Face, node?: Node, selected?: readonly Node[]): Promise<void> {
  const { allowingUntil } = await import('../../../egress');
  const until = new Date(Date.now() + HOUR_MS);
  await allow(
    face,
    selectedWith(node, selected),
    (policy, entry, preset) => allowingUntil(policy, entry, until, preset),
    (name, entries) => vscode.l10n.t('{0} may reach {1} until {2}', name, entries, timeOfDay(until)),
  );
}

/** Puts what a sandbox could not reach on its list. */
export async function allowRefused(face: Face, node?: Node, selected?: readonly Node[]): Promise<void> {
  const { allowing } = await import('../../../egress');
  await allow(face, selectedWith(node, selected), allowing, (name, entries) =>
    vscode.l10n.t('{0} may reach {1}', name, entries),
  );
}

/** Does not show these refusals any more, however often they happen. */
export async function ignoreRefusal(face: Face, node?: Node, selected?: readonly Node[]): Promise<void> {
  const nodes = selectedWith(node, selected);
  const [first] = nodes;
  if (first === undefined) return;
  await face.refusals.ignore(
    first.sandbox,
    nodes.map(({ key }) => key),
  );
}

async function allow(
  face: Face,
  nodes: readonly RefusalNode[],
  change: (policy: Policy, entry: string, preset: Preset) => Policy,
  done: (name: string, entries: string) => string,
): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const { entryFor } = await import('../../../egress');
  const keys = new Set(nodes.map(({ key }) => key));
  const refusals = face.refusals.of(first.sandbox).filter((refusal) => keys.has(refusalKey(refusal)));
  const entries = [...new Set(refusals.map(entryFor))].filter((entry) => entry !== undefined);
  if (entries.length === 0) {
    throw new PixelsError('invalid', vscode.l10n.t('That is no name or address that could be allowed.'));
  }
  await changePolicy(
    face,
    first.sandbox,
    (policy, preset) => entries.reduce((before, entry) => change(before, entry, preset), policy),
    () => done(first.sandbox, entries.join(', ')),
  );
  await face.refusals.look(first.sandbox);
}

/** The row, and all selected ones of the same sandbox where it is one of them. */
function selectedWith(node: Node | undefined, selected: readonly Node[] = []): readonly RefusalNode[] {
  if (node?.kind !== 'refusal') return [];
  const isAlike = (each: Node): each is RefusalNode => each.kind === 'refusal' && each.sandbox === node.sandbox;
  return selected.includes(node) ? selected.filter(isAlike) : [node];
}
