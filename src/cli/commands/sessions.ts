import { parseName } from '../../sandbox/name';
import { defineCommand } from '../command';
import { age } from '../format';
import { userOf } from '../identity';
import { renderTable } from '../table';

export const sessions = defineCommand({
  name: 'sessions',
  summary: 'List the tmux sessions in a sandbox',
  operands: { name: 'NAME' },
  options: {},
  run: (cli, operands) =>
    cli.use(async ({ host, config }) => {
      const name = parseName(operands.name);
      const { listSessions } = await import('../../provision/enter');
      const user = userOf(await host.get(name, cli.run.signal), config);
      const found = await listSessions(host, name, user, cli.run.signal);
      if (found.length === 0) cli.say(`${name} has no sessions. "pixels console ${name}" begins one.`);
      cli.print(found, () => {
        if (found.length === 0) return '';
        return renderTable(
          [
            { title: 'SESSION', text: ({ session }) => session },
            { title: 'ATTACHED', text: ({ attached }) => (attached ? 'yes' : 'no') },
            { title: 'AGE', text: ({ createdAt }) => age(createdAt), right: true },
          ],
          found,
        );
      });
      return 0;
    }),
});
