/**
 * A lane: a private daemon with its images, on which one test file runs at a time. Lanes share the files between them, so that
 * both cores have work while one waits for a container; what a file does to its daemon, the other lanes never see.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { takesChanges } from './incus-api.mjs';
import { erasePrivateIncus, privateIncus, startPrivateIncus } from './private-incus.mjs';
import { endMarked } from './processes.mjs';
import { interrupted, run as runCommand, say, seconds, step } from './steps.mjs';
import { keepDurations, runFiles } from './suite.mjs';
import { daemonEnvironment, testImages } from './test-environment.mjs';
import { hangFiles, watchingDaemon } from './watchdog.mjs';

const attempts = 2;
/** More failures than that are no bad luck. */
const mostRepeats = 5;

/** Starts the private daemon NAME with its images, or finds it running. */
export async function openLane(name, artifacts) {
  const daemon = privateIncus(`/var/lib/pixels-${name}`);
  const wasRunning = daemon.pid !== null;
  const mark = { PIXELS_TEST_RUN: randomUUID() };
  const open = async () => {
    await step('Private Incus', async (note) => {
      const { reused } = await startPrivateIncus(name, { inMemory: true });
      note(reused ? 'running already' : daemon.base);
    });
    await testImages(daemon.socket);
    return daemonEnvironment(daemon);
  };
  let env = await open();

  const keepLogs = async () => {
    const files = [daemon.logFile, daemon.errorFile, ...hangFiles(daemon)];
    for (const file of files.filter((each) => existsSync(each)))
      await runCommand('install', ['-D', '-m', '644', '-t', path.join(artifacts, name), file], {
        root: true,
        cleaningUp: true,
      });
  };
  /** With a new database: one that hung did so again on its old one, at every attempt. */
  const renew = async () => {
    await keepLogs();
    await endMarked(mark);
    await erasePrivateIncus(name);
    env = await open();
  };
  const hangs = [];
  return {
    name,
    /** `{ file, report }` for each time that the daemon hung. */
    hangs,
    /** Runs a test file. One under which the daemon hung tells nothing about us: it runs again, on a new one. */
    async run(suite, file, extraEnv) {
      if (!(await takesChanges(daemon.socket))) await renew();
      await daemon.dropQuotas();
      for (let attempt = 1; ; attempt++) {
        const once = (signal) => {
          const whole = { ...env, ...extraEnv, ...mark, PIXELS_TEST_ARTIFACTS: artifacts };
          return runFiles(suite, [file], whole, { artifacts, signal, later: true });
        };
        const { result, hang } = await watchingDaemon(daemon, once);
        if (!hang || interrupted.aborted) return result;
        hangs.push({ file, report: hang });
        await renew();
        if (attempt === attempts) return result;
        say(`\n${file} runs again, on a new daemon`);
      }
    },
    async close() {
      await endMarked(mark);
      await keepLogs();
      if (!wasRunning) await daemon.stop();
    },
  };
}

/**
 * Runs test files, `{ suite, file }`, each in the first lane that is free, and resolves to `[{ suite, passed, failed, repeated,
 * failing }]`, the last two with names of files.
 * A few files that failed run once more, with the machine for themselves: what passes then is counted as passed, and is in
 * `repeated`, so that everybody sees what is not sure of itself.
 */
export async function runInLanes(tasks, lanes, extraEnv = {}) {
  const results = new Map();
  const waiting = [...tasks];
  const running = new Set();
  const run = async (lane, { suite, file }) => {
    const begun = performance.now();
    const result = await lane.run(suite, file, extraEnv).catch((error) => {
      say(`FAILED  ${file}: ${error.message}`);
      return { passed: 0, failed: 1 };
    });
    return { ...result, ms: performance.now() - begun };
  };
  const next = () => {
    // One browser at a time: two cores are not enough for more.
    const at = waiting.findIndex(({ suite }) => suite !== 'e2e' || ![...running].some((task) => task.suite === 'e2e'));
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  };
  await Promise.all(
    lanes.map(async (lane) => {
      for (let task = next(); task && !interrupted.aborted; task = next()) {
        running.add(task);
        results.set(task, await run(lane, task));
        running.delete(task);
      }
    }),
  );
  keepDurations(Object.fromEntries([...results].map(([{ file }, { ms }]) => [file, Math.round(ms)])));
  const unsure = [...results].filter(([, { failed }]) => failed > 0).map(([task]) => task);
  for (const task of unsure.length > mostRepeats ? [] : unsure) {
    if (interrupted.aborted) break;
    say(`\nOnce more, alone: ${task.file}`);
    const first = results.get(task);
    const second = await run(lanes[0], task);
    if (second.failed === 0) second.repeated = `${task.file} (${first.failed} failed at first)`;
    results.set(task, second);
  }
  const slowest = [...results].sort(([, a], [, b]) => b.ms - a.ms).slice(0, 12);
  say(
    `\nThe longest: ${slowest.map(([{ file }, { ms }]) => `${path.basename(file, '.test.ts')} ${seconds(ms)}`).join(', ')}`,
  );
  return [...new Set(tasks.map(({ suite }) => suite))].map((suite) => {
    const own = [...results].filter(([task]) => task.suite === suite).map(([, result]) => result);
    const sum = (key) => own.reduce((total, result) => total + result[key], 0);
    return {
      suite,
      passed: sum('passed'),
      failed: sum('failed'),
      repeated: own.flatMap(({ repeated }) => repeated ?? []),
      failing: [...results]
        .filter(([task, { failed }]) => task.suite === suite && failed > 0)
        .map(([task]) => task.file),
    };
  });
}
