import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandRequest, guestSetup } from '../../src/provision';
import { isKind } from '../../src/sandbox/errors';
import { outputOf } from '../../src/sandbox/exec';
import type { SandboxHost } from '../../src/sandbox/host';
import { Lifecycle } from '../../src/sandbox/lifecycle';
import { parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import type { Sandbox } from '../../src/sandbox/sandbox';
import { bundle } from '../support/bundle';
import type { KilledChildOrder, KillPoint, MadeCall } from '../support/killedChild';
import { killPoints } from '../support/killPoints';
import { endOf } from '../support/pixelsCommand';
import type { Server } from '../support/servers';
import { makeTestProject, type TestProject } from '../support/testProject';

type Use = KilledChildOrder['use'];

interface Extent {
  readonly all: boolean;
  readonly every: number;
}

/** For one use case with all of its kills. */
const LIMIT_MS = 300_000;

const source = parseName('source');
const ready = parseLabel('ready');
const victim = parseName('victim');
let project: TestProject;
let server: Server;
let host: SandboxHost;
let lifecycle: Lifecycle;
let folder: string;
let publicKey: string;

/**
 * What a process leaves that is killed at any step of a use case, on a server.
 * @param extent `all` kills, or those inside of slow steps and elsewhere one for each step; of these, each `every`th.
 */
export function describeKills(title: string, open: (project: TestProject) => Promise<Server>, extent: Extent): void {
  describe(title, { timeout: LIMIT_MS }, () => {
    beforeAll(async () => {
      project = await makeTestProject('pixels-killed');
      server = await open(project);
      folder = mkdtempSync(path.join(tmpdir(), 'pixels-killed-'));
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(folder, 'id')]);
      publicKey = readFileSync(path.join(folder, 'id.pub'), 'utf8').trim();
      await bundle('test/support/killedChild.ts', path.join(folder, 'child.mjs'));
      host = server.connect();
      lifecycle = new Lifecycle(host, guestSetup({ user: 'pixel', publicKey: () => Promise.resolve(publicKey) }));
      const image = { image: server.image, placement: {} };
      await lifecycle.create({ name: source, source: image, limits: {}, provision: true });
      await run(source, 'echo before > file');
      await lifecycle.createCheckpoint(source, ready);
    });

    afterAll(async () => {
      host.close();
      rmSync(folder, { recursive: true });
      await server.close();
      await project.remove();
    });

    describe('kill -9 at each step of', () => {
      it('create leaves nothing, or what finish completes', async () => {
        const use: Use = { action: 'create', name: victim, image: server.image };
        await forEveryKill(extent, use, {
          async check() {
            const left = await find(victim);
            if (left === undefined) return 'nothing is left';
            const outcome = await finish(left);
            expect(await run(victim, 'id -un; sudo -n id -un')).toBe('pixel\nroot');
            expect((await host.get(victim)).state).toMatchObject({
              sshUser: 'pixel',
              hostKey: expect.stringMatching(/^ssh-ed25519 /) as string,
            });
            await lifecycle.destroy(victim);
            return outcome;
          },
        });
      });

      it('clone leaves nothing, or what finish completes, and never the source changed', async () => {
        const { state } = await host.get(source);
        await forEveryKill(
          extent,
          { action: 'clone', name: victim, source: `${source}:${ready}` },
          {
            async check() {
              expect((await host.get(source)).state).toEqual(state);
              const left = await find(victim);
              if (left === undefined) return 'nothing is left';
              const outcome = await finish(left);
              expect(await run(victim, 'cat file')).toBe('before');
              const [own, theirs] = await Promise.all([victim, source].map((name) => run(name, 'cat /etc/machine-id')));
              expect(own).not.toBe(theirs);
              expect((await host.get(victim)).state.hostKey).not.toBe(state.hostKey);
              await lifecycle.destroy(victim);
              return outcome;
            },
          },
        );
      });

      it('restore leaves all as it was, or what finish takes to the checkpoint', async () => {
        await lifecycle.create({
          name: victim,
          source: { from: { name: source } },
          limits: { cpu: 1 },
          provision: true,
        });
        await lifecycle.createCheckpoint(victim, ready);
        const { state } = await host.get(victim);
        await forEveryKill(
          extent,
          { action: 'restore', name: victim, label: ready },
          {
            async prepare() {
              await run(victim, 'echo after > file');
            },
            async check() {
              const left = await host.get(victim);
              const outcome = await finish(left);
              const content = await run(victim, 'cat file');
              if (outcome === 'finished') expect(content).toBe('before');
              expect(await host.get(victim)).toMatchObject({ status: 'running', cpu: 1, state, mark: undefined });
              expect((await host.checkpoints(victim)).map(({ label }) => label)).toContain(ready);
              return content === 'after' ? 'as it was' : outcome;
            },
          },
        );
        await lifecycle.destroy(victim);
      });

      it('destroy leaves all as it was, nothing, or what finish removes', async () => {
        await forEveryKill(
          extent,
          { action: 'destroy', name: victim },
          {
            async prepare() {
              if ((await find(victim)) !== undefined) return;
              await lifecycle.create({
                name: victim,
                source: { from: { name: source } },
                limits: {},
                provision: false,
              });
            },
            async check() {
              const left = await find(victim);
              if (left === undefined) return 'nothing is left';
              if (left.mark === undefined) {
                expect(left.status).toBe('running');
                return 'as it was';
              }
              await lifecycle.finish(victim);
              expect(await find(victim)).toBeUndefined();
              return 'finished';
            },
          },
        );
        if ((await find(victim)) !== undefined) await lifecycle.destroy(victim);
      });
    });
  });
}

