import { formatRange, isWithin, rangeOf, type Range } from './address';
import type { RangeEntry } from './entry';
import type { Ports, Rules } from './rules';

/** The nftables table that is ours. */
export const TABLE = 'pixels';

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
 * The text for `nft -f`, which puts all of the table in place at once. Whoever loads it has to define before it:
 * `$resolver`, the user id of the one process that may ask name servers; `$dhcp`, a set of those that may speak DHCP;
 * `$generation`, a number that no earlier ruleset had: connections that an earlier one accepted are looked at again.
 * @param mark goes into the table's comment, to tell which policy is in force: at most 100 letters and digits.
 */
export function renderRuleset(rules: Rules, mark: string): string {
  const ports = portsIn(rules);
  return `table inet ${TABLE}
delete table inet ${TABLE}
table inet ${TABLE} {
  comment "${mark}"
${[...learnedSets(ports), ...rangeSets(rules, ports), ...refusedSets()].join('\n')}
  # What leaves this machine. Answers to those who came in do, and what this ruleset accepted before.
  chain output {
    type filter hook output priority filter; policy drop;
    oifname "lo" accept
    ip daddr 127.0.0.1 accept # redirected below, which does not change the name of the interface
    ip6 daddr ::1 accept
    ct state { established, related } ct direction reply accept
    ct state established ct mark $generation accept
    meta skuid $resolver meta l4proto { tcp, udp } th dport 53 accept
    meta skuid $dhcp udp sport 68 udp dport 67 accept
    meta skuid $dhcp udp sport 546 udp dport 547 accept
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report } accept
    goto check
  }
  # The same for machines inside this one.
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state { established, related } ct direction reply accept
    ct state established ct mark $generation accept
    goto check
  }
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
  }
  # Whichever name server is asked, the one that answers is ours.
  chain names {
    type nat hook output priority -100; policy accept;
    oifname "lo" accept
    meta skuid $resolver accept
    meta l4proto { tcp, udp } th dport 53 redirect to :53
  }
}
`;
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
