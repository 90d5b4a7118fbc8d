import { commandRequest } from '../../../src/provision';
import { outputOf } from '../../../src/sandbox/exec';
import type { Closable } from '../../../src/sandbox/host';
import { Inventory } from '../../../src/sandbox/inventory';
import type { Source } from '../../../src/sandbox/lifecycle';
import { silentLog } from '../../../src/sandbox/log';
import { parseLabel, parseName, type SandboxName } from '../../../src/sandbox/name';
import { inTurns, timeOf, type Row } from '../measure';
import { login } from '../ssh';
import { READY } from '../world';
import { RawNas } from './rawNas';
import { rawSequences } from './rawSequences';
import type { World } from './world';

/** For what Pixels takes beside the calls that it makes. What it makes more of them than the bare need has no goal. */
const GOAL = { ratio: 1.15 };

export async function list({ pixels, raw }: World): Promise<Row[]> {
  const pair = await inTurns(
    30,
    () => timeOf(() => pixels.host.list()),
    () => timeOf(() => rawSequences.list(raw)),
  );
  return [{ operation: 'list of 60, 10 checkpoints each', ...pair, goal: GOAL }];
}

/** Nothing is asked about a single checkpoint before one looks at those of a sandbox. */
export async function calls({ pixels, nas, source }: World): Promise<Row[]> {
  const row = async (operation: string, value: number, work: () => Promise<unknown>): Promise<Row> => {
    const made = await nas.callsOf(work);
    return { operation, pixels: made.length, unit: 'calls', goal: { value } };
  };
  const inventory = new Inventory(pixels.host, silentLog);
  const ready = new Promise<void>((resolve) =>
    inventory.onDidChange(() => {
      if (inventory.state.kind === 'ready') resolve();
    }),
  );
  const rows = [await row('list of 60, 10 checkpoints each', 2, () => pixels.host.list())];
  let view: Closable | undefined;
  rows.push(
    await row('view of these opened', 6, () => {
      view = inventory.look();
      return ready;
    }),
    await row('checkpoints of one of them shown', 12, () => inventory.checkpoints(source)),
  );
  view?.close();
  return rows;
}

export async function checkpoint({ pixels, raw, source }: World): Promise<Row[]> {
  let count = 0;
  const timed = (take: (label: string) => Promise<unknown>) => async () => {
    const label = `bench-${count++}`;
    const ms = await timeOf(() => take(label));
    await rawSequences.deleteCheckpoint(raw, source, label);
    return ms;
  };
  const ours = timed((label) => pixels.lifecycle.createCheckpoint(source, parseLabel(label)));
  const same = await inTurns(
    20,
    ours,
    timed(async (label) => {
      await rawSequences.look(raw, source);
      await rawSequences.checkpoint(raw, source, label);
    }),
  );
  const bare = await inTurns(
    10,
    ours,
    timed((label) => rawSequences.checkpoint(raw, source, label)),
  );
  return [
    { operation: 'checkpoint, running', ...same, goal: GOAL },
    { operation: 'checkpoint, running (raw: without looking at it first)', ...bare },
  ];
}

/** Both run the same in the sandbox: what makes a user's session, and `true` in it. */
export async function exec(world: World): Promise<Row[]> {
  const { pixels, raw, source, nas } = world;
  const request = commandRequest('pixel', ['true']);
  const [, , script = '', , ...words] = request.command;
  const file = '/tmp/pixels-bench-enter.sh';
  await outputOf(pixels.host, source, { command: ['sh', '-c', `cat >${file}`] }, undefined, script);
  const line = `sh ${file} ${words.map((word) => `'${word}'`).join(' ')}`;
  const shell = await raw.shell(`px-${source}`);
  const kept = await inTurns(
    30,
    () => timeOf(() => outputOf(pixels.host, source, request)),
    () => timeOf(() => shell.run(line)),
  );
  shell.close();
  const single = await inTurns(
    15,
    () =>
      timeOf(async () => {
        const host = world.connectAnew();
        await outputOf(host, source, request);
        host.close();
      }),
    () =>
      timeOf(async () => {
        const own = await RawNas.open(nas.facts);
        const ownShell = await own.shell(`px-${source}`);
        await ownShell.run(line);
        ownShell.close();
        own.close();
      }),
  );
  return [
    { operation: 'exec `true` over an open shell (raw: a line typed into it)', ...kept, goal: GOAL },
    { operation: 'exec `true` over a new connection (raw: a line typed into its shell)', ...single, goal: GOAL },
  ];
}

