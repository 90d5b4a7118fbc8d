/** Runs vitest projects, file by file, and counts more strictly than vitest does. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheDir, CommandFailed, interrupted, repository, run, say } from './steps.mjs';

/** A suite that never ends is a failure too; a quiet machine needs a tenth of this for the longest file. */
const fileLimitMs = 15 * 60_000;

/** How long each file took on this machine the last time, in ms. */
const durations = path.join(cacheDir, 'test-durations.json');

/**
 * The test files of the suite `name`; first what took longest the last time or, where nobody knows, the largest: what is begun
 * last should not be what takes longest.
 */
export function filesOf(name) {
  const directory = path.join(repository, 'test', name);
  const known = knownDurations();
  const found = readdirSync(directory, { recursive: true }).filter((file) => file.endsWith('.test.ts'));
  const files = found.map((file) => path.join('test', name, file));
  const sizeOf = (file) => statSync(path.join(repository, file)).size;
  return files.sort((a, b) => (known[b] ?? Infinity) - (known[a] ?? Infinity) || sizeOf(b) - sizeOf(a));
}

/** Remembers what files took, for {@link filesOf}. */
export function keepDurations(taken) {
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(durations, JSON.stringify({ ...knownDurations(), ...taken }));
}

function knownDurations() {
  try {
    return JSON.parse(readFileSync(durations, 'utf8'));
  } catch {
    return {}; // none yet, or half a file of somebody who was killed: only an order depends on it
  }
}

/**
 * Runs test files of the vitest project `name` in one process and resolves to `{ passed, failed }`. What it prints is shown at
 * once, or, with `later`, as one piece at its end. Aborting `signal` ends it early.
 */
export async function runFiles(name, files, env, { artifacts, signal, later = false }) {
  const reportName = files.length === 1 ? `${name}-${path.basename(files[0], '.test.ts')}` : name;
  const report = path.join(artifacts, `${reportName}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = path.join(repository, 'node_modules/vitest/vitest.mjs');
  const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
  const options = { cwd: repository, env: { ...env, ...colour }, show: !later, limitMs: fileLimitMs, signal };
  const { output, error } = await run(
    process.execPath,
    [vitest, 'run', '--project', name, ...reporters, ...files],
    options,
  ).then(
    (printed) => ({ output: printed, error: null }),
    (reason) => ({ output: reason instanceof CommandFailed ? reason.output : '', error: reason }),
  );
  if (interrupted.aborted) return { passed: 0, failed: 0 };
  if (later) say(output.replace(/^[^]*? RUN .*\n\n/, '').trimEnd());
  const found = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : null;
  const { passed, failed, reasons } = count(found, error && { message: error.message.split('\n')[0] });
  for (const reason of reasons) say(`FAILED  ${files.join(' ')}: ${reason}`);
  return { passed, failed };
}

/** Vitest calls a run with skipped tests, or with a file that holds none, a success. Here both are failures. */
export function count(report, exit) {
  if (!report) return { passed: 0, failed: 1, reasons: [`it did not run to its end: ${exit?.message ?? ''}`] };
  const reasons = [];
  let passed = 0;
  let failed = 0;
  for (const { name, status, message, assertionResults } of report.testResults) {
    for (const test of assertionResults) {
      if (test.status === 'passed') passed++;
      else failed++;
      if (test.status !== 'passed' && test.status !== 'failed') reasons.push(`${test.status}: ${test.fullName}`);
    }
    if (
      assertionResults.length === 0 ||
      (status === 'failed' && assertionResults.every((test) => test.status === 'passed'))
    ) {
      failed++;
      reasons.push(`${path.relative(repository, name)}: ${message || 'holds no test'}`);
    }
  }
  if (passed + failed === 0) return { passed, failed: 1, reasons: ['the suite has no tests'] };
  if (exit && failed === 0) return { passed, failed: 1, reasons: [`vitest: ${exit.message}`] };
  return { passed, failed, reasons };
}
