import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EarlyEndError, skipPast } from '../../../../src/truenas/guest/marker';
import { pieces, seeded, settled } from './fakeGuest';

const MARKERS = ['0123456789abcdef+', '0123456789abcdef-'];

describe('a marker in a stream', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'is found wherever chunks begin and end, and what follows is kept (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const before = Array.from({ length: 2_000 }, () =>
        random() < 0.5 ? MARKERS[0]!.slice(0, random() * 17) : '\r\n# ',
      );
      const stream = new PassThrough({ highWaterMark: 1 << 20 });
      const found = skipPast(stream, MARKERS);
      for (const piece of pieces(Buffer.from(`${before.join('')}${MARKERS[seed % 2]!}rest ${MARKERS[0]!}`), random)) {
        stream.write(piece);
        if (random() < 0.1) await settled();
      }
      stream.end();
      expect(await found).toBe(MARKERS[seed % 2]);
      const rest: Buffer[] = [];
      for await (const chunk of stream) rest.push(chunk as Buffer);
      expect(Buffer.concat(rest).toString()).toBe(`rest ${MARKERS[0]!}`);
    },
  );

  it('is not its echo in two halves', async () => {
    const stream = new PassThrough();
    const found = skipPast(stream, MARKERS);
    stream.end("printf '%s%s+' 01234567 89abcdef\r\n\x1b[31mError: Instance is not running\x1b[0m\r\n");
    const error = await found.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EarlyEndError);
    expect((error as Error).message).toBe("printf '%s%s+' 01234567 89abcdef [31mError: Instance is not running [0m");
  });

  it('is not waited for without end', async () => {
    const stream = new PassThrough({ highWaterMark: 1 << 22 });
    const found = skipPast(stream, MARKERS);
    stream.write(Buffer.alloc(1 << 21));
    await expect(found).rejects.toMatchObject({ kind: 'protocol' });
  });

  it('does not come when the terminal breaks', async () => {
    const stream = new PassThrough();
    const found = skipPast(stream, MARKERS);
    stream.destroy(new Error('broken'));
    await expect(found).rejects.toBeInstanceOf(EarlyEndError);
  });
});
