import { isIP, isIPv4 } from 'node:net';

/** A range of addresses; a single address is one with the longest prefix. */
export interface Range {
  readonly family: 4 | 6;
  /** The first address, in the one form that every address has here: `10.0.0.0`, `2001:db8::`. */
  readonly address: string;
  /** Prefix length in bits: 32 or 128 for a single address. */
  readonly prefix: number;
}

/** Bits of an address of each family. */
export const BITS = { 4: 32, 6: 128 } as const;

/**
 * The range that an address and a prefix length name; bits behind the prefix are cleared. IPv4 inside IPv6 (`::ffff:10.0.0.1`) is
 * IPv4. Undefined when the text is no address, or the prefix is longer than one.
 */
export function rangeOf(text: string, prefix?: number): Range | undefined {
  const version = isIP(text);
  if (version === 0 || text.includes('%')) return undefined;
  const value = version === 4 ? valueOf4(text) : valueOf6(text);
  const isMapped = version === 6 && value >> 32n === 0xffffn && (prefix ?? 128) >= 96;
  const family = version === 4 || isMapped ? 4 : 6;
  const bits = BITS[family];
  const length = prefix === undefined ? bits : prefix - (isMapped ? 96 : 0);
  if (length < 0 || length > bits) return undefined;
  const own = isMapped ? value & 0xffffffffn : value;
  const behind = BigInt(bits - length);
  return { family, address: textOf((own >> behind) << behind, family), prefix: length };
}

/** Whether the first range lies within the second. */
export function isWithin(inner: Range, outer: Range): boolean {
  if (inner.family !== outer.family || inner.prefix < outer.prefix) return false;
  return rangeOf(inner.address, outer.prefix)?.address === outer.address;
}

/** `10.0.0.0/8`; a single address is only itself. */
export function formatRange({ family, address, prefix }: Range): string {
  return prefix === BITS[family] ? address : `${address}/${prefix}`;
}

function valueOf4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function valueOf6(text: string): bigint {
  const dotted = /[^:]*\.[^:]*$/.exec(text)?.[0];
  const hex = dotted !== undefined && isIPv4(dotted) ? text.slice(0, -dotted.length) + hexOf4(dotted) : text;
  const [head = '', tail] = hex.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [first, last] = [groups(head), tail === undefined ? [] : groups(tail)];
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function hexOf4(dotted: string): string {
  const value = valueOf4(dotted);
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function textOf(value: bigint, family: 4 | 6): string {
  const part = (index: bigint, bits: bigint): bigint => (value >> (index * bits)) & ((1n << bits) - 1n);
  if (family === 4) return [3n, 2n, 1n, 0n].map((index) => part(index, 8n)).join('.');
  const groups = [7n, 6n, 5n, 4n, 3n, 2n, 1n, 0n].map((index) => part(index, 16n).toString(16)).join(':');
  // The URL parser writes IPv6 as RFC 5952 says: the longest run of zeros is left out.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}
