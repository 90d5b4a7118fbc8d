import { parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { changeEgress, egressMode, enforcementNamed } from '../../egress';

export const setEgress = defineCommand({
  name: 'set',
  summary: 'Choose what a sandbox may reach: unrestricted, agent or allowlist',
  operands: { name: 'NAME', mode: 'MODE' },
  options: {
    enforcement: {
      type: 'string',
      value: 'WHERE',
      help: 'What sees to it: guest (inside the sandbox) or gateway (outside)',
    },
  },
  details:
    'unrestricted: everything. agent: what coding agents need, in groups (pixels network show), and your own list. allowlist:\n' +
    'your own list only. It is in force at once, and connections that are not allowed any more are cut.',
  run(cli, operands, options) {
    const name = parseName(operands.name);
    const mode = egressMode(operands.mode);
    const enforcement = enforcementNamed(options.enforcement);
    return changeEgress(cli, name, `The egress of ${name} is ${mode}`, async (pixels) => {
      const { changeToMode } = await import('../../../app/egressMode');
      return changeToMode(pixels, mode, enforcement);
    });
  },
});
