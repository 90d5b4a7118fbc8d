import type { Readable } from 'node:stream';
import { PixelsError } from '../../sandbox/errors';

/** A message of the day may be long, but not so long. */
const LIMIT_BYTES = 1024 * 1024;

/** So much of what came before an early end is of interest. */
const LAST_WORDS_BYTES = 300;

/** The stream ended before the marker came. */
export class EarlyEndError extends Error {
  override readonly name = 'EarlyEndError';
}

/**
 * Reads a stream up to the first of some equally long markers, which may be split over chunks, and throws it and all that
 * came before away. What follows is left in the stream.
 * @returns the marker that came.
 * @throws EarlyEndError, with the last words as its message; PixelsError `protocol` when it does not come within 1 MiB.
 */
export function skipPast<Marker extends string>(stream: Readable, markers: readonly Marker[]): Promise<Marker> {
  const length = markers[0]?.length ?? 0;
  let skipped = 0;
  let seen = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const read = (): void => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const found = firstOf(markers, seen);
        if (found !== undefined) {
          stop();
          const rest = seen.subarray(found.index + length);
          if (rest.length > 0) stream.unshift(rest);
          resolve(found.marker);
          return;
        }
        skipped += chunk.length;
        if (skipped > LIMIT_BYTES) {
          stop();
          reject(new PixelsError('protocol', 'The shell in the sandbox does not do what is typed into it.'));
          return;
        }
        seen = seen.subarray(-Math.max(length, LAST_WORDS_BYTES));
      }
    };
    const ended = (): void => {
      stop();
      reject(new EarlyEndError(printable(seen)));
    };
    const stop = (): void => {
      stream.off('readable', read).off('end', ended).off('close', ended).off('error', ended);
    };
    stream.on('readable', read).on('end', ended).on('close', ended).on('error', ended);
    read();
  });
}

function firstOf<Marker extends string>(
  markers: readonly Marker[],
  bytes: Buffer,
): { marker: Marker; index: number } | undefined {
  return markers
    .map((marker) => ({ marker, index: bytes.indexOf(marker, 0, 'latin1') }))
    .filter(({ index }) => index !== -1)
    .sort((a, b) => a.index - b.index)[0];
}

/** Text from a sandbox, safe for a log. */
function printable(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
}
