/** One row of the table. All times are medians in milliseconds. */
export interface Row {
  readonly operation: string;
  readonly pixels: number;
  /** The same work without our code in between, done in turns with it. */
  readonly raw?: number | undefined;
  readonly unit?: 'ms' | 'KiB' | 'requests' | 'calls';
  /** `ratio`: at most so many times raw. `value`: at most this. */
  readonly goal?: { readonly ratio: number } | { readonly value: number };
}

/** Does something and returns how long the part that counts took, in milliseconds. */
export type Timed = () => Promise<number>;

export interface Pair {
  readonly pixels: number;
  readonly raw: number;
}

/**
 * Medians of both ways to do something. They take turns, and who goes first takes turns too, so that a machine that slows
 * down slows both. The first turn is not counted.
 */
export async function inTurns(times: number, pixels: Timed, raw: Timed): Promise<Pair> {
  const taken = { pixels: [] as number[], raw: [] as number[] };
  for (let turn = -1; turn < times; turn++) {
    const order = turn % 2 === 0 ? (['pixels', 'raw'] as const) : (['raw', 'pixels'] as const);
    for (const who of order) {
      const ms = await { pixels, raw }[who]();
      if (turn >= 0) taken[who].push(ms);
    }
  }
  return { pixels: median(taken.pixels), raw: median(taken.raw) };
}

/** The median of one way; the first time is not counted. */
export async function repeatedly(times: number, timed: Timed): Promise<number> {
  const taken: number[] = [];
  for (let turn = -1; turn < times; turn++) {
    const ms = await timed();
    if (turn >= 0) taken.push(ms);
  }
  return median(taken);
}

/** How long it takes. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
