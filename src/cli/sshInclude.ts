import { PixelsError } from '../sandbox/errors';
import type { SshIntegration, UserConfigChange } from '../ssh';
import type { Cli } from './cli';
import { lineDiff } from './diff';

/** Adds our line to the person's SSH configuration, after they have seen the difference and agreed. */
export async function installInclude(cli: Cli, ssh: SshIntegration, yes: boolean): Promise<number> {
  const plan = await ssh.planInclude();
  if (plan.kind === 'present') {
    cli.say(`${plan.path} has the line already.`);
    return 0;
  }
  if (plan.kind === 'read-only') throw readOnly(plan, 'Add this as its first line');
  if (!(await agreed(cli, plan, yes, 'Add the line?'))) return 1;
  await ssh.applyInclude(plan);
  cli.say('ssh, and editors with Remote-SSH, know every sandbox as NAME.pixels now.');
  return 0;
}

/** Takes our line and everything in ~/.ssh/pixels away again. */
export async function removeInclude(cli: Cli, ssh: SshIntegration, yes: boolean): Promise<number> {
  const plan = await ssh.planRemoval();
  cli.say(`${ssh.paths.directory} is deleted, with the key that opens the sandboxes.`);
  const change = plan.kind === 'remove' ? plan : undefined;
  if (!(await agreed(cli, change, yes, 'Remove the SSH integration?'))) return 1;
  await ssh.applyRemoval(plan);
  if (plan.kind === 'read-only') throw readOnly(plan, 'Take this line out of it');
  cli.say('The SSH integration is removed.');
  return 0;
}

async function agreed(
  cli: Cli,
  change: UserConfigChange | undefined,
  yes: boolean,
  question: string,
): Promise<boolean> {
  const { terminal } = cli;
  if (!yes && !terminal.canAsk) {
    throw new PixelsError('invalid', 'There is nobody to ask.', { hint: '--yes agrees to the change.' });
  }
  if (change !== undefined && (cli.speaks || !yes)) {
    const paint = (line: string) =>
      line.startsWith('+') ? terminal.green(line) : line.startsWith('-') ? terminal.red(line) : line;
    const lines = lineDiff(change.before, change.after).trimEnd().split('\n');
    terminal.say([`${change.path}:`, ...lines.map(paint)].join('\n'));
  }
  return yes || terminal.confirm(question, cli.interruption.signal);
}

function readOnly({ path, line }: { path: string; line: string }, what: string): PixelsError {
  return new PixelsError('forbidden', `${path} cannot be written.`, { hint: `${what}: ${line}` });
}
