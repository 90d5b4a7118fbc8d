// Bundles the two faces and the SSH tunnel so that they share their chunks: an adapter is loaded only when it is used, there is one
// PixelsError class, and nothing is shipped twice. esbuild splits ES modules only; each of them then becomes a CommonJS one, of which
// Node 20 loads three dozen in half the time. dist/tunnel.modules lists what is copied to ~/.ssh/pixels for the tunnel.
// Fails when what an entry imports at its start outgrows its limit. `--watch` rebuilds on change.
import * as esbuild from 'esbuild';
import fs from 'node:fs';

/** Minified KiB of what is loaded before anything is asked for: the file and all that it imports statically. */
const LIMITS_KIB = {
  'dist/extension.js': 60,
  'dist/cli.js': 60,
  'dist/tunnel.js': 60,
};

const watch = process.argv.includes('--watch');
const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8'));

/** @type {esbuild.BuildOptions} */
const options = {
  entryPoints: ['src/extension.ts', 'src/cli.ts', 'src/tunnel.ts'],
  outdir: 'dist',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: !watch,
  sourcemap: watch && 'inline',
  metafile: true,
  logLevel: 'warning',
  loader: { '.sh': 'text', '.pl': 'text', '.toml': 'text', '.service': 'text' },
  write: false,
  define: { PIXELS_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
  // ws looks for these optional native add-ons; without them it uses its own JavaScript.
  external: ['vscode', 'bufferutil', 'utf-8-validate'],
  plugins: [{ name: 'finish', setup: (build) => build.onEnd(finish) }],
};

fs.rmSync('dist', { recursive: true, force: true });
if (watch) {
  await (await esbuild.context(options)).watch();
} else {
  const { metafile } = await esbuild.build(options);
  let tooLarge = false;
  for (const [file, limit] of Object.entries(LIMITS_KIB)) {
    const kib = modulesOf(metafile, file, false).reduce((sum, each) => sum + fs.statSync(each).size, 0) / 1024;
    console.log(`${file}  ${kib.toFixed(1)} KiB of ${limit}`);
    if (kib > limit) tooLarge = true;
  }
  if (tooLarge) {
    console.error('A bundle is over its limit: see what got in with esbuild --analyze, and load it lazily.');
    process.exit(1);
  }
}

async function finish({ metafile, outputFiles = [] }) {
  if (!metafile) return; // it has failed, and has said why
  fs.mkdirSync('dist/chunks', { recursive: true });
  await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      // What stays `import()` would go through the loader of ES modules.
      const asRequire = { format: 'cjs', platform: 'node', target: 'node20', supported: { 'dynamic-import': false } };
      const { code } = await esbuild.transform(text, { ...asRequire, minify: !watch, sourcemap: watch && 'inline' });
      fs.writeFileSync(path, code);
    }),
  );
  fs.chmodSync('dist/cli.js', 0o755);
  const modules = modulesOf(metafile, 'dist/tunnel.js', true);
  fs.writeFileSync('dist/tunnel.modules', modules.map((file) => `${file.slice('dist/'.length)}\n`).join(''));
}

/** The output file `entry` and those that it imports, directly or not; with `lazily`, also what it imports only later. */
function modulesOf(metafile, entry, lazily) {
  const found = new Set([entry]);
  for (const file of found)
    for (const { path, kind, external } of metafile.outputs[file].imports)
      if (!external && (lazily || kind === 'import-statement')) found.add(path);
  return [...found];
}