interface Trial {
  readonly prepare?: () => Promise<void>;
  /** Says what the kill has come to. */
  readonly check: () => Promise<string>;
}

/** Does the use case once to count its calls, and then once for every kill; each must have come to a good end. */
async function forEveryKill({ all, every }: Extent, use: Use, { prepare, check }: Trial): Promise<void> {
  await prepare?.();
  const { exit, stdout, stderr } = await child(use);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  const calls = JSON.parse(stdout.toString()) as MadeCall[];
  await check();
  const outcomes: string[] = [];
  for (const kill of killPoints(calls, all).filter((_, at) => at % every === 0)) {
    await prepare?.();
    const { exit: signal } = await child(use, kill);
    const when = kill.afterMs === 'before' ? 'before' : `${kill.afterMs} ms into`;
    const where = `${use.action}, killed ${when} ${[calls[kill.call - 1]?.name, kill.message].filter(Boolean).join(': ')}`;
    // The last request of all may be answered before the kill strikes.
    if (kill.afterMs === 'before') expect(signal, where).toBe('SIGKILL');
    await expect.poll(() => server.tasks(), { timeout: 20_000, interval: 50 }).toBe(0);
    try {
      const outcome = await check();
      expect(await server.leftovers()).toEqual([]);
      outcomes.push(`${where}: ${outcome}`);
    } catch (error) {
      throw new Error(where, { cause: error });
    }
  }
  if (process.env['PIXELS_TEST_VERBOSE']) console.log(outcomes.join('\n'));
  expect(outcomes.length).toBeGreaterThan(every === 1 ? 2 : 0);
}

function child(use: Use, kill?: KillPoint) {
  const order: KilledChildOrder = { place: server.place, publicKey, use, ...(kill ? { kill } : {}) };
  const process_ = spawn(process.execPath, [path.join(folder, 'child.mjs')], { stdio: 'pipe' });
  process_.stdin.end(JSON.stringify(order));
  return endOf(process_);
}

/** Completes what is marked, the way `pixels finish` does. */
async function finish({ name, mark }: Sandbox): Promise<string> {
  if (mark !== undefined) await lifecycle.finish(name);
  expect(await host.get(name)).toMatchObject({ status: 'running', mark: undefined });
  return mark === undefined ? 'complete' : 'finished';
}

async function find(name: SandboxName): Promise<Sandbox | undefined> {
  try {
    return await host.get(name);
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
