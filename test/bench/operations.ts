import { setTimeout as sleep } from 'node:timers/promises';
import { commandRequest } from '../../src/provision';
import { outputOf } from '../../src/sandbox/exec';
import type { Source } from '../../src/sandbox/lifecycle';
import { parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import { inTurns, repeatedly, timeOf, type Row } from './measure';
import { rawSequences } from './rawSequences';
import { login, must } from './ssh';
import { move, READY, type World } from './world';

const MOVED_BYTES = 200_000_000;

export async function list({ pixels, project }: World): Promise<Row[]> {
  const ours = () => timeOf(() => pixels.host.list());
  const alone = await inTurns(30, ours, () => timeOf(() => rawSequences.list(project)));
  const same = await inTurns(30, ours, () => timeOf(() => rawSequences.listWithAll(project)));
  return [
    { operation: 'list of 60', ...same, goal: { ratio: 1.5 } },
    // For comparison: without the addresses and the numbers of checkpoints, one request is enough.
    { operation: 'list of 60 (raw: without addresses and checkpoints)', ...alone },
  ];
}

export async function checkpoint({ pixels, project, source }: World): Promise<Row[]> {
  let count = 0;
  const timed = (take: (label: string) => Promise<unknown>) => async () => {
    const label = `bench-${count++}`;
    const ms = await timeOf(() => take(label));
    await project.raw.must('DELETE', `/1.0/instances/px-${source}/snapshots/${label}`);
    return ms;
  };
  const pair = await inTurns(
    20,
    timed((label) => pixels.lifecycle.createCheckpoint(source, parseLabel(label))),
    timed((label) => rawSequences.checkpoint(project, source, label)),
  );
  return [{ operation: 'checkpoint, running', ...pair, goal: { ratio: 1.3 } }];
}

export async function exec({ pixels, project, source }: World): Promise<Row[]> {
  const pair = await inTurns(
    30,
    () => timeOf(() => outputOf(pixels.host, source, commandRequest('pixel', ['true']))),
    () => timeOf(() => rawSequences.exec(project, source, ['true'])),
  );
  return [{ operation: 'exec `true`', ...pair }];
}

export async function restore(world: World): Promise<Row[]> {
  const { pixels } = world;
  const name = parseName('restored');
  await make(world, name, { from: { name: world.source, label: READY } });
  await pixels.lifecycle.createCheckpoint(name, READY);
  const pair = await inTurns(
    10,
    () =>
      timeOf(async () => {
        await pixels.lifecycle.restore(name, READY);
        await login(world.pixels, name);
      }),
    () => timeOf(() => rawSequences.restore(world, name)),
  );
  await pixels.lifecycle.destroy(name);
  return [{ operation: 'restore, running, until ssh', ...pair, goal: { ratio: 1.15 } }];
}

export async function clone(world: World): Promise<Row[]> {
  const { source } = world;
  const pair = await inTurns(
    10,
    making(world, (name) => make(world, name, { from: { name: source, label: READY } })),
    making(world, (name) => rawSequences.clone(world, name)),
  );
  return [{ operation: 'clone of a checkpoint, until ssh', ...pair, goal: { ratio: 1.15 } }];
}

export async function create(world: World): Promise<Row[]> {
  const pair = await inTurns(
    10,
    making(world, (name) => make(world, name, { image: world.project.image, placement: {} })),
    making(world, (name) => rawSequences.create(world, name)),
  );
  return [{ operation: 'create from an image, until ssh', ...pair, goal: { ratio: 1.15 } }];
}

/** As `pixels create` does it where the base of the configured recipe is up to date. */
export async function createFromBase(world: World): Promise<Row[]> {
  const { bases } = world.pixels;
  const name = bases.catalog.nameOf(world.pixels.config.provision.recipe);
  await bases.build(name);
  const fromBase = async (made: SandboxName): Promise<void> => make(world, made, (await bases.bestSource(name)).source);
  const pair = await inTurns(
    10,
    making(world, fromBase),
    making(world, (made) => rawSequences.clone(world, made)),
  );
  await bases.delete(name);
  return [{ operation: 'create from an up-to-date base, until ssh (raw: clone)', ...pair, goal: { ratio: 1.15 } }];
}

/** All that `pixels create` does, until the first login. */
async function make(world: World, name: SandboxName, source: Source): Promise<void> {
  const { lifecycle, host } = world.pixels;
  await lifecycle.create({ name, source, limits: {}, provision: true });
  await world.pixels.syncSsh(await host.list());
  await login(world.pixels, name);
}

/** Times the making of a sandbox, and removes it. */
function making({ pixels, project }: World, makeIt: (name: SandboxName) => Promise<void>) {
  const name = parseName('made');
  return async () => {
    const ms = await timeOf(() => makeIt(name));
    await project.raw.must('PUT', `/1.0/instances/px-${name}/state`, { action: 'stop', force: true });
    await pixels.host.destroy(name);
    return ms;
  };
}

export async function startUp({ env, source }: World, cli: string): Promise<Row[]> {
  const node = (...args: string[]) => timeOf(() => must(process.execPath, args, env));
  const bare = () => node('-e', '0');
  const help = await inTurns(20, () => node(cli, '--help'), bare);
  const listing = await inTurns(20, () => node(cli, 'list'), bare);
  const running = await inTurns(20, () => node(cli, 'exec', source, '--', 'true'), bare);
  return [
    { operation: '`pixels --help`, process (raw: `node -e 0`)', ...help },
    { operation: '`pixels list` of 60, process (raw: `node -e 0`)', ...listing, goal: { value: 120 } },
    { operation: '`pixels exec NAME -- true`, process (raw: `node -e 0`)', ...running },
  ];
}

export async function tunnelLogin(world: World): Promise<Row[]> {
  const { source } = world;
  const direct = await directArguments(world);
  const pair = await inTurns(
    15,
    () => timeOf(() => login(world.pixels, source)),
    () => timeOf(() => must('ssh', [...direct, 'true'])),
  );
  return [{ operation: 'login by the tunnel (raw: over TCP)', ...pair, goal: { ratio: 1.2 } }];
}

export async function throughput(world: World): Promise<Row[]> {
  const direct = await directArguments(world);
  const tunnel = world.pixels.ssh.sshArguments(world.source);
  const rows: Row[] = [];
  for (const direction of ['out', 'in'] as const) {
    const pair = await inTurns(
      10,
      () => timeOf(() => move(direction, MOVED_BYTES, tunnel)),
      () => timeOf(() => move(direction, MOVED_BYTES, direct)),
    );
    const operation = `200 MB ${direction === 'out' ? 'out of' : 'into'} the sandbox by the tunnel (raw: over TCP)`;
    rows.push({ operation, ...pair, goal: { ratio: 2 } });
  }
  return rows;
}

/** From when an outsider's stop is done to when the inventory says so. */
export async function outsideChange({ pixels, project, source }: World): Promise<Row[]> {
  const { inventory } = pixels;
  const look = inventory.look();
  const until = async (status: string) => {
    while (inventory.sandbox(source)?.status !== status) await sleep(1);
  };
  const state = (action: string) =>
    project.raw.must('PUT', `/1.0/instances/px-${source}/state`, { action, force: true });
  await until('running');
  const value = await repeatedly(10, async () => {
    await state('stop');
    const ms = await timeOf(() => until('stopped'));
    await state('start');
    await until('running');
    return ms;
  });
  look.close();
  return [{ operation: 'outside stop to the inventory', pixels: value, goal: { value: 200 } }];
}

async function directArguments({ pixels, source, directSsh }: World): Promise<string[]> {
  const { addresses } = await pixels.host.get(source);
  return [...directSsh, `pixel@${addresses[0] ?? ''}`];
}
