import * as vscode from 'vscode';
import { isSafetyLabel, labelFromDate, labelProblem, parseLabel, SAFETY_PREFIX } from '../../sandbox/name';
import { runAction } from '../action';
import type { Face } from '../face';
import { askText } from '../input';
import { oneSandbox } from '../targets';
import type { Node } from '../tree/node';
import { requireCheckpoints } from './requireCheckpoints';

/** Keeps a sandbox's filesystem as it is now, under a label that a person gives (the time is filled in). */
export async function createCheckpoint(face: Face, node?: Node): Promise<void> {
  if (node === undefined) await requireCheckpoints(face);
  const sandbox = await oneSandbox(face, node, { title: vscode.l10n.t('Create Checkpoint') });
  if (sandbox === undefined) return;
  const { name } = sandbox;
  const checkpoints = await face.current.use(({ host }) => host.checkpoints(name));
  const taken = new Set<string>(checkpoints.map(({ label }) => label));
  const answer = await askText({
    title: vscode.l10n.t('Create Checkpoint of {0}', name),
    prompt: vscode.l10n.t('Label of the checkpoint'),
    value: labelFromDate(new Date()),
    problem: (text) => labelProblem(text) ?? takenProblem(text, taken),
  });
  if (answer.kind !== 'answer') return;
  const label = parseLabel(answer.value);
  const title = vscode.l10n.t('Taking checkpoint {0} of {1}', label, name);
  await runAction(face, { title, rows: [name] }, ({ lifecycle }, run) => lifecycle.createCheckpoint(name, label, run));
}

function takenProblem(label: string, taken: ReadonlySet<string>): string | undefined {
  if (taken.has(label)) return vscode.l10n.t('There is already a checkpoint "{0}".', label);
  return isSafetyLabel(label)
    ? vscode.l10n.t('Labels that begin with "{0}" are made by a restore.', SAFETY_PREFIX)
    : undefined;
}
