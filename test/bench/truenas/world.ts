import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openPixels, type Pixels } from '../../../src/app/pixels';
import { TUNNEL_KEY_VARIABLE } from '../../../src/app/trueNas';
import { loadConfig } from '../../../src/config';
import type { SandboxHost } from '../../../src/sandbox/host';
import { silentLog } from '../../../src/sandbox/log';
import { parseName, type SandboxName } from '../../../src/sandbox/name';
import { connectTrueNasHost } from '../../../src/truenas';
import { makeTestProject, type TestProject } from '../../support/testProject';
import { directOptions } from '../ssh';
import { addOthers, READY } from '../world';
import { Nas, type NasFacts } from './nas';
import { RawNas } from './rawNas';
import { rawSequences } from './rawSequences';

const CHECKPOINTS = 10;

/** The sandboxes of a TrueNAS, 60 with 10 checkpoints each, 3 of them running, and both ways to them. */
export interface World {
  readonly project: TestProject;
  readonly nas: Nas;
  readonly raw: RawNas;
  readonly pixels: Pixels;
  /** A connection of its own, as another process has it; there may be many in a minute. */
  connectAnew(): SandboxHost;
  /** `main`, running, with a login, and with `ready` as the newest of 10 checkpoints. */
  readonly source: SandboxName;
  readonly directSsh: readonly string[];
  /** The environment for an `ssh`. */
  readonly env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** @param dist the built extension. @param built where nasProcess.mjs is. */
export async function makeWorld(dist: string, built: string): Promise<World> {
  const project = await makeTestProject('pixels-bench-nas');
  const nas = await Nas.start(built, project);
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-bench-'));
  const { config } = await loadConfig({ env: environmentFor(nas.facts, home) });
  const [raw, pixels] = await Promise.all([RawNas.open(nas.facts), openPixels({ config, log: silentLog, dist, home })]);
  const source = parseName('main');
  const image = { image: project.image, placement: {} };
  await pixels.lifecycle.create({ name: source, source: image, limits: {}, provision: true });
  const others = await addOthers(project, `px-${source}`);
  await rawSequences.takeCheckpoints(raw, others, CHECKPOINTS);
  await rawSequences.takeCheckpoints(raw, [`px-${source}`], CHECKPOINTS - 1);
  await pixels.lifecycle.createCheckpoint(source, READY);
  await pixels.syncSsh(await pixels.host.list());
  return {
    project,
    nas,
    raw,
    pixels,
    connectAnew() {
      const { fingerprint: fingerprint256, ...target } = nas.facts;
      const timing = { loginWindowMs: 1 };
      return connectTrueNasHost({ ...target, trust: { kind: 'pin', fingerprint256 } }, { log: silentLog, timing });
    },
    source,
    directSsh: directOptions(pixels),
    env: { ...process.env, [TUNNEL_KEY_VARIABLE]: nas.facts.apiKey },
    async remove() {
      pixels.close();
      raw.close();
      fs.rmSync(home, { recursive: true, force: true });
      await project.remove();
      await nas.close();
    },
  };
}

function environmentFor({ host, port, username, apiKey, fingerprint }: NasFacts, home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    PIXELS_BACKEND: 'truenas',
    PIXELS_TRUENAS_HOST: `${host}:${port}`,
    PIXELS_TRUENAS_USERNAME: username,
    PIXELS_TRUENAS_API_KEY: apiKey,
    PIXELS_TRUENAS_FINGERPRINT: fingerprint,
  };
}
