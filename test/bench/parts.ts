import fs from 'node:fs';
import type { Row } from './measure';

/** What is measured of a world, by names. */
export type Parts<World> = Readonly<Record<string, (world: World) => Promise<Row[]> | Row[]>>;

/**
 * The whole process: `node PROGRAM OUTPUT [PART]` measures the parts in their order, writes the rows as JSON, and ends. PART, a
 * piece of a part's name, measures only that; where there is no such part, nothing is set up.
 */
export async function measureParts<World extends { remove(): Promise<void> }>(
  parts: Parts<World>,
  makeWorld: () => Promise<World>,
): Promise<void> {
  const [, , output = 'bench.json', only = ''] = process.argv;
  const wanted = Object.entries(parts).filter(([name]) => name.includes(only));
  const rows = wanted.length === 0 ? [] : await measured(wanted, makeWorld);
  fs.writeFileSync(output, JSON.stringify(rows));
  process.exit(0);
}

async function measured<World extends { remove(): Promise<void> }>(
  wanted: readonly (readonly [string, Parts<World>[string]])[],
  makeWorld: () => Promise<World>,
): Promise<Row[]> {
  // Reading a bundle of certificate authorities would be a third of every start of Node, ours and the raw ones alike.
  delete process.env['NODE_EXTRA_CA_CERTS'];
  const world = await makeWorld();
  const rows: Row[] = [];
  try {
    for (const [name, measure] of wanted) {
      process.stdout.write(`  ${name}…\n`);
      rows.push(...(await measure(world)));
    }
  } finally {
    await world.remove();
  }
  return rows;
}
