import { checkJson, checkText } from '../checks';
import { defineCommand } from '../command';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Look at the whole setup, and say what to do where something is wrong',
  operands: {},
  options: {},
  details: 'It changes nothing. It exits with 1 when something has failed; a warning is no failure.',
  async run(cli) {
    const { diagnose, isHealthy } = await import('../../app/doctor');
    const { terminal, flags } = cli;
    const checks = await diagnose({
      ...(await cli.surroundings()),
      configuration: () => cli.configuration(),
      signal: cli.run.signal,
      onCheck: (check) => {
        if (!flags.json) terminal.print(checkText(check, terminal));
      },
    });
    if (flags.json) cli.print(checks.map(checkJson), String);
    return isHealthy(checks) ? 0 : 1;
  },
});
