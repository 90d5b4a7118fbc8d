import { sandboxesIn } from '../../sandbox/base';
import { check, ok, warning, type Check, type Finding } from '../../sandbox/check';
import type { SandboxHost } from '../../sandbox/host';
import { chosenLimits } from '../../sandbox/limits';
import { isUnderWay } from '../../sandbox/mark';
import type { Capability, HostInfo } from '../../sandbox/sandbox';
import { usualRecipe } from '../order';
import { openPixels, type Pixels, type PixelsOptions } from '../pixels';
import { certificateFinding } from './certificate';
import { baseFinding, provisioningFinding } from './provisioning';

/** A NAS may take its time to let somebody in. */
const CONNECT_LIMIT_MS = 30_000;

const TITLES: Readonly<Record<Capability, string>> = { memoryLimit: 'Memory limits', checkpoints: 'Checkpoints' };

/** The way to the server, and, when there is one, everything about it. */
export async function examineServer(
  options: PixelsOptions & { readonly signal?: AbortSignal | undefined },
  report: (checks: readonly Check[]) => void,
): Promise<void> {
  const { config, signal } = options;
  const certificate = await certificateFinding(config);
  if (certificate !== undefined) report([{ title: 'Certificate', ...certificate }]);
  let pixels: Pixels | undefined;
  let info: HostInfo | undefined;
  const connect = async (until: AbortSignal): Promise<Finding> => {
    const began = performance.now();
    pixels = await openPixels(options);
    info = await pixels.host.info(until);
    return ok(`${info.title} lets us in, within ${msSince(began)} ms.`);
  };
  try {
    report([await check('Server', connect, { signal, limitMs: CONNECT_LIMIT_MS })]);
    if (pixels === undefined) return;
    const { host, lifecycle } = pixels;
    if (info !== undefined) {
      report([await check('Sandboxes', (until) => sandboxes(host, until), { signal })]);
      report(await aboutLimits(info, pixels));
      const { image, pool, network } = config.defaults;
      report(await host.examine({ image, pool, network }, signal));
    }
    const provisioning = await check('Provisioning', () => provisioningFinding(config, lifecycle), { signal });
    report([provisioning]);
    if (info !== undefined && provisioning.verdict === 'ok') report(await aboutBase(info, pixels, signal));
  } finally {
    pixels?.close();
  }
}

/** A base is a checkpoint, where there are such. */
async function aboutBase(
  { lacks }: HostInfo,
  { config, bases }: Pixels,
  signal?: AbortSignal,
): Promise<readonly Check[]> {
  const recipe = usualRecipe(config);
  if (recipe === undefined || lacks.checkpoints !== undefined) return [];
  return [await check('Base', (until) => baseFinding(recipe, bases, until), { signal })];
}

/** A list is what is asked for most, over a connection that is there. */
async function sandboxes(host: SandboxHost, signal: AbortSignal): Promise<Finding> {
  const began = performance.now();
  const all = sandboxesIn(await host.list(signal));
  const count = all.length === 0 ? 'are none yet' : all.length === 1 ? 'is one' : `are ${all.length}`;
  const sentence = `There ${count}; listing them takes ${msSince(began)} ms.`;
  const unfinished = all.filter(({ mark }) => mark !== undefined && !isUnderWay(mark)).map(({ name }) => name);
  if (unfinished.length === 0) return ok(sentence);
  const advice = '"Pixels: Finish Interrupted Action" or "pixels finish NAME" completes what was begun.';
  return warning(`${sentence} Something was interrupted on: ${unfinished.join(', ')}.`, advice);
}

/** What the server cannot do, and defaults that it cannot give. */
async function aboutLimits(info: HostInfo, { config: { defaults } }: Pixels): Promise<readonly Check[]> {
  const lacks = Object.entries(info.lacks) as readonly [Capability, string][];
  const checks: Check[] = lacks.map(([capability, sentence]) => ({ title: TITLES[capability], ...warning(sentence) }));
  const onLeftOut = (sentence: string): void => void checks.push({ title: 'Defaults', ...warning(sentence) });
  await chosenLimits({ info: () => Promise.resolve(info) }, { limits: {}, defaults, onLeftOut });
  return checks;
}

/** Tenths only where there are few. */
function msSince(began: number): string {
  const tookMs = performance.now() - began;
  return tookMs.toFixed(tookMs < 10 ? 1 : 0);
}
