import fs from 'node:fs';
import { defineConfig } from 'vitest/config';

/** The version as esbuild puts it into the bundles, and what runs inside a sandbox as text. */
const bundling = {
  define: { PIXELS_VERSION: JSON.stringify('0.0.0-test') },
  plugins: [
    {
      name: 'guest-files-as-text',
      transform(code: string, id: string) {
        return /\.(sh|pl|toml|service)$/.test(id)
          ? `export default ${JSON.stringify(fs.readFileSync(id, 'utf8'))}`
          : undefined;
      },
    },
  ],
};

/** Suites on a real daemon run one file at a time: they share it, and two cores. What they wait for may take long on a busy machine. */
const patient = { poll: { timeout: 20_000 } };
const oneByOne = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000, retry: 0, expect: patient };

export default defineConfig({
  test: {
    projects: [
      // Some are about time, which a busy machine has none of; the reporter says where a second attempt was needed.
      { ...bundling, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], retry: 1 } },
      { ...bundling, test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...oneByOne } },
      { ...bundling, test: { name: 'ssh', include: ['test/ssh/**/*.test.ts'], ...oneByOne } },
      { ...bundling, test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...oneByOne, testTimeout: 300_000 } },
    ],
  },
});
