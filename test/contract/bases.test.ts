import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orFirst } from '../support/extent';
import { baseCatalog, commandRequest, guestSetup } from '../../src/provision';
import type { OwnBase } from '../../src/provision/ownBase';
import { instanceOfBase, parseBaseName, READY, sandboxesIn, type BaseName } from '../../src/sandbox/base';
import { Bases } from '../../src/sandbox/bases';
import { isKind } from '../../src/sandbox/errors';
import { outputOf } from '../../src/sandbox/exec';
import type { Progress, SandboxHost } from '../../src/sandbox/host';
import { Inventory } from '../../src/sandbox/inventory';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { silentLog } from '../../src/sandbox/log';
import { parseName, type SandboxName } from '../../src/sandbox/name';
import { readProvisionRecord } from '../../src/sandbox/provisioning';
import { incus, trueNas, type Server } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';
import { eventually, failure, inside } from './support';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtAy7XfGHm0RzKVrA2XQzHDJPyNGZGnH5S0mO7hXXXX me';
const small = parseBaseName('small');
const child = parseBaseName('child');
const bad = parseBaseName('bad');
let project: TestProject;
let server: Server;
let host: SandboxHost;
let lifecycle: Lifecycle;
let bases: Bases;
let directory: string;

/** The use cases around bases over another connection, with other bases of the person's own. */
function basesOver(connection: SandboxHost, own: Readonly<Record<string, OwnBase>> = {}): Bases {
  const publicKey = () => Promise.resolve('');
  const places = { directory, bases: own };
  return new Bases({
    host: connection,
    guest: guestSetup({ user: 'pixel', publicKey, recipeDirectory: directory, bases: own }),
    placement: {},
    catalog: baseCatalog({ ...places, image: project.image, recipe: 'small', facts: ['pixel'] }),
  });
}

const SERVERS = [
  ['Incus', incus, 'at once'],
  // There, of two creates of one name in the same second, the one that fails deletes what the other made.
  ['TrueNAS 25.10', trueNas('25.10.5'), 'once the other can be seen'],
] as const;

