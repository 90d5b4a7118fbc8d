// Measures Pixels on TrueNAS against the same API made bare, and writes the rows as JSON: node truenas.mjs OUTPUT [PART].
// scripts/bench.mjs bundles and runs it.
import path from 'node:path';
import { measureParts } from '../parts';
import * as operations from './operations';
import { makeWorld } from './world';

await measureParts(
  // In this order: what needs 60 sandboxes finds 60.
  {
    list: operations.list,
    calls: operations.calls,
    checkpoint: operations.checkpoint,
    exec: operations.exec,
    start: operations.start,
    restore: operations.restore,
    clone: operations.clone,
    create: operations.create,
  },
  () => makeWorld(path.resolve('dist'), import.meta.dirname),
);
