import path from 'node:path';
import * as esbuild from 'esbuild';

/** Makes one file for Node of a program in here, for a test that starts it as a process of its own. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await esbuild.build({
    entryPoints: [path.resolve(import.meta.dirname, '../..', entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    loader: { '.sh': 'text', '.pl': 'text', '.toml': 'text', '.service': 'text' },
    define: { PIXELS_VERSION: '"test"' },
    external: ['bufferutil', 'utf-8-validate'],
    banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
  });
}
