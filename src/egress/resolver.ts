import type { DomainRule, Ports, Rules } from './rules';
import { learnedSet } from './ruleset';

/** What the one resolver of a sandbox is told. */
export interface ResolverConfig {
  /** For dnsmasq(8), version 2.87 or newer. */
  readonly config: string;
  /**
   * Names that others are asked for, one in each line: `example.org` and all below it, `*.example.org` only what is below. Whoever
   * starts it writes `server=/NAME/ADDRESS` for each of them and each name server of the network into the `serversFile`.
   */
  readonly asked: string;
}

export interface ResolverPlaces {
  /** Where it listens, and from where it asks others, as its options say that. */
  readonly ports: readonly string[];
  /** The nftables table with the sets that learn. */
  readonly table: string;
  /** The file that is read again on SIGHUP, when the network's name servers change. */
  readonly serversFile: string;
  /** Whose process it is. */
  readonly user: string;
}

/**
 * What dnsmasq gives an answer for, and which sets learn the addresses in it. Everything else is NXDOMAIN and goes nowhere, so that
 * names carry nothing out. Answers are kept by nobody for longer than a minute, and not by dnsmasq: only what comes from
 * outside is learned.
 */
export function renderResolver({ domains }: Rules, places: ResolverPlaces): ResolverConfig {
  const { ports, table, serversFile, user } = places;
  const lines = [
    ...ports,
    'bind-interfaces',
    `user=${user}`,
    'pid-file=',
    'no-resolv',
    'no-hosts',
    'cache-size=0',
    'max-ttl=60',
    'dns-forward-max=1000',
    'log-queries=extra',
    'log-facility=-',
    `servers-file=${serversFile}`,
    'address=/#/',
    ...domains.flatMap((rule) => linesFor(rule, table)),
  ];
  const asked = domains.filter((rule) => isAny(rule.ports) || isAny(rule.below));
  return {
    config: lines.map((line) => `${line}\n`).join(''),
    asked: asked.map(({ name, ports }) => `${isAny(ports) ? name : `*.${name}`}\n`).join(''),
  };
}

/** `*.example.org` is more exact than `example.org` for dnsmasq, and names below it that are named themselves are more exact still. */
function linesFor({ name, ports, below }: DomainRule, table: string): string[] {
  if (!isAny(ports) && !isAny(below)) return [`address=/${name}/`];
  const sets = setsOf(isAny(below) ? below : ports, table);
  return [
    ...(isAny(ports) ? [] : [`address=/${name}/`]),
    ...(isAny(below) ? [] : [`address=/*.${name}/`]),
    `nftset=/${name}/${sets.join(',')}`,
  ];
}

function setsOf(ports: Ports, table: string): string[] {
  const each = ports === 'all' ? (['all'] as const) : ports;
  return each.flatMap((port) =>
    ([4, 6] as const).map((family) => `${family}#inet#${table}#${learnedSet(port, family)}`),
  );
}

function isAny(ports: Ports): boolean {
  return ports === 'all' || ports.length > 0;
}
