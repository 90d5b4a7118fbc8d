import type { Pixels } from '../../app/pixels';
import { refuseWithClones } from '../../sandbox/linkedClones';
import { parseName, type SandboxName } from '../../sandbox/name';
import type { Cli } from '../cli';
import { defineCommand } from '../command';
import { updateSshFiles } from '../sshFiles';

export const destroy = defineCommand({
  name: 'destroy',
  summary: 'Remove a sandbox with all that is in it, and its checkpoints',
  operands: { name: 'NAME' },
  options: { yes: { type: 'boolean', short: 'y', help: 'Do not ask. Without a terminal nothing is asked either' } },
  run(cli, operands, { yes = false }) {
    const name = parseName(operands.name);
    return cli.use(async (pixels) => {
      if (!yes && cli.terminal.canAsk && !(await confirmed(cli, pixels, name))) {
        cli.say(`${name} stays.`);
        return 1;
      }
      await pixels.lifecycle.destroy(name, cli.run);
      await updateSshFiles(cli, pixels);
      cli.say(`${name} is gone.`);
      return 0;
    });
  },
});

async function confirmed(
  { terminal, interruption: { signal } }: Cli,
  { host }: Pixels,
  name: SandboxName,
): Promise<boolean> {
  await refuseWithClones(host, { name }, signal);
  const { status } = await host.get(name, signal);
  const labels = (await host.checkpoints(name, signal)).map(({ label }) => label);
  const lost = labels.length === 0 ? 'It has no checkpoints.' : `Its checkpoints are lost too: ${labels.join(', ')}.`;
  terminal.say(`${name} is ${status}. Everything in it is lost. ${lost} This cannot be undone.`);
  return terminal.confirm(`Destroy ${name}?`, signal);
}
