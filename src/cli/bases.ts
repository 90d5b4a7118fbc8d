import path from 'node:path';
import { parseBaseName, type BaseName } from '../sandbox/base';
import type { Base } from '../sandbox/bases';
import type { Cli } from './cli';

/** Builds a base and says how that went. @param again also where there is nothing to do. */
export function build(cli: Cli, typed: string, again: boolean): Promise<number> {
  const name = parseBaseName(typed);
  return cli.use(async ({ bases }) => {
    const isNew = await bases.build(name, { again }, cli.run);
    cli.say(isNew ? `The base ${name} is built.` : `The base ${name} is up to date.`);
    if (!cli.flags.json) return 0;
    const built = (await bases.list(cli.run.signal)).find((base) => base.name === name);
    if (built !== undefined) cli.print(baseJson(built), String);
    return 0;
  });
}

/** Has a base built by a process of its own, which goes on when this one and its terminal have ended. */
export async function buildInBackground(cli: Cli, name: BaseName): Promise<void> {
  const { spawn } = await import('node:child_process');
  const { config, socket, remote, project } = cli.flags;
  const server = Object.entries({ config, socket, remote, project }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, value],
  );
  const args = [path.join(cli.dist, 'cli.js'), 'base', 'build', name, '--quiet', ...server];
  const child = spawn(process.execPath, args, { detached: true, stdio: 'ignore', windowsHide: true });
  child.once('error', () => undefined); // the next create tries again
  child.unref();
  cli.say(`The base ${name} is being built in the background, so that the next one is ready in seconds.`);
}

/** `up to date`, `failed: Codex`. */
export function baseStatusWords({ status, record }: Base): string {
  const words = {
    missing: 'not built',
    building: 'being built',
    deleting: 'being deleted',
    interrupted: 'build unfinished',
    failed: record?.failed === undefined ? 'failed' : `failed: ${record.failed}`,
    stale: 'stale',
    ready: 'up to date',
    foreign: 'not made by Pixels',
  };
  return words[status];
}

/** A base as `--json` shows it. Keys that do not apply are null. */
export function baseJson({ name, status, definition, record }: Base): object {
  return {
    name,
    status,
    from: definition?.parent ?? null,
    image: definition?.image ?? null,
    description: definition?.description ?? null,
    builtAt: record === undefined || record.outcome === 'building' ? null : new Date(record.since),
    failed: record?.failed ?? null,
  };
}
