import { parseName, parseSource } from '../../sandbox/name';
import { defineCommand } from '../command';
import { MAKE_OPTIONS, makeSandbox } from '../make';

export const clone = defineCommand({
  name: 'clone',
  summary: 'Make a sandbox that is a copy of another one, or of one of its checkpoints',
  operands: { source: 'SOURCE[:LABEL]', name: 'NAME' },
  options: MAKE_OPTIONS,
  details:
    'The copy has its own host key, machine-id and address. It has the limits of its source unless others are given.',
  async run(cli, operands, options) {
    const from = parseSource(operands.source);
    return makeSandbox(cli, parseName(operands.name), options, () => ({ source: { from }, defaults: {} }));
  },
});
