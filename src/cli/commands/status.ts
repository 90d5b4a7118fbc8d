import type { Pixels } from '../../app/pixels';
import { isKind, type PixelsError } from '../../sandbox/errors';
import { parseName } from '../../sandbox/name';
import type { Sandbox } from '../../sandbox/sandbox';
import { defineCommand } from '../command';
import { age, moment, statusWords } from '../format';
import { sandboxJson } from '../json';
import { provisioningJson, provisioningOf, waitForProvisioning, words, type Provisioning } from '../provisioning';

export const status = defineCommand({
  name: 'status',
  summary: 'Show one sandbox and how to reach it',
  operands: { name: 'NAME' },
  options: { wait: { type: 'boolean', help: 'Wait until its recipe has been carried out, and fail when that failed' } },
  run: (cli, operands, { wait }) =>
    cli.use(async (pixels) => {
      const name = parseName(operands.name);
      const outcome = wait ? await outcomeOf(waitForProvisioning(cli, pixels, name)) : undefined;
      const sandbox = await pixels.host.get(name, cli.run.signal);
      const provisioning = await provisioningOf(pixels, sandbox, cli.run.signal);
      const command = cli.flags.json ? '' : await pixels.ssh.sshCommand(sandbox.name);
      const json = { ...sandboxJson(sandbox, pixels), provision: provisioningJson(provisioning) };
      cli.print(json, () => describe(sandbox, provisioning, pixels, command));
      if (outcome !== undefined) throw outcome;
      return 0;
    }),
});

/** What went wrong inside; what went wrong with the server is thrown. */
async function outcomeOf(waiting: Promise<void>): Promise<PixelsError | undefined> {
  try {
    await waiting;
    return undefined;
  } catch (error) {
    if (isKind(error, 'failed')) return error;
    throw error;
  }
}

function describe(
  sandbox: Sandbox,
  provisioning: Provisioning | undefined,
  pixels: Pixels,
  sshCommand: string,
): string {
  const { name, addresses, cpu, memoryMiB, image, createdAt, checkpointCount, mark, state } = sandbox;
  const { alias, user } = pixels.sshOf(sandbox);
  const facts: readonly (readonly [string, string])[] = [
    ['Name', name],
    ['Status', statusWords(sandbox)],
    ['Addresses', sandbox.isBehindGateway ? 'none, behind a gateway' : addresses.join(', ') || 'none'],
    ['CPUs', cpu === undefined ? "all of the server's" : String(cpu)],
    ['Memory', memoryMiB === undefined ? "all of the server's" : `${memoryMiB} MiB`],
    ['Image', image ?? 'unknown'],
    ['Created', `${moment(createdAt)} (${age(createdAt)} ago)`],
    ['Checkpoints', String(checkpointCount)],
    ['SSH', state.sshUser === undefined ? 'not set up' : `${user}@${alias}: ${sshCommand}`],
    ...(provisioning === undefined ? [] : ([['Recipe', recipeWords(provisioning)]] as const)),
    ...(mark === undefined ? [] : ([['To finish', `pixels finish ${name}`]] as const)),
  ];
  return facts.map(([title, text]) => `${`${title}:`.padEnd(13)}${text}\n`).join('');
}

function recipeWords({ record, progress }: Provisioning): string {
  const outcome =
    record.outcome === 'failed' && record.failed !== undefined ? `failed: ${record.failed}` : record.outcome;
  return `${record.recipe}, ${progress === undefined ? outcome : words(progress)}`;
}
