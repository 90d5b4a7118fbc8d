import { formatRange, isWithin, rangeOf, type Range } from './address';
import type { RangeEntry } from './entry';
import type { Ports, Rules } from './rules';

/**
 * Addresses that no name may lead to, so that whoever owns an allowed name cannot point it at the host, at a neighbour or at this
 * machine's cloud: only a range that somebody allowed does. (RFC 6890 without the documentation's, which lead nowhere.)
 */
const PRIVATE = {
  4: [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '224.0.0.0/3',
  ],
  6: ['::/96', '::ffff:0:0/96', '64:ff9b:1::/48', 'fc00::/7', 'fe80::/10', 'ff00::/8'],
} as const;

/** An address that nobody asks for any more is forgotten after this long. */
const LEARNED_FOR = '1d';
const MOST_LEARNED = 65_535;
const MOST_REFUSED = 512;
const FAMILIES = [4, 6] as const;

/** Whether an address is one that no name may lead to. */
export function isPrivate(address: string): boolean {
  const range = rangeOf(address);
  if (range === undefined) return false;
  return PRIVATE[range.family].map(parsePrefix).some((outer) => outer !== undefined && isWithin(range, outer));
}

function parsePrefix(text: string): Range | undefined {
  const [address = '', prefix] = text.split('/');
  return rangeOf(address, Number(prefix));
}

/** The set of addresses of names that may be reached at this port: `any4`, `port443v6`. The resolver fills it. */
export function learnedSet(port: number | 'all', family: 4 | 6): string {
  return port === 'all' ? `any${family}` : `port${port}v${family}`;
}

/**
 * What decides about a connection, as parts of a table of its own: sets, and the chains `check`, `pass` and `refuse`. Who goes to `check`
 * has let pass before what `pass` has marked. Whoever loads it has to define `$generation`, a number that no earlier ruleset had:
 * connections that an earlier one let pass are looked at again.
 */
export function renderDecision(rules: Rules): string {
  const ports = portsIn(rules);
  return `${[...learnedSets(ports), ...rangeSets(rules, ports), ...refusedSets()].join('\n')}
  chain check {
${checks(ports).join('\n')}
    goto refuse
  }
  chain pass {
    ct mark set $generation accept
  }
  # At once: nobody waits for an answer that will not come.
  chain refuse {
    ip daddr != 224.0.0.0/3 meta l4proto { tcp, udp } update @refused4 { ip daddr . meta l4proto . th dport counter }
    ip6 daddr != ff00::/8 meta l4proto { tcp, udp } update @refused6 { ip6 daddr . meta l4proto . th dport counter }
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }`;
}

type PortList = readonly (number | 'all')[];

/** Every port that anything is allowed at, `all` first. */
function portsIn({ domains, allowedRanges }: Rules): PortList {
  const of = (ports: Ports): PortList => (ports === 'all' ? ['all'] : ports);
  const named = domains.flatMap(({ ports, below }) => [...of(ports), ...of(below)]);
  const numbers = [...named, ...allowedRanges.map(({ port }) => port ?? 'all')].filter((port) => port !== 'all');
  return ['all', ...[...new Set(numbers)].sort((one, other) => one - other)];
}

function learnedSets(ports: PortList): string[] {
  const body = (family: 4 | 6): string =>
    `type ipv${family}_addr; flags timeout; timeout ${LEARNED_FOR}; size ${MOST_LEARNED};`;
  return ports.flatMap((port) => FAMILIES.map((family) => `  set ${learnedSet(port, family)} { ${body(family)} }`));
}

/** What was refused, for a day. Of what does not fit in, nothing is kept; nor what goes to everybody, as systemd-resolved likes to ask. */
function refusedSets(): string[] {
  const body = (family: 4 | 6): string =>
    `type ipv${family}_addr . inet_proto . inet_service; flags dynamic, timeout; timeout ${LEARNED_FOR}; size ${MOST_REFUSED};`;
  return FAMILIES.map((family) => `  set refused${family} { ${body(family)} }`);
}

function rangeSets({ allowedRanges, deniedRanges }: Rules, ports: PortList): string[] {
  const set = (name: string, family: 4 | 6, ranges: readonly string[]): string => {
    const elements = ranges.length === 0 ? '' : ` elements = { ${ranges.join(', ')} };`;
    return `  set ${name} { type ipv${family}_addr; flags interval; auto-merge;${elements} }`;
  };
  const texts = (ranges: readonly Range[], family: 4 | 6): string[] =>
    ranges.filter((range) => range.family === family).map(formatRange);
  const withPort = (port: number | 'all'): readonly RangeEntry[] =>
    allowedRanges.filter((range) => (range.port ?? 'all') === port);
  return FAMILIES.flatMap((family) => [
    set(`private${family}`, family, PRIVATE[family]),
    set(`denied${family}`, family, texts(deniedRanges, family)),
    ...ports.map((port) => set(`range_${learnedSet(port, family)}`, family, texts(withPort(port), family))),
  ]);
}

/** Denied addresses first, then allowed ranges, then those of names, unless they are private. */
function checks(ports: PortList): string[] {
  const to = (family: 4 | 6): string => (family === 4 ? 'ip daddr' : 'ip6 daddr');
  const at = (port: number | 'all'): string => (port === 'all' ? '' : `meta l4proto { tcp, udp } th dport ${port} `);
  const each = (rule: (family: 4 | 6) => string): string[] => FAMILIES.map((family) => `    ${rule(family)}`);
  const eachPort = (prefix: string): string[] =>
    ports.flatMap((port) =>
      each((family) => `${at(port)}${to(family)} @${prefix}${learnedSet(port, family)} goto pass`),
    );
  return [
    ...each((family) => `${to(family)} @denied${family} goto refuse`),
    ...eachPort('range_'),
    ...each((family) => `${to(family)} @private${family} goto refuse`),
    ...eachPort(''),
  ];
}
