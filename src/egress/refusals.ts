import * as z from 'zod/mini';
import { formatEntry, parseEntry } from './entry';
import { isPrivate } from './ruleset';

/** Something that a program in a sandbox wanted to reach and could not. */
export interface Refusal {
  /** The name that was asked for, or that led to the address. */
  readonly name: string | undefined;
  /** Where a connection was refused; absent where there was no address for the name, so that none was tried. */
  readonly address: string | undefined;
  readonly protocol: 'tcp' | 'udp' | undefined;
  readonly port: number | undefined;
  readonly count: number;
  readonly last: Date;
}

/**
 * What to allow so that this would not have been refused: the name, with the port where it has an address already, or, where that is one
 * that no name may lead to, the address. Undefined for what can be neither, such as `localhost.localdomain.`.
 */
export function entryFor({ name, address, port }: Refusal): string | undefined {
  const host = (address !== undefined && isPrivate(address) ? address : name) ?? address ?? '';
  const bare = host.includes(':') && port !== undefined ? `[${host}]` : host;
  const typed = port === undefined ? bare : `${bare}:${port}`;
  for (const each of [typed, `=${typed}`]) {
    try {
      return formatEntry(parseEntry(each));
    } catch {
      // a single label is allowed only by itself
    }
  }
  return undefined;
}

const PROTOCOLS: Readonly<Record<string, 'tcp' | 'udp'>> = { tcp: 'tcp', udp: 'udp', 6: 'tcp', 17: 'udp' };

const elementSchema = z.object({
  elem: z.object({
    val: z.object({ concat: z.tuple([z.string(), z.union([z.string(), z.number()]), z.number()]) }),
    expires: z.number(),
    counter: z.object({ packets: z.number() }),
  }),
});
const setSchema = z.object({
  nftables: z.array(
    z.object({ set: z.optional(z.object({ timeout: z.number(), elem: z.optional(z.array(z.unknown())) })) }),
  ),
});

/**
 * What `egress.sh refused` prints, the latest first. What root in the sandbox may have put there and makes no sense is left out.
 * @param now when it was printed: nftables only tells when it will forget.
 */
export function parseRefusals(printed: string, now: Date): readonly Refusal[] {
  const found: Refusal[] = [];
  const names = new Map<string, string>();
  const sets: string[] = [];
  for (const line of printed.split('\n')) {
    const [kind, ...words] = line.split(' ');
    if (kind === 'is' && words[0] !== undefined && isName(words[1])) names.set(words[0], words[1]);
    else if (kind === 'name') found.push(...refusedName(words));
    else if (line.startsWith('{')) sets.push(line);
  }
  for (const text of sets) {
    for (const { timeout, val, expires, counter } of elementsOf(text)) {
      const [address, protocol, port] = val.concat;
      const last = new Date(now.getTime() - (timeout - expires) * 1000);
      const name = names.get(address);
      found.push({ name, address, protocol: PROTOCOLS[protocol], port, count: counter.packets, last });
    }
  }
  return found.sort((one, other) => other.last.getTime() - one.last.getTime());
}

function refusedName([count, last, name]: readonly string[]): Refusal[] {
  const [times, seconds] = [Number(count), Number(last)];
  if (!isName(name) || !Number.isSafeInteger(times) || !Number.isSafeInteger(seconds)) return [];
  const nowhere = { address: undefined, protocol: undefined, port: undefined };
  return [{ name, ...nowhere, count: times, last: new Date(seconds * 1000) }];
}

interface Element extends z.infer<typeof elementSchema.shape.elem> {
  /** How long it is kept after the last time, in seconds. */
  readonly timeout: number;
}

function elementsOf(text: string): Element[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  const read = z.safeParse(setSchema, json);
  const sets = read.success ? read.data.nftables.flatMap(({ set }) => set ?? []) : [];
  return sets.flatMap(({ timeout, elem = [] }) =>
    elem.flatMap((element) => {
      const { data } = z.safeParse(elementSchema, element);
      const isAddress = data !== undefined && /^[0-9a-f.:]+$/.test(data.elem.val.concat[0]);
      return isAddress ? [{ timeout, ...data.elem }] : [];
    }),
  );
}

function isName(text: string | undefined): text is string {
  return text !== undefined && /^[\w.-]{1,253}$/.test(text);
}
