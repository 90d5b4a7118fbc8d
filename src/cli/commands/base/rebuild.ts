import { build } from '../../bases';
import { defineCommand } from '../../command';

export const rebuildBase = defineCommand({
  name: 'rebuild',
  summary: 'Build a base anew, up to date or not',
  operands: { name: 'NAME' },
  options: {},
  details: 'Sandboxes that were cloned from it stay as they are.',
  run: (cli, { name }) => build(cli, name, true),
});
