import { describe, expect, it } from 'vitest';
import { frame, FrameReader, PAYLOAD_LIMIT_BYTES, readUint32, uint32 } from '../../../../src/truenas/guest/frames';
import { pieces, seeded } from './fakeGuest';

const protocolError = expect.objectContaining({ name: 'PixelsError', kind: 'protocol' }) as Error;

describe('frames', () => {
  it.each([1, 2, 3, 4, 5])('come out as they went in, wherever chunks begin and end (seed %i)', (seed) => {
    const random = seeded(seed);
    const sent = Array.from({ length: 300 }, () => ({
      type: 'OEiXP'[Math.floor(random() * 5)]!,
      channel: Math.floor(random() * 2 ** 32),
      payload: Buffer.alloc(random() < 0.2 ? 0 : Math.floor(random() ** 4 * PAYLOAD_LIMIT_BYTES), seed),
    }));
    const bytes = Buffer.concat(sent.map(({ type, channel, payload }) => frame(type, channel, payload)));
    const reader = new FrameReader();
    const received = pieces(bytes, random).flatMap((piece) => [...reader.read(piece)]);
    expect(received).toHaveLength(sent.length);
    for (const [index, { type, channel, payload }] of received.entries()) {
      expect([type, channel]).toEqual([sent[index]!.type, sent[index]!.channel]);
      expect(payload.equals(sent[index]!.payload)).toBe(true);
    }
  });

  it('are refused when they are longer than ours ever are, before they are kept', () => {
    const header = frame('O', 1);
    header.writeUInt32BE(PAYLOAD_LIMIT_BYTES + 1, 5);
    expect(() => [...new FrameReader().read(header)]).toThrow(protocolError);
  });

  it('carry numbers', () => {
    const number = (payload: Buffer) => readUint32({ type: 'i', channel: 1, payload });
    expect(number(uint32(4_000_000_000))).toBe(4_000_000_000);
    expect(() => number(Buffer.from('12345'))).toThrow(protocolError);
  });
});
