import fs from 'node:fs/promises';
import type { Config, LoadedConfig } from '../../config';
import { check, ok, warning, type Check } from '../../sandbox/check';
import { openSsh, type PixelsOptions } from '../pixels';
import { examineServer } from './server';

export type { Check } from '../../sandbox/check';

/** What a face gives to the doctor. */
export interface DoctorOptions extends Omit<PixelsOptions, 'config' | 'apiKey'> {
  /** The configuration as it is now. @throws PixelsError `config`. */
  readonly configuration: () => Promise<LoadedConfig>;
  /** The API key for a TrueNAS, when the configuration has none. */
  readonly apiKey?: ((config: Config) => Promise<string | undefined>) | undefined;
  /** What only this face can look at; it comes last. */
  readonly more?: (() => readonly Check[]) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told of each check as soon as it is made, in their order. */
  readonly onCheck?: ((check: Check) => void) | undefined;
}

/**
 * Looks at everything that Pixels needs, from the configuration to ssh, with a connection of its own. Changes nothing and asks
 * nothing; each check ends within a time of its own. What is wrong is a check.
 * @throws PixelsError only `cancelled`.
 */
export async function diagnose(options: DoctorOptions): Promise<readonly Check[]> {
  const { configuration, more, signal, onCheck } = options;
  const checks: Check[] = [];
  const report = (found: readonly Check[]): void => {
    checks.push(...found);
    for (const each of found) onCheck?.(each);
  };
  let loaded: LoadedConfig | undefined;
  const look = async () => {
    loaded = await configuration();
    return ok(await describe(loaded));
  };
  report([await check('Configuration', look, { signal })]);
  if (loaded !== undefined) {
    const { config, warnings } = loaded;
    report(warnings.map((sentence) => ({ title: 'Configuration', ...warning(sentence) })));
    const opening = { ...options, config, apiKey: async () => options.apiKey?.(config) };
    await examineServer(opening, report);
    report(await openSsh(opening).examine(signal));
  }
  report(more?.() ?? []);
  return checks;
}

/** Whether nothing that was looked at has failed. */
export function isHealthy(checks: readonly Check[]): boolean {
  return checks.every(({ verdict }) => verdict !== 'failed');
}

async function describe({ file, config: { backend } }: LoadedConfig): Promise<string> {
  const where = `sandboxes are on ${backend === 'truenas' ? 'TrueNAS' : 'Incus'}`;
  const isThere = await fs.access(file).then(
    () => true,
    () => false,
  );
  return isThere ? `${file} is in use; ${where}.` : `There is no ${file}, and none is needed; ${where}.`;
}
