import { setTimeout as delay } from 'node:timers/promises';
import type { Refusal } from '../../../egress';
import { PixelsError } from '../../../sandbox/errors';
import { parseName } from '../../../sandbox/name';
import { defineCommand } from '../../command';
import { moment } from '../../format';
import { renderTable, type Column } from '../../table';

const LOOK_MS = 1_000;

export const logEgress = defineCommand({
  name: 'log',
  summary: 'Show what a sandbox wanted to reach and could not',
  operands: { name: 'NAME' },
  options: { follow: { type: 'boolean', short: 'f', help: 'Go on, with a line for each that is refused' } },
  details:
    'Names that were not looked up and connections that were refused, within a day: how often, and when at last.\n' +
    '"pixels network allow" lets them through.',
  run: (cli, operands, { follow = false }) =>
    cli.use(async ({ host, egress }) => {
      const name = parseName(operands.name);
      const { signal } = cli.run;
      if (!(await egress.isRestricted(host, name, signal))) {
        throw new PixelsError('wrong-state', `${name} may reach everything, so nothing is refused.`);
      }
      const first = await egress.refusals(host, name, signal);
      if (!follow) {
        cli.print(first.map(shown), () =>
          first.length === 0 ? 'Nothing was refused.\n' : renderTable(COLUMNS, first),
        );
        return 0;
      }
      const known = new Map<string, number>();
      for (let refusals = first; ; refusals = await egress.refusals(host, name, signal)) {
        for (const refusal of [...refusals].reverse()) {
          const key = JSON.stringify([refusal.name, refusal.address, refusal.protocol, refusal.port]);
          if (known.get(key) === refusal.count) continue;
          known.set(key, refusal.count);
          cli.print(
            shown(refusal),
            () =>
              `${COLUMNS.map(({ text }) => text(refusal))
                .join('  ')
                .trimEnd()}\n`,
          );
        }
        await delay(LOOK_MS, undefined, { signal });
      }
    }),
});

const COLUMNS: readonly Column<Refusal>[] = [
  { title: 'LAST', text: ({ last }) => moment(last) },
  { title: 'COUNT', text: ({ count }) => String(count), right: true },
  { title: 'WHAT', text: ({ name, address }) => name ?? address ?? '' },
  { title: 'PORT', text: ({ port, protocol }) => (port === undefined ? '' : `${port}/${protocol ?? ''}`) },
];

function shown({ name, address, protocol, port, count, last }: Refusal): object {
  return {
    name: name ?? null,
    address: address ?? null,
    protocol: protocol ?? null,
    port: port ?? null,
    count,
    last: last.toISOString(),
  };
}
