// Bundles the two faces and the SSH tunnel as ES modules that share their chunks: an adapter is loaded only when it is used, there
// is one PixelsError class, and nothing is shipped twice. dist/tunnel.modules lists what is copied to ~/.ssh/pixels for the tunnel.
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
  sourcemap: watch,
  metafile: true,
  logLevel: 'warning',
  loader: { '.sh': 'text', '.toml': 'text', '.service': 'text' },
  define: { PIXELS_VERSION: JSON.stringify(version) },
  // ws looks for these optional native add-ons; without them it uses its own JavaScript.
  external: ['vscode', 'bufferutil', 'utf-8-validate'],
  // CommonJS packages in an ES module still call require() for Node's own modules. Minified names are short: this one is not.
  banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
};

fs.rmSync('dist', { recursive: true, force: true });
if (watch) {
  await (
    await esbuild.context({ ...options, plugins: [{ name: 'list', setup: (build) => build.onEnd(listTunnel) }] })
  ).watch();
} else {
  const { metafile } = await esbuild.build(options);
  listTunnel({ metafile });
  fs.chmodSync('dist/cli.js', 0o755);
  let tooLarge = false;
  for (const [file, limit] of Object.entries(LIMITS_KIB)) {
    const kib = modulesOf(metafile, file, false).reduce((sum, each) => sum + metafile.outputs[each].bytes, 0) / 1024;
    console.log(`${file}  ${kib.toFixed(1)} KiB of ${limit}`);
    if (kib > limit) tooLarge = true;
  }
  if (tooLarge) {
    console.error('A bundle is over its limit: see what got in with esbuild --analyze, and load it lazily.');
    process.exit(1);
  }
}

function listTunnel({ metafile }) {
  const modules = metafile ? modulesOf(metafile, 'dist/tunnel.js', true) : [];
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
