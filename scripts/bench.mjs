/**
 * npm run bench [-- --truenas] [--write-readme] [PART]    measures Pixels against the bare API, on a private daemon
 *
 * Sets the machine up as `npm test` does, measures (test/bench), and prints a table for Incus and one for TrueNAS, which is the
 * suites' test server in front of the same daemon; `--truenas` leaves the first one out. With `--write-readme` each table goes
 * to its place in README.md as well. A PART (list, checkpoint, exec, restore, clone, create; on Incus also start-up, login,
 * throughput, change, editor, sizes, base, agents; on TrueNAS calls, start) measures only that. Exits with 1 when a goal is missed.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureChromium, ensureEditor } from './lib/editor.mjs';
import { request } from './lib/incus-api.mjs';
import { daemonPackages } from './lib/incusd.mjs';
import { ensurePackages } from './lib/packages.mjs';
import { startPrivateIncus } from './lib/private-incus.mjs';
import { ensureDependencies, packageExtension } from './lib/project.mjs';
import { main, repository, run, say, step } from './lib/steps.mjs';
import { daemonEnvironment, testImages } from './lib/test-environment.mjs';

// Two directories deep, as test/bench and scripts/lib are: their code finds the repository from where it is.
const built = path.join(repository, 'artifacts/bench');

/** Each is a program of its own. `marker` is between which comments of README.md its table is. */
const tables = {
  incus: { title: 'Incus', marker: 'bench', programs: { incus: 'test/bench/index.ts' } },
  truenas: {
    title: 'TrueNAS 25.10 (test server)',
    marker: 'bench-truenas',
    programs: { truenas: 'test/bench/truenas/index.ts', nasProcess: 'test/bench/truenas/nasProcess.ts' },
  },
};

const titles = ['operation', 'pixels', 'raw', 'ratio', 'goal', 'ok'];

await main(async (args) => {
  const writeReadme = args.includes('--write-readme');
  const wanted = args.includes('--truenas') ? ['truenas'] : Object.keys(tables);
  const [part = ''] = args.filter((argument) => !argument.startsWith('-'));
  if (writeReadme && part) throw new Error('The README gets whole tables or none.');
  await ensureDependencies();
  await ensurePackages([...daemonPackages, 'openssl', 'openssh-client'], 'a private Incus daemon to measure with');
  const daemon = await step('Private Incus', () => startPrivateIncus(process.env.PIXELS_TEST_DAEMON_NAME || 'bench'));
  try {
    await testImages(daemon.socket);
    await packageExtension();
    const env = await daemonEnvironment(daemon);
    if (wanted.includes('incus')) {
      await ensureEditor();
      env.PIXELS_TEST_CHROMIUM = await ensureChromium();
    }
    const { environment } = await request(daemon.socket, 'GET', '/1.0');
    const missed = [];
    for (const name of wanted) missed.push(...(await measure(name, { env, part, writeReadme, environment })));
    if (missed.length > 0) say(`\nMissed: ${missed.join('; ')}`);
    process.exitCode = missed.length > 0 ? 1 : 0;
  } finally {
    if (!daemon.reused) await daemon.stop();
  }
});

/** Prints one table. Returns what missed its goal. */
async function measure(name, { env, part, writeReadme, environment }) {
  const { title, marker, programs } = tables[name];
  const results = path.join(built, `${name}.json`);
  await bundle(programs);
  await step(`Measured on ${title}`, () =>
    run(process.execPath, [path.join(built, `${name}.mjs`), results, part], { cwd: repository, env, show: true }),
  );
  const rows = JSON.parse(readFileSync(results, 'utf8'));
  if (rows.length === 0) return [];
  say(`\n${surroundings(environment)}\n\n${aligned(rows.map(cells))}\n`);
  if (writeReadme) updateReadme(marker, `${surroundings(environment)}\n\n${markdown(rows.map(cells))}`);
  return rows.filter((row) => isMet(row) === false).map(({ operation }) => `${title}: ${operation}`);
}

/** The TrueNAS test server finds its stand-ins for `zfs` and `mount` beside it. */
async function bundle(programs) {
  const { build } = await import('esbuild'); // there after `npm ci`
  mkdirSync(built, { recursive: true });
  copyFileSync(path.join(repository, 'test/truenas-server/zfs/standIn.pl'), path.join(built, 'standIn.pl'));
  await build({
    entryPoints: Object.entries(programs).map(([out, file]) => ({ in: path.join(repository, file), out })),
    outdir: built,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    loader: { '.sh': 'text', '.pl': 'text', '.toml': 'text', '.service': 'text' },
    define: { PIXELS_VERSION: '"bench"' },
    external: ['bufferutil', 'utf-8-validate', 'playwright-core'],
    banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
  });
}

function cells(row) {
  const { operation, pixels, raw, unit = 'ms', goal } = row;
  const amount = (value) =>
    `${value >= 100 || ['requests', 'calls'].includes(unit) ? Math.round(value) : value.toFixed(1)} ${unit}`;
  const wanted = goal?.ratio ? `${goal.ratio} x` : goal && `${goal.value} ${unit}`;
  return [
    operation,
    amount(pixels),
    raw === undefined ? '' : amount(raw),
    raw === undefined ? '' : (pixels / raw).toFixed(2),
    wanted ?? '',
    { true: 'yes', false: '**no**' }[isMet(row)] ?? '',
  ];
}

/** Undefined where there is no goal. */
function isMet({ pixels, raw, goal }) {
  if (!goal) return undefined;
  return goal.ratio ? pixels / raw <= goal.ratio : pixels <= goal.value;
}

function surroundings({ server_version: incus, kernel_version: kernel, storage, storage_version: version }) {
  const [cpu] = os.cpus();
  const machine = `${os.cpus().length} cores (${cpu.model.trim()}), Linux ${kernel}`;
  const pool = `${storage} ${version.split(' | ')[0]}`;
  const date = new Date().toISOString().slice(0, 10);
  return `Measured on ${date}: ${machine}, Incus ${incus} on ${pool}, Node ${process.versions.node}. Medians.`;
}

function aligned(lines) {
  const all = [titles, ...lines];
  const widths = titles.map((_, index) => Math.max(...all.map((line) => line[index].length)));
  return all
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdown(lines) {
  return [titles, ['---', '---:', '---:', '---:', '---:', '---'], ...lines]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}

function updateReadme(marker, text) {
  const file = path.join(repository, 'README.md');
  const before = readFileSync(file, 'utf8');
  const [start, end] = ['start', 'end'].map((which) => `<!-- ${marker}:${which} -->\n`);
  const [first, last] = [before.indexOf(start), before.indexOf(end)];
  if (first === -1 || last < first) throw new Error(`README.md has no ${start.trim()} and ${end.trim()}`);
  writeFileSync(file, `${before.slice(0, first)}${start}${text}\n${before.slice(last)}`);
}
