import type { GarbageKind } from '../misbehaviour';

/** An answer's text or bytes, damaged. What is damaged is its `result`; JSON-RPC's own fields stay where JSON is left at all. */
export function damaged(answer: Readonly<Record<string, unknown>>, kind: GarbageKind): string | Buffer {
  const text = JSON.stringify(answer);
  switch (kind) {
    case 'broken-json':
      return text.slice(0, -Math.ceil(text.length / 3));
    case 'binary':
      return Buffer.from(text);
    case 'wrong-types':
      return JSON.stringify({ ...answer, result: changed(answer.result, otherType) });
    case 'huge-numbers':
      return JSON.stringify({ ...answer, result: changed(answer.result, huge) });
    case 'missing-fields':
      return JSON.stringify({ ...answer, result: withoutHalf(answer.result) });
  }
}

function changed(value: unknown, change: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => changed(item, change));
  if (typeof value !== 'object' || value === null) return change(value);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, changed(part, change)]));
}

function otherType(leaf: unknown): unknown {
  if (typeof leaf === 'string') return leaf.length;
  if (typeof leaf === 'number') return String(leaf);
  return leaf === null ? {} : [leaf];
}

function huge(leaf: unknown): unknown {
  return typeof leaf === 'number' ? Number.MAX_VALUE : leaf;
}

function withoutHalf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHalf);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter((_, index) => index % 2 === 1);
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutHalf(part)]));
}
