import { build } from '../../bases';
import { defineCommand } from '../../command';

export const buildBase = defineCommand({
  name: 'build',
  summary: 'Build a base where it is missing or stale, its parents first',
  operands: { name: 'NAME' },
  options: {},
  details: 'While another process builds it, that one is waited for. Cancelling leaves nothing.',
  run: (cli, { name }) => build(cli, name, false),
});
