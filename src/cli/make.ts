import type { Order } from '../app/order';
import type { Pixels } from '../app/pixels';
import type { EgressMode, Enforcement } from '../egress';
import { PixelsError } from '../sandbox/errors';
import type { SandboxName } from '../sandbox/name';
import { readProvisionRecord } from '../sandbox/provisioning';
import type { Sandbox } from '../sandbox/sandbox';
import { buildInBackground } from './bases';
import type { Cli } from './cli';
import type { Options, Values } from './command';
import { egressMode, enforcementNamed } from './egress';
import { openConsole, refuseWithoutTerminal } from './console';
import { sandboxJson } from './json';
import { waitForProvisioning } from './provisioning';
import { updateSshFiles } from './sshFiles';
import { waitForAddress } from './waitForAddress';

/** Options of both ways to make a sandbox. */
export const MAKE_OPTIONS = {
  cpu: { type: 'string', value: 'N', help: 'Number of CPUs it may use' },
  memory: { type: 'string', value: 'MiB', help: 'Memory that it may use' },
  'no-provision': { type: 'boolean', help: 'Set up no user, SSH server and key: exactly what the source is' },
  console: { type: 'boolean', help: 'Open a console in it, once it is complete' },
  egress: { type: 'string', value: 'MODE', help: 'What it may reach: unrestricted, agent or allowlist' },
  enforcement: { type: 'string', value: 'WHERE', help: 'What sees to that: guest (inside it) or gateway (outside)' },
  wait: { type: 'boolean', help: 'Wait until its recipe has been carried out' },
} as const satisfies Options;

type MakeOptions = Values<typeof MAKE_OPTIONS>;

/** Makes a sandbox, enters it into the SSH files, and says how to reach it; or opens the console in it. */
export function makeSandbox(
  cli: Cli,
  name: SandboxName,
  options: MakeOptions,
  orderOf: (pixels: Pixels, provision: boolean) => Order | Promise<Order>,
): Promise<number> {
  if (options.console) refuseWithoutTerminal(cli);
  const cpu = wholeNumber('--cpu', options.cpu);
  const memoryMiB = wholeNumber('--memory', options.memory);
  const mode = options.egress === undefined ? undefined : egressMode(options.egress);
  const enforcement = enforcementNamed(options.enforcement);
  return cli.use(async (pixels) => {
    const provision = !options['no-provision'] && pixels.config.provision.enabled;
    const { source, defaults, recipe, baseToBuild } = await orderOf(pixels, provision);
    if ('from' in source) await warnOfLinkedClone(cli, pixels, name, source.from.name);
    const onLeftOut = (sentence: string): void => cli.say(`pixels: ${sentence}`);
    const egress = await policyFor(pixels, mode, enforcement);
    const request = { name, source, limits: { cpu, memoryMiB }, defaults, onLeftOut, provision, recipe, egress };
    await pixels.lifecycle.create(request, cli.run);
    if (baseToBuild !== undefined) await buildInBackground(cli, baseToBuild);
    if (provision) await updateSshFiles(cli, pixels);
    if (options.wait || options.console) await waitForProvisioning(cli, pixels, name);
    const sandbox = await pixels.host.get(name, cli.run.signal);
    if (options.console) return openConsole(cli, pixels, sandbox, {});
    if (cli.flags.json) cli.print(sandboxJson(await waitForAddress(pixels, sandbox, cli.run.signal), pixels), String);
    else if (cli.speaks) await sayHowToReach(cli, pixels, sandbox);
    return 0;
  });
}

/** Undefined: as the configuration or the source says. */
async function policyFor(
  { egress, host }: Pixels,
  mode: EgressMode | undefined,
  enforcement: Enforcement | undefined,
): Promise<string | undefined> {
  if (mode !== undefined) return egress.policyOf(host, mode, enforcement);
  if (enforcement === undefined) return undefined;
  throw new PixelsError('invalid', '--enforcement says where --egress is enforced, which is missing.', {
    hint: 'Give both, or set network.enforcement for all new sandboxes.',
  });
}

async function warnOfLinkedClone(cli: Cli, { host }: Pixels, name: SandboxName, source: SandboxName): Promise<void> {
  if (!cli.speaks || !(await host.info(cli.run.signal)).copiesAreLinked) return;
  cli.say(
    `pixels: ${name} becomes a linked clone (truenas.linked_clones): neither ${source} nor the checkpoint that it comes from ` +
      `can be removed before it, and ${source} cannot go back to an older one.`,
  );
}

async function sayHowToReach(cli: Cli, { ssh }: Pixels, { name, state }: Sandbox): Promise<void> {
  const isComplete = readProvisionRecord(state.provision)?.outcome !== 'running';
  cli.say(isComplete ? `${name} is ready.` : `${name} is ready; its recipe goes on in the background.`);
  if (state.sshUser === undefined) {
    cli.terminal.print(`pixels console ${name}\n`);
    return;
  }
  cli.terminal.print(`${await ssh.sshCommand(name)}\n`);
  const plan = await ssh.planInclude().catch(() => undefined);
  if (plan?.kind === 'add') cli.say(`"pixels ssh-config --install" makes it "ssh ${name}.pixels", in editors too.`);
}

function wholeNumber(option: string, typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  if (/^-?\d+$/.test(typed)) return Number(typed);
  throw new PixelsError('invalid', `${option} takes a whole number, not "${typed}".`);
}
