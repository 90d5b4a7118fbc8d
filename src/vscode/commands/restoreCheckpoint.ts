import * as vscode from 'vscode';
import { isSafetyLabel } from '../../sandbox/name';
import type { Checkpoint, HostInfo, LostSnapshot, Sandbox } from '../../sandbox/sandbox';
import { runAction } from '../action';
import type { Face } from '../face';
import { oneCheckpoint } from '../targets';
import { age, moment } from '../tree/format';
import type { Node } from '../tree/node';
import { requireCheckpoints } from './requireCheckpoints';

/** Takes a sandbox back to a checkpoint, after saying what will be lost. */
export async function restoreCheckpoint(face: Face, node?: Node): Promise<void> {
  if (node === undefined) await requireCheckpoints(face);
  const chosen = await oneCheckpoint(face, node, vscode.l10n.t('Restore Checkpoint'));
  if (chosen === undefined) return;
  const { name } = chosen.sandbox;
  const { label } = chosen.checkpoint;
  const { info, lost } = await face.current.use(async ({ host }) => ({
    info: await host.info(),
    lost: await host.lostByRollback(name, label),
  }));
  const question = isSafetyLabel(label)
    ? vscode.l10n.t('Undo the last restore of {0}?', name)
    : vscode.l10n.t('Restore {0} to {1}?', name, label);
  const detail = consequences(chosen.sandbox, chosen.checkpoint, lost, info).join('\n');
  const restore = vscode.l10n.t('Restore');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, restore)) !== restore) return;
  const title = vscode.l10n.t('Restoring {0}', name);
  await runAction(face, { title, rows: [name] }, ({ lifecycle }, run) => lifecycle.restore(name, label, run));
}

/** What a restore does, in sentences. */
function consequences(
  { status }: Sandbox,
  { createdAt }: Checkpoint,
  lost: readonly LostSnapshot[],
  { rollbackDestroysNewer }: HostInfo,
): string[] {
  const since = vscode.l10n.t(
    'Everything changed in it since {0} ({1}) is taken back.',
    moment(createdAt),
    age(createdAt),
  );
  const restarts = status === 'running' ? [vscode.l10n.t('It is restarted: what runs in it ends.')] : [];
  if (!rollbackDestroysNewer) {
    const safety = vscode.l10n.t(
      'Its present state is kept as a checkpoint until the next restore, so this can be undone.',
    );
    return [since, ...restarts, safety];
  }
  const ours = lost.flatMap(({ label }) => label ?? []);
  const foreign = lost.filter(({ label }) => label === undefined).map(({ snapshot }) => snapshot);
  return [
    since,
    ...restarts,
    ...(ours.length === 0 ? [] : [vscode.l10n.t('Newer checkpoints are destroyed: {0}.', ours.join(', '))]),
    ...(foreign.length === 0
      ? []
      : [vscode.l10n.t('So are newer snapshots that others took: {0}.', foreign.join(', '))]),
    vscode.l10n.t('This cannot be undone.'),
  ];
}
