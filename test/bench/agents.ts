import { machineAuthorities } from '../support/machineAuthorities';
import { repeatedly, timeOf, type Row } from './measure';
import { must } from './ssh';
import type { World } from './world';

/** What a base is for: the command until the sandbox is complete, with real downloads once, and then without any. */
export async function agents({ project, env }: World, cli: string): Promise<Row[]> {
  const whole = {
    ...env,
    PIXELS_DEFAULTS_IMAGE: project.bareImage,
    PIXELS_PROVISION_RECIPE: 'agent',
    PIXELS_PROVISION_CA_CERTIFICATES: machineAuthorities(),
    PIXELS_BASES_AUTO_BUILD: 'false',
  };
  const pixels = (...args: string[]) => must(process.execPath, [cli, ...args], whole);
  const make = async () => {
    const ms = await timeOf(() => pixels('create', 'made', '--wait'));
    await pixels('destroy', 'made', '--yes');
    return ms;
  };
  const fromImage = await make();
  await pixels('base', 'build', 'agent');
  const fromBase = await repeatedly(5, make);
  await pixels('base', 'delete', 'agent');
  const operation = '`pixels create --wait` with all agents, from the base (raw: Pixels from a bare image, once)';
  return [{ operation, pixels: fromBase, raw: fromImage }];
}