export async function start(world: World): Promise<Row[]> {
  const { pixels, raw } = world;
  return withCopy(world, 'started', async (name) => {
    const stopped = (begin: () => Promise<void>) => async () => {
      await rawSequences.stop(raw, name);
      return timeOf(begin);
    };
    const same = await inTurns(
      8,
      stopped(() => pixels.host.start(name)),
      stopped(async () => {
        await rawSequences.look(raw, name);
        await rawSequences.run(raw, name);
        await rawSequences.look(raw, name);
      }),
    );
    const pair = await inTurns(
      8,
      stopped(async () => {
        await pixels.lifecycle.start(name);
        await login(pixels, name, world.env);
      }),
      stopped(() => rawSequences.start(world, name)),
    );
    return [
      { operation: 'start', ...same, goal: GOAL },
      { operation: 'start, until ssh (raw: start, address, ssh)', ...pair },
    ];
  });
}

export async function restore(world: World): Promise<Row[]> {
  const { pixels, raw } = world;
  return withCopy(world, 'restored', async (name) => {
    await rawSequences.takeCheckpoints(raw, [`px-${name}`], 9);
    await pixels.lifecycle.createCheckpoint(name, READY);
    const pair = await inTurns(
      8,
      () =>
        timeOf(async () => {
          await pixels.lifecycle.restore(name, READY);
          await login(pixels, name, world.env);
        }),
      () => timeOf(() => rawSequences.restore(world, name)),
    );
    return [{ operation: 'restore, running, until ssh (raw: stop, rollback, start, address, ssh)', ...pair }];
  });
}

export async function clone(world: World): Promise<Row[]> {
  const { source } = world;
  const pair = await inTurns(
    8,
    making(world, (name) => make(world, name, { from: { name: source, label: READY } })),
    making(world, (name) => rawSequences.clone(world, name)),
  );
  return [{ operation: 'clone of a checkpoint, until ssh (raw: create, copy, start, address, ssh)', ...pair }];
}

export async function create(world: World): Promise<Row[]> {
  const pair = await inTurns(
    8,
    making(world, (name) => make(world, name, { image: world.project.image, placement: {} })),
    making(world, (name) => rawSequences.create(world, name)),
  );
  return [{ operation: 'create from an image, until ssh (raw: create, start, key, address, ssh)', ...pair }];
}

/** All that `pixels create` does, until the first login. */
async function make(world: World, name: SandboxName, source: Source): Promise<void> {
  const { lifecycle, host } = world.pixels;
  await lifecycle.create({ name, source, limits: {}, provision: true });
  await world.pixels.syncSsh(await host.list());
  await login(world.pixels, name, world.env);
}

/** Times the making of a sandbox, and removes it. */
function making({ raw }: World, makeIt: (name: SandboxName) => Promise<void>) {
  const name = parseName('made');
  return async () => {
    const ms = await timeOf(() => makeIt(name));
    await rawSequences.stop(raw, name);
    await rawSequences.destroy(raw, name);
    return ms;
  };
}

/** A running copy of `ready` for the length of a measurement. */
async function withCopy(world: World, typed: string, measure: (name: SandboxName) => Promise<Row[]>): Promise<Row[]> {
  const name = parseName(typed);
  await make(world, name, { from: { name: world.source, label: READY } });
  const rows = await measure(name);
  await world.pixels.lifecycle.destroy(name);
  return rows;
}