describe.each(orFirst(SERVERS))('on %s', (_, openServer, secondBuild) => {
  beforeAll(async () => {
    project = await makeTestProject('pixels-bases');
    server = await openServer(project);
    directory = mkdtempSync(path.join(tmpdir(), 'pixels-bases-'));
    recipe(
      'small',
      `title = "Small"
      [[steps]]
      id = "one"
      script = "cat /proc/sys/kernel/random/uuid >>/etc/did; touch /root/.bash_history /var/tmp/left"
      [[steps]]
      id = "two"
      as = "user"
      script = "touch ~/.bash_history ~/mine; mkdir -p ~/.cache/x; echo said by two"`,
    );
    recipe('child', 'title = "Child"\nfrom = "small"\n[[steps]]\nid = "three"\nscript = "touch /etc/child"');
    recipe('bad', 'title = "Bad"\n[[steps]]\nid = "x"\ntitle = "the bad one"\nretries = 0\nscript = "echo so; false"');
    host = server.connect();
    const publicKey = () => Promise.resolve(KEY);
    lifecycle = new Lifecycle(host, guestSetup({ user: 'pixel', publicKey, recipeDirectory: directory }));
    bases = basesOver(host);
  });

  afterAll(async () => {
    host.close();
    rmSync(directory, { recursive: true });
    await server.close();
    await project.remove();
  });

  it('a base that is not there is worth building; until then the image and the recipe do', async () => {
    expect(await bases.bestSource(small)).toEqual({
      source: { image: project.image, placement: {} },
      recipe: 'small',
      worthBuilding: true,
    });
    expect((await bases.list()).map(({ name, status }) => [name, status])).toEqual(
      ['agent', 'bad', 'child', 'dev', 'node', 'python', 'small'].map((name) => [name, 'missing']),
    );
  });

  it('two builds at once are one', async () => {
    const other = server.connect();
    try {
      const steps: string[] = [];
      const onProgress = ({ message }: Progress): void => void steps.push(message);
      const first = bases.build(small);
      if (secondBuild !== 'at once') {
        await eventually(30_000, () => host.get(instanceOfBase(small)).catch(() => undefined));
      }
      const second = basesOver(other).build(small, {}, { onProgress });
      expect(await Promise.all([first, second])).toEqual([true, true]);
      const made = await host.get(instanceOfBase(small));
      expect(made).toMatchObject({ status: 'stopped', mark: undefined, checkpointCount: 1 });
      expect(await bases.build(small)).toBe(false);
      expect((await host.get(instanceOfBase(small))).createdAt).toEqual(made.createdAt);
    } finally {
      other.close();
    }
  });

  it('has nothing of whoever built it', async () => {
    const copy = parseName('look');
    await host.copy({ name: copy, source: { name: instanceOfBase(small), label: READY }, limits: {}, state: {} });
    const gone = [
      ...['root', 'home/pixel'].flatMap((home) => [`${home}/.ssh/authorized_keys`, `${home}/.bash_history`]),
      ...['home/pixel/.cache', 'var/tmp/left', 'etc/ssh/ssh_host_ed25519_key.pub', 'etc/ssh/ssh_host_rsa_key'],
    ];
    const look = [
      `cd / && for file in ${gone.join(' ')}; do [ ! -e $file ] || echo $file; done`,
      'ls var/lib/apt/lists',
      "grep -v '^===' /var/lib/pixels/provision/log | grep .",
    ];
    expect(await inside(host, copy, look.join('\n'))).toBe('said by two\n');
    await host.destroy(copy);
    const { state } = await host.get(instanceOfBase(small));
    expect(Object.keys(state).sort()).toEqual(['base', 'provision']);
  });

  it('is no sandbox: not in lists, not live, not with an SSH entry', async () => {
    const all = await host.list();
    expect(all.map(({ name }) => name)).toEqual(['base-small']);
    expect(sandboxesIn(all)).toEqual([]);
    const inventory = new Inventory(host, silentLog);
    await inventory.refresh();
    expect(inventory.sandboxes).toEqual([]);
    expect(inventory.bases.map(({ name }) => name)).toEqual(['base-small']);
    expect(all[0]!.state.sshUser).toBeUndefined();
  });

  it('gives machines of their own, complete at once', async () => {
    const twins = ['twin-a', 'twin-b'].map(parseName);
    const best = await bases.bestSource(small);
    expect(best).toEqual({
      source: { from: { name: 'base-small', label: 'ready' } },
      recipe: undefined,
      worthBuilding: false,
    });
    await Promise.all(twins.map((name) => lifecycle.create({ name, limits: {}, provision: true, ...best })));
    const all = await Promise.all(twins.map((name) => host.get(name)));
    for (const { name, state, status, mark } of all) {
      expect({ status, mark }).toEqual({ status: 'running', mark: undefined });
      expect(readProvisionRecord(state.provision)).toMatchObject({ recipe: 'small', outcome: 'done' });
      expect(state.base).toBeUndefined();
      expect(
        await run(name, 'cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub; hostname; cat .ssh/authorized_keys'),
      ).toBe(`${state.hostKey ?? ''}\npx-${name}\n${KEY}`);
    }
    expect(new Set(all.map(({ state }) => state.hostKey)).size).toBe(2);
    const ids = await Promise.all(twins.map((name) => run(name, 'cat /etc/machine-id')));
    expect(new Set(ids).size).toBe(2);
    // Made once, in the base, and not again here.
    const did = await Promise.all(twins.map((name) => run(name, 'cat /etc/did; ls mine')));
    expect(did[0]).toMatch(/^[0-9a-f-]{36}\nmine$/);
    expect(did[1]).toBe(did[0]);
    // sshd, which found no key at the first start, is there too.
    await expect
      .poll(() => run(twins[0]!, 'systemctl is-active ssh || true').catch(() => ''), { timeout: 20_000 })
      .toBe('active');
    expect(await lifecycle.provisioner.look(twins[0]!)).toMatchObject({ outcome: 'done' });
    await Promise.all(twins.map((name) => lifecycle.destroy(name)));
  });

  it('one that begins with another is cloned from it, and does only what is missing', async () => {
    expect(await bases.bestSource(child)).toMatchObject({ source: { from: { name: 'base-small' } }, recipe: 'child' });
    const { createdAt } = await host.get(instanceOfBase(small));
    expect(await bases.build(child)).toBe(true);
    expect((await host.get(instanceOfBase(small))).createdAt).toEqual(createdAt);
    const name = parseName('grandchild');
    await lifecycle.create({ name, limits: {}, provision: true, ...(await bases.bestSource(child)) });
    expect(await run(name, 'wc -l </etc/did; ls /etc/child mine')).toBe('1\n/etc/child\nmine');
    await lifecycle.destroy(name);
  });

  it('is stale when its recipe changes, and so are those that begin with it; building one builds the other first', async () => {
    const before = await host.get(instanceOfBase(small));
    recipe('small', 'title = "Small"\n[[steps]]\nid = "one"\nscript = "echo new >/etc/did"');
    const status = async (): Promise<unknown> =>
      (await bases.list()).filter(({ name }) => name === small || name === child).map((base) => base.status);
    expect(await status()).toEqual(['stale', 'stale']);
    expect(await bases.bestSource(child)).toEqual({
      source: { image: project.image, placement: {} },
      recipe: 'child',
      worthBuilding: true,
    });
    const steps: string[] = [];
    expect(await bases.build(child, {}, { onProgress: ({ message }) => steps.push(message) })).toBe(true);
    expect(await status()).toEqual(['ready', 'ready']);
    expect(steps.filter((message) => message.startsWith('Making'))).toEqual([
      `Making the base small from ${project.image}`,
      'Making the base child from the base small',
    ]);
    expect((await host.get(instanceOfBase(small))).createdAt).not.toEqual(before.createdAt);
  });

  it('is built anew when one says so', async () => {
    const before = await host.get(instanceOfBase(small));
    expect(await bases.build(small, { again: true })).toBe(true);
    expect((await host.get(instanceOfBase(small))).createdAt).not.toEqual(before.createdAt);
  });

  it('of the configuration runs its script, whatever that is written in', async () => {
    const setupScript = path.join(directory, 'own.sh');
    writeFileSync(setupScript, '#!/bin/bash\na=(x y)\necho "${a[1]} $USER $HOME" >/etc/own\n');
    const mine = basesOver(host, { own: { from: 'small', setupScript } });
    const own = parseBaseName('own');
    expect(await mine.build(own)).toBe(true);
    const name = parseName('of-own');
    await lifecycle.create({ name, limits: {}, provision: true, ...(await mine.bestSource(own)) });
    expect(await run(name, 'cat /etc/own /etc/did')).toBe('y  /root\nnew');
    await lifecycle.destroy(name);
    // What is not defined any more is still shown, and can be deleted.
    expect((await bases.list()).find((base) => base.name === own)).toMatchObject({
      definition: undefined,
      status: 'ready',
    });
    await bases.delete(own);
  });

  it('deleted leaves what was made of it', async () => {
    const name = parseName('orphan');
    await lifecycle.create({ name, limits: {}, provision: true, ...(await bases.bestSource(small)) });
    await bases.delete(small);
    expect(await run(name, 'cat /etc/did')).toBe('new');
    expect((await bases.list()).find((base) => base.name === child)?.status).toBe('ready');
    expect(await failure(bases.delete(small), 'not-found')).toMatchObject({
      message: 'The base small has not been built.',
    });
    await lifecycle.destroy(name);
    await bases.delete(child);
  });

  it('whose recipe fails is kept to say so, and not tried again by itself', async () => {
    const other = server.connect();
    const both = await Promise.allSettled([bases.build(bad), basesOver(other).build(bad)]);
    other.close();
    const errors = both.map((result) => String((result as PromiseRejectedResult).reason));
    expect(
      errors.every((error) => error.includes('The base bad could not be built: installing the bad one failed.')),
    ).toBe(true);
    expect(errors.filter((error) => error.includes('\n  so'))).toHaveLength(1);
    expect(await host.get(instanceOfBase(bad))).toMatchObject({
      status: 'stopped',
      mark: undefined,
      checkpointCount: 0,
    });
    expect(await bases.bestSource(bad)).toMatchObject({ recipe: 'bad', worthBuilding: false });
    expect((await bases.list()).find(({ name }) => name === bad)).toMatchObject({
      status: 'failed',
      record: { failed: 'the bad one' },
    });
    recipe('bad', 'title = "Bad"\n[[steps]]\nid = "x"\nscript = "true"');
    expect(await bases.bestSource(bad)).toMatchObject({ worthBuilding: true });
    expect(await bases.build(bad)).toBe(true);
    await bases.delete(bad);
  });

  it('that is cancelled at any of its steps leaves nothing', async () => {
    const cancelled: string[] = [];
    for (let cancelAt = 1; ; cancelAt++) {
      const controller = new AbortController();
      const seen = new Set<string>();
      const onProgress = ({ message }: Progress): void => {
        if (seen.add(message.replace(/\d+%.*/, '')).size === cancelAt) controller.abort();
      };
      const building = bases.build(small, {}, { signal: controller.signal, onProgress });
      const error: unknown = await building.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) break; // no step left to cancel at
      expect(error).toMatchObject({ kind: 'cancelled' });
      cancelled.push([...seen].at(-1)!);
      expect(await found(small)).toBeUndefined();
    }
    expect(cancelled.length).toBeGreaterThanOrEqual(3);
    await bases.delete(small);
  });

  it('being built cannot be deleted', async () => {
    let refused: Promise<unknown> | undefined;
    const onProgress = ({ message }: Progress): void => {
      if (message.includes('installing')) refused ??= failure(bases.delete(small), 'busy');
    };
    await bases.build(small, {}, { onProgress });
    expect(await refused).toMatchObject({
      message: expect.stringContaining('base-small is being created') as string,
    });
    expect((await bases.list()).find(({ name }) => name === small)?.status).toBe('ready');
    await bases.delete(small);
  });

  describe('what a killed build has left', () => {
    const left = async (): Promise<void> => {
      const mark = { action: 'create', id: 'x', host: hostname(), pid: 2 ** 22 + 1, since: Date.now() };
      const record = { name: small, hash: 'x', recipe: 'small', outcome: 'building', since: Date.now() };
      const state = { mark: JSON.stringify(mark), base: JSON.stringify(record) };
      await host.create({ name: instanceOfBase(small), image: project.image, limits: {}, placement: {}, state });
      await host.start(instanceOfBase(small));
      expect(await bases.bestSource(small)).toMatchObject({ source: { image: project.image }, worthBuilding: true });
    };

    it('is replaced by the next build', async () => {
      await left();
      expect(await bases.build(small)).toBe(true);
      await bases.delete(small);
    });

    it('is removed by the next list', async () => {
      await left();
      expect((await bases.list()).find(({ name }) => name === small)?.status).toBe('missing');
      expect(await found(small)).toBeUndefined();
    });
  });

  it('leaves alone what has its name and is not Pixels’', async () => {
    const name = instanceOfBase(small);
    await host.create({ name, image: project.image, limits: {}, placement: {}, state: {} });
    expect((await bases.list()).find((base) => base.name === small)?.status).toBe('foreign');
    expect(await bases.bestSource(small)).toMatchObject({ recipe: 'small', worthBuilding: false });
    await failure(bases.build(small), 'exists');
    await failure(bases.delete(small), 'exists');
    await host.destroy(name);
  });
});

function recipe(id: string, toml: string): void {
  writeFileSync(path.join(directory, `${id}.toml`), toml);
}

async function found(name: BaseName): Promise<unknown> {
  try {
    return await host.get(instanceOfBase(name));
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}

async function run(name: SandboxName, script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await outputOf(host, name, commandRequest('pixel', ['sh', '-c', script]));
  if (exitCode !== 0) throw new Error(`${script}: ${exitCode} ${stderr}`);
  return stdout.trim();
}
