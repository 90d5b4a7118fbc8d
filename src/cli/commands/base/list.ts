import { baseJson, baseStatusWords } from '../../bases';
import { defineCommand } from '../../command';
import { age } from '../../format';
import { renderTable } from '../../table';

export const listBases = defineCommand({
  name: 'list',
  summary: 'List the bases that sandboxes are cloned from, built or not',
  operands: {},
  options: {},
  details: 'What a killed build has left is removed.',
  run: (cli) =>
    cli.use(async (pixels) => {
      const bases = await pixels.bases.list(cli.run.signal);
      cli.print(bases.map(baseJson), () =>
        renderTable(
          [
            { title: 'NAME', text: ({ name }) => name },
            {
              title: 'STATUS',
              text: baseStatusWords,
              paint: (text, { status }) => (status === 'ready' ? cli.terminal.green(text) : text),
            },
            { title: 'FROM', text: ({ definition }) => definition?.parent ?? definition?.image ?? '' },
            {
              title: 'AGE',
              text: ({ record }) => (record === undefined ? '' : age(new Date(record.since))),
              right: true,
            },
            { title: 'DESCRIPTION', text: ({ definition }) => definition?.description ?? 'not defined any more' },
          ],
          bases,
        ),
      );
      return 0;
    }),
});
