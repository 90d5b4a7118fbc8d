import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openPixels, type Pixels } from '../../src/app/pixels';
import { loadConfig } from '../../src/config';
import { silentLog } from '../../src/sandbox/log';
import { parseLabel, parseName, type SandboxName } from '../../src/sandbox/name';
import { makeTestProject, type TestProject } from '../support/testProject';
import { directOptions } from './ssh';

const SANDBOXES = 60;
const RUNNING = 3;
export const READY = parseLabel('ready');

/** 60 sandboxes, 3 of them running, and both ways to them: ours, and the daemon's API without us. */
export interface World {
  readonly project: TestProject;
  readonly pixels: Pixels;
  readonly home: string;
  /** `main`, running, with a login and a checkpoint `ready`. */
  readonly source: SandboxName;
  /** See {@link directOptions}. */
  readonly directSsh: readonly string[];
  /** The environment for a `pixels` process. */
  readonly env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

export async function makeWorld(dist: string): Promise<World> {
  const project = await makeTestProject('pixels-bench');
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-bench-'));
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    PIXELS_INCUS_SOCKET: project.socket,
    PIXELS_INCUS_PROJECT: project.project,
    PIXELS_PROVISION_RECIPE: path.join(home, 'bench.toml'),
  };
  writeRecipe(home);
  const { config } = await loadConfig({ env });
  const pixels = await openPixels({ config, log: silentLog, dist, home });
  const source = parseName('main');
  await pixels.lifecycle.create({
    name: source,
    source: { image: project.image, placement: {} },
    limits: {},
    provision: true,
  });
  await pixels.lifecycle.createCheckpoint(source, READY);
  await addOthers(project, `px-main/${READY}`);
  await pixels.syncSsh(await pixels.host.list());
  return {
    project,
    pixels,
    home,
    source,
    directSsh: directOptions(pixels),
    env,
    async remove() {
      pixels.close();
      fs.rmSync(home, { recursive: true, force: true });
      await project.remove();
    },
  };
}

/** One that downloads nothing: how long a base takes to be cloned does not depend on what is in it. */
function writeRecipe(home: string): void {
  const step = '[[steps]]\nid = "one"\nscript = "echo one >/etc/bench"';
  fs.writeFileSync(path.join(home, 'bench.toml'), `title = "Bench"\n${step}\n`);
}

/** Copies of an instance, or of an Incus snapshot of it, that nobody uses: they are there to be listed. Two run. */
export async function addOthers({ raw }: TestProject, source: string): Promise<string[]> {
  const names: string[] = [];
  for (let index = 1; index < SANDBOXES; index++) {
    const name = `px-other-${String(index).padStart(2, '0')}`;
    await raw.must('POST', '/1.0/instances', { name, source: { type: 'copy', source, instance_only: true } });
    if (index < RUNNING) await raw.must('PUT', `/1.0/instances/${name}/state`, { action: 'start' });
    names.push(name);
  }
  return names;
}

/** Moves bytes out of a sandbox or into it, over ssh. */
export async function move(direction: 'out' | 'in', bytes: number, sshArguments: readonly string[]): Promise<void> {
  const out = direction === 'out';
  const remote = out ? `head -c ${bytes} /dev/zero` : 'cat >/dev/null';
  const local = out ? 'cat >/dev/null' : `head -c ${bytes} /dev/zero`;
  const ssh = ['ssh', '-o', 'BatchMode=yes', ...sshArguments, remote].map((word) => `'${word}'`).join(' ');
  const child = spawn('bash', ['-o', 'pipefail', '-c', out ? `${ssh} | ${local}` : `${local} | ${ssh}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${ssh}: ${String(code)}`);
}
