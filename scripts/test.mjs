/**
 * npm test [-- SUITE...]    sets the machine up, runs the suites (all: unit contract ssh e2e) and prints `N passed, N failed`
 *
 * It may be run on a machine that has nothing but Node and npm, and again at any time. The suites get their surroundings from
 * the environment, so that they can also be run alone (`eval "$(node scripts/daemon.mjs env)"; npx vitest --project ssh`):
 *
 *   PIXELS_TEST_SOCKET        unix socket of a private Incus daemon, whose instances are all the tests' own
 *   PIXELS_TEST_DAEMON        its directory; `privateIncus(directory)` in lib/private-incus.mjs kills and restarts it
 *   PIXELS_TEST_HTTPS         its HTTPS address; _CLIENT_CERT and _CLIENT_KEY are trusted there, _SERVER_CERT is what it shows
 *   PIXELS_TEST_CLIENT_CERT, PIXELS_TEST_CLIENT_KEY, PIXELS_TEST_SERVER_CERT
 *   PIXELS_TEST_IMAGE         alias of an image with sshd, sudo, tmux and git, but without users
 *   PIXELS_TEST_BARE_IMAGE    alias of an image with systemd and apt only
 *   PIXELS_TEST_EDITOR        directory of a VS Code for the browser (lib/editor-host.mjs, lib/workbench.mjs)
 *   PIXELS_TEST_CHROMIUM      path of a Chromium
 *   PIXELS_TEST_ARTIFACTS     directory for screenshots
 *
 * A suite that cannot run is one failure, and so is every skipped test. Of the suites on real parts, a file that failed runs once
 * more, alone; the summary names what passed only then. They run in two lanes (lib/lane.mjs); PIXELS_TEST_LANES=1 takes
 * one. PIXELS_TEST_DAEMON_NAME=NAME takes other private daemons than `test` and `testb`, beside which
 * they can run at the same time.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureChromium, ensureEditor } from './lib/editor.mjs';
import { daemonPackages } from './lib/incusd.mjs';
import { openLane, runInLanes } from './lib/lane.mjs';
import { ensurePackages } from './lib/packages.mjs';
import { ensureDependencies, packageExtension } from './lib/project.mjs';
import { interrupted, main, repository, say, seconds } from './lib/steps.mjs';
import { filesOf, runFiles } from './lib/suite.mjs';

/** In the order in which they are begun. */
const needs = {
  unit: [],
  e2e: ['lanes', 'build', 'editor'],
  ssh: ['lanes', 'build'],
  contract: ['lanes', 'build'],
};

await main(async (args) => {
  const unknown = args.find((name) => !(name in needs));
  if (unknown) throw new Error(`Unknown suite ${unknown}. The suites are ${Object.keys(needs).join(', ')}`);
  const suites = Object.keys(needs).filter((name) => args.length === 0 || args.includes(name));
  const begun = performance.now();
  const artifacts = path.join(repository, 'artifacts');
  rmSync(artifacts, { recursive: true, force: true });
  mkdirSync(artifacts, { recursive: true });
  await ensureDependencies();

  // What needs nothing runs beside the set-up, which waits for downloads and for one core at a time.
  const early = suites
    .filter((suite) => needs[suite].length === 0)
    .map(async (suite) => ({ suite, ...(await runFiles(suite, [], {}, { artifacts, later: true })) }));
  const { lanes, obstacles, extraEnv } = await setUp(suites, artifacts);
  const results = [];
  const tasks = [];
  try {
    results.push(...(await Promise.all(early)));
    for (const suite of suites.filter((name) => needs[name].length > 0)) {
      const obstacle = needs[suite].map((need) => obstacles[need]).find(Boolean);
      if (obstacle) say(`\n${suite} cannot run: ${obstacle}`);
      if (obstacle) results.push({ suite, passed: 0, failed: 1 });
      else tasks.push(...filesOf(suite).map((file) => ({ suite, file })));
    }
    if (tasks.length > 0 && !interrupted.aborted) results.push(...(await runInLanes(tasks, lanes, extraEnv)));
  } finally {
    for (const lane of lanes) await lane.close();
  }
  for (const { repeated = [] } of results)
    for (const file of repeated) say(`passed only at the second attempt: ${file}`);
  for (const { suite, passed, failed } of results) say(`${suite.padEnd(10)} ${passed} passed, ${failed} failed`);
  for (const { failing = [] } of results) for (const file of failing) say(`FAILED     ${file}`);
  const sum = (key) =>
    results.reduce((total, result) => total + result[key], 0) + Number(key === 'failed' && interrupted.aborted);
  say(`in ${seconds(performance.now() - begun)}`);
  const hangs = lanes.flatMap(({ hangs }) => hangs);
  if (hangs.length > 0)
    say(`\nThe Incus daemon hung under ${hangs.map(({ file }) => file).join(', ')}; at last:\n${hangs.at(-1).report}`);
  say(`\n${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0;
});

/** Each need on its own: what is wrong with one (in `obstacles`) fails the suites that need it, and the others still run. */
async function setUp(suites, artifacts) {
  const obstacles = {};
  const lanes = [];
  const extraEnv = {};
  const wanted = new Set(suites.flatMap((name) => needs[name]));
  const parts = {
    async lanes() {
      const tools = ['openssl', 'openssh-client', 'iproute2', 'iputils-ping', 'procps'];
      await ensurePackages([...daemonPackages, ...tools], 'private Incus daemons and their tests');
      const first = process.env.PIXELS_TEST_DAEMON_NAME || 'test';
      const count = Number(process.env.PIXELS_TEST_LANES || 2);
      for (const suffix of ['', 'b', 'c'].slice(0, count)) lanes.push(await openLane(first + suffix, artifacts));
    },
    build: packageExtension,
    async editor() {
      await ensureEditor();
      extraEnv.PIXELS_TEST_CHROMIUM = await ensureChromium();
    },
  };
  for (const [name, part] of Object.entries(parts)) {
    if (!wanted.has(name) || interrupted.aborted) continue;
    await part().catch((error) => (obstacles[name] = error.message));
  }
  return { obstacles, lanes, extraEnv };
}
