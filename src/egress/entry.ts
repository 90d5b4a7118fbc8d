import { domainToASCII } from 'node:url';
import { PixelsError } from '../sandbox/errors';
import { formatRange, isWithin, rangeOf, type Range } from './address';

/** One thing that a policy allows or denies. */
export type Entry = DomainEntry | RangeEntry;

/** A domain, as it is on the wire: lower case, IDNA, no dot at the end. */
export interface DomainEntry {
  readonly kind: 'domain';
  readonly name: string;
  /** Only itself, and not its subdomains. */
  readonly exact: boolean;
  /** Only this TCP and UDP port; undefined: all. */
  readonly port: number | undefined;
}

/** An address or a range of them. */
export interface RangeEntry extends Range {
  readonly kind: 'range';
  readonly port: number | undefined;
}

const LONGEST_NAME = 253;
const LONGEST_LABEL = 63;
const EXAMPLES = 'Type a domain (example.org), only one name (=example.org), an address or a range (10.0.0.0/8).';

/**
 * What a person typed or pasted: `example.org`, `*.example.org` (the same), `=example.org` (without subdomains), `10.0.0.0/8`,
 * `2001:db8::1`, each with a port: `example.org:443`, `[2001:db8::1]:443`. Of a URL its host counts, and its port where it names one.
 * @throws PixelsError `invalid`, with what to type instead as its hint.
 */
export function parseEntry(typed: string): Entry {
  const text = typed.trim();
  if (text === '' || text === '=') refuse('This is empty.', EXAMPLES);
  if (text.length > 2000)
    refuse(`This is ${text.length} characters long; a domain has ${LONGEST_NAME} at most.`, EXAMPLES);
  const exact = text.startsWith('=');
  const { host, port } = separated(withoutUrl(exact ? text.slice(1).trim() : text, typed), typed);
  const range = rangeIn(host, typed);
  if (range === undefined) return { kind: 'domain', ...domainIn(host, exact, typed), port };
  return { kind: 'range', ...range, port };
}

/** As {@link parseEntry} reads it again: `=example.org:443`, `[2001:db8::/32]:443`. */
export function formatEntry(entry: Entry): string {
  const { kind, port } = entry;
  const suffix = port === undefined ? '' : `:${port}`;
  if (kind === 'domain') return `${entry.exact ? '=' : ''}${entry.name}${suffix}`;
  const range = formatRange(entry);
  return entry.family === 6 && port !== undefined ? `[${range}]${suffix}` : `${range}${suffix}`;
}

/** Whether all that the first entry names is named by the second as well. */
export function covers(outer: Entry, inner: Entry): boolean {
  if (outer.port !== undefined && outer.port !== inner.port) return false;
  if (outer.kind === 'range') return inner.kind === 'range' && isWithin(inner, outer);
  if (inner.kind !== 'domain') return false;
  if (outer.exact) return inner.exact && inner.name === outer.name;
  return isUnder(inner.name, outer.name);
}

/** Whether a name is that domain, or one of its subdomains. */
export function isUnder(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

function withoutUrl(text: string, typed: string): string {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const rest = isUrl ? text.replace(/^[^/]*\/\//, '') : text;
  // git@example.org:path/to/repository
  const scp = isUrl ? undefined : /^[\w.-]+@([^:/]+):(?!\d+$)/.exec(rest)?.[1];
  if (scp !== undefined) return scp;
  const isRange = !isUrl && /^\[?[\da-f.:]+\/\S+$/i.test(rest);
  const authority = isRange ? rest : (rest.split(/[/?#]/)[0] ?? '');
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (host === '') refuse(`"${typed.trim()}" names no host.`, EXAMPLES);
  return host;
}

/** `host:port`, `[host]:port`, and IPv6 without brackets, whose colons begin no port. */
function separated(text: string, typed: string): { host: string; port: number | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const plain = /^([^:]*):([^:]*)$/.exec(text);
  const behindPrefix = /^(.*\/[^:]*):([^:]*)$/.exec(text);
  const [, host = text, port] = bracketed ?? plain ?? behindPrefix ?? [];
  if (port === undefined) return { host, port };
  const number = Number(port);
  if (!/^\d{1,5}$/.test(port) || number < 1 || number > 65_535) {
    refuse(
      `"${typed.trim()}" has no port from 1 to 65535 behind its colon.`,
      `Type "${host}:443", or "${host}" for all ports.`,
    );
  }
  return { host, port: number };
}

function rangeIn(host: string, typed: string): Range | undefined {
  const [address = '', prefix, ...more] = host.split('/');
  if (prefix === undefined) return rangeOf(host);
  const range = more.length === 0 && /^\d{1,3}$/.test(prefix) ? rangeOf(address, Number(prefix)) : undefined;
  if (range === undefined)
    refuse(`"${typed.trim()}" is no range of addresses.`, 'Type one like 10.0.0.0/8 or 2001:db8::/32.');
  if (range.prefix === 0)
    refuse(`"${typed.trim()}" is every address there is.`, 'Choose the mode "unrestricted" for that.');
  return range;
}

function domainIn(host: string, exact: boolean, typed: string): Pick<DomainEntry, 'name' | 'exact'> {
  const text = typed.trim();
  const wild = /^(\*\.|\.)/.exec(host)?.[0] ?? '';
  if (exact && wild !== '')
    refuse(`"${text}" says both "only itself" and "all below it".`, 'Leave out the "=" or the "*.".');
  const bare = host.slice(wild.length).replace(/\.$/, '');
  if (bare === '*' || bare === '') refuse(`"${text}" is everything.`, 'Choose the mode "unrestricted" for that.');
  if (bare.includes('*')) {
    const rest = bare.slice(bare.lastIndexOf('*') + 1).replace(/^[^.]*\./, '');
    refuse(
      `"${text}" has a "*" that does not stand alone in front.`,
      `Type "${rest}": that means all names below it as well.`,
    );
  }
  const name = domainToASCII(bare);
  if (rangeOf(name) !== undefined)
    refuse(`"${text}" is an unusual way to write ${name}.`, `Type "${name}" if you mean that address.`);
  const tooLong = longLabel(name === '' ? bare : name);
  if (tooLong !== undefined) refuse(tooLong, 'Nothing on the network has such a name.');
  const labels = name.split('.');
  if (!labels.every((label) => /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/.test(label))) {
    refuse(`"${text}" is no domain: between its dots are letters, digits and hyphens.`, EXAMPLES);
  }
  if (labels.length === 1 && !exact) {
    refuse(
      `"${text}" would allow everything that ends with ".${name}".`,
      `Name a domain below it, or type "=${name}" for this one name.`,
    );
  }
  return { name, exact };
}

function longLabel(name: string): string | undefined {
  if (name.length > LONGEST_NAME) return `The domain is ${name.length} characters long; ${LONGEST_NAME} is the most.`;
  const label = name.split('.').find(({ length }) => length > LONGEST_LABEL);
  return (
    label &&
    `"${label.slice(0, 20)}…" is ${label.length} characters long; ${LONGEST_LABEL} is the most between two dots.`
  );
}

function refuse(sentence: string, hint: string): never {
  throw new PixelsError('invalid', sentence, { hint });
}
