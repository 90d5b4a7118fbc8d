// Measures Pixels on Incus, and writes the rows as JSON: node incus.mjs OUTPUT [PART]. scripts/bench.mjs bundles and runs it.
import path from 'node:path';
import { agents } from './agents';
import { egress } from './egress';
import { inTheEditor } from './editor';
import * as operations from './operations';
import { measureParts } from './parts';
import { sizes } from './sizes';
import { makeWorld } from './world';

const dist = path.resolve('dist');
const cli = path.join(dist, 'cli.js');

await measureParts(
  // In this order: what needs 60 sandboxes finds 60.
  {
    list: operations.list,
    checkpoint: operations.checkpoint,
    exec: operations.exec,
    restore: operations.restore,
    clone: operations.clone,
    create: operations.create,
    base: operations.createFromBase,
    agents: (world) => agents(world, cli),
    'start-up': (world) => operations.startUp(world, cli),
    login: operations.tunnelLogin,
    throughput: operations.throughput,
    change: operations.outsideChange,
    egress,
    editor: (world) => inTheEditor(world, path.join(dist, 'pixels.vsix')),
    sizes: () => sizes(dist),
  },
  () => makeWorld(dist),
);
