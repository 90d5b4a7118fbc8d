import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const readme = readFileSync('README.md', 'utf8');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  contributes: { commands: { title: string }[]; configuration: { properties: Record<string, unknown> } };
};
const texts = JSON.parse(readFileSync('package.nls.json', 'utf8')) as Record<string, string>;

it('the README has every command', () => {
  const titles = manifest.contributes.commands.map(({ title }) => texts[title.slice(1, -1)] ?? title);
  expect(titles.length).toBeGreaterThan(15);
  expect(titles.filter((title) => !readme.includes(title))).toEqual([]);
});

it('the README has every setting', () => {
  const settings = Object.keys(manifest.contributes.configuration.properties);
  expect(settings.length).toBeGreaterThan(5);
  // Neighbours share a row: `pixels.incus.clientCert`, `.clientKey`.
  const missing = settings.filter(
    (key) => !readme.includes(`\`${key}\``) && !readme.includes(`\`.${key.split('.')[2] ?? ''}\``),
  );
  expect(missing).toEqual([]);
});
