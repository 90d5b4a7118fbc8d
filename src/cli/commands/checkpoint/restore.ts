import type { Pixels } from '../../../app/pixels';
import { parseLabel, parseName, type CheckpointLabel, type SandboxName } from '../../../sandbox/name';
import { changeSandbox } from '../../changeSandbox';
import type { Cli } from '../../cli';
import { cancelled } from '../../../sandbox/errors';
import { defineCommand } from '../../command';

export const restoreCheckpoint = defineCommand({
  name: 'restore',
  summary: 'Take a sandbox back to a checkpoint',
  operands: { name: 'NAME', label: 'LABEL' },
  options: { yes: { type: 'boolean', short: 'y', help: 'Do not ask where newer checkpoints would be destroyed' } },
  details:
    'The present state is first kept as a checkpoint "before-restore-...", until the next restore, so that this can be\n' +
    'undone. On storage that cannot do that (ZFS), newer checkpoints are destroyed, and that is asked about first.',
  run(cli, operands, { yes = false }) {
    const name = parseName(operands.name);
    const label = parseLabel(operands.label);
    return changeSandbox(cli, name, `${name} is as it was at ${label}.`, async (pixels) => {
      if (!yes && cli.terminal.canAsk && !(await confirmed(cli, pixels, name, label))) throw cancelled();
      await pixels.lifecycle.restore(name, label, cli.run);
    });
  },
});

/** Asks only where it cannot be undone. */
async function confirmed(
  { terminal, interruption: { signal } }: Cli,
  { host }: Pixels,
  name: SandboxName,
  label: CheckpointLabel,
): Promise<boolean> {
  if (!(await host.info(signal)).rollbackDestroysNewer) return true;
  if (!(await host.labels(name, signal)).includes(label)) return true; // the restore says so, and which there are
  const newer = await host.lostByRollback(name, label, signal);
  const named = newer.map((each) => each.label ?? `${each.snapshot} (not by Pixels)`).join(', ');
  const lost = newer.length === 0 ? '' : ` Newer snapshots are destroyed: ${named}.`;
  terminal.say(`What changed in ${name} since ${label} is lost.${lost} This cannot be undone.`);
  return terminal.confirm(`Restore ${name} to ${label}?`, signal);
}
