import type { Pixels } from '../../../app/pixels';
import { parseName } from '../../../sandbox/name';
import type { Sandbox } from '../../../sandbox/sandbox';
import { defineCommand } from '../../command';
import { moment } from '../../format';

/** What a sandbox may reach, as `--json` shows it. */
interface Shown {
  readonly mode: string;
  /** Where it is enforced: `guest`, inside the sandbox, or `gateway`, outside; null where there is nothing to enforce. */
  readonly enforcement: string | null;
  /** Whether that is so now; null while it does not run. */
  readonly inForce: boolean | null;
  readonly groups: readonly { id: string; title: string; on: boolean; entries: readonly string[] }[];
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Allowed as well until then, an ISO 8601 time; by a person, or because the set-up needs it. */
  readonly timed: readonly { entry: string; until: string; forSetUp: boolean }[];
}

export const showEgress = defineCommand({
  name: 'show',
  summary: 'Show what a sandbox may reach, and whether that is in force',
  operands: { name: 'NAME' },
  options: {},
  run: (cli, operands) =>
    cli.use(async (pixels) => {
      const sandbox = await pixels.host.get(parseName(operands.name), cli.run.signal);
      const shown = await shownOf(pixels, sandbox, cli.run.signal);
      cli.print(shown, () => describe(sandbox, shown));
      return 0;
    }),
});

async function shownOf(
  { host, egress }: Pixels,
  { name, state, status }: Sandbox,
  signal: AbortSignal | undefined,
): Promise<Shown> {
  if (state.egress === undefined)
    return { mode: 'unrestricted', enforcement: null, inForce: true, groups: [], allow: [], deny: [], timed: [] };
  const { formatEntry, isOn, readPolicy } = await import('../../../egress');
  const policy = readPolicy(state.egress);
  const { mode, enforcement, allow, deny, timed } = policy;
  const preset = mode === 'agent' ? await egress.preset() : [];
  return {
    mode,
    enforcement: mode === 'unrestricted' ? null : enforcement,
    inForce: status === 'running' ? await egress.isInForce(host, name, state.egress, signal) : null,
    groups: preset.map((group) => ({
      id: group.id,
      title: group.title,
      on: isOn(policy, group),
      entries: group.entries.map(formatEntry),
    })),
    allow: allow.map(formatEntry),
    deny: deny.map(formatEntry),
    timed: timed.map(({ entry, until, forSetUp = false }) => ({
      entry: formatEntry(entry),
      until: until.toISOString(),
      forSetUp,
    })),
  };
}

const ENFORCED: Readonly<Record<string, string>> = {
  guest: 'inside the sandbox, against its user',
  gateway: 'outside, by a gateway: also against root inside',
};

function describe({ name }: Sandbox, { mode, enforcement, inForce, groups, allow, deny, timed }: Shown): string {
  const force = inForce === null ? 'when it runs' : inForce ? 'yes' : `no: "pixels network refresh ${name}" does it`;
  const rows: readonly (readonly [string, string])[] = [
    ['Mode', mode],
    ['In force', force],
    ...(enforcement === null ? [] : ([['Enforced', ENFORCED[enforcement] ?? enforcement]] as const)),
    ...groups.map(
      ({ id, title, on, entries }) => [`@${id}`, `${on ? 'on ' : 'off'} ${title}: ${entries.join(', ')}`] as const,
    ),
    ...(mode === 'unrestricted' ? [] : ([['Allowed', allow.join(', ') || 'nothing of your own']] as const)),
    ...(mode === 'unrestricted'
      ? []
      : timed.map(
          ({ entry, until, forSetUp }) =>
            ['Allowed', `${entry}${forSetUp ? ' for the set-up' : ''} until ${moment(new Date(until))}`] as const,
        )),
    ...(deny.length === 0 ? [] : ([['Denied', deny.join(', ')]] as const)),
  ];
  return rows.map(([title, text]) => `${`${title}:`.padEnd(16)}${text}\n`).join('');
}
