import { isSafetyLabel, parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { age, moment, size } from '../../format';
import { checkpointJson } from '../../json';
import { renderTable } from '../../table';

export const listCheckpoints = defineCommand({
  name: 'list',
  summary: 'List the checkpoints of a sandbox, oldest first',
  operands: { name: 'NAME' },
  options: {},
  run(cli, operands) {
    const name = parseName(operands.name);
    return cli.use(async ({ host }) => {
      const checkpoints = await host.checkpoints(name, cli.run.signal);
      if (checkpoints.length === 0) cli.say(`${name} has no checkpoints. "pixels cp create ${name}" takes one.`);
      cli.print(checkpoints.map(checkpointJson), () => {
        if (checkpoints.length === 0) return '';
        return renderTable(
          [
            {
              title: 'LABEL',
              text: ({ label }) => label,
              paint: (text, { label }) => (isSafetyLabel(label) ? cli.terminal.gray(text) : text),
            },
            { title: 'CREATED', text: ({ createdAt }) => moment(createdAt) },
            { title: 'AGE', text: ({ createdAt }) => age(createdAt), right: true },
            { title: 'SIZE', text: ({ sizeBytes }) => size(sizeBytes), right: true },
          ],
          checkpoints,
        );
      });
      return 0;
    });
  },
});
