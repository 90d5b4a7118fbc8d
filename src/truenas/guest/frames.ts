import { PixelsError } from '../../sandbox/errors';

/**
 * What goes over the multiplexer's terminal (mux.pl says what each type means): type, channel, length of the payload,
 * payload. Numbers are big-endian, 32 bits.
 */
export interface Frame {
  readonly type: string;
  readonly channel: number;
  readonly payload: Buffer;
}

const HEADER_BYTES = 9;

/** Frames from the sandbox are never longer. */
export const PAYLOAD_LIMIT_BYTES = 64 * 1024;

/** One frame, as it is sent. */
export function frame(type: string, channel: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.write(type, 'latin1');
  bytes.writeUInt32BE(channel, 1);
  bytes.writeUInt32BE(payload.length, 5);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** A number as a payload. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The number that a payload is. @throws PixelsError `protocol` when it is none. */
export function readUint32({ type, payload }: Frame): number {
  if (payload.length !== 4) throw notOurs(`a frame ${type} that is no number`);
  return payload.readUInt32BE();
}

/** The error for what our multiplexer never sends: something else in the sandbox writes to its terminal. */
export function notOurs(what: string): PixelsError {
  return new PixelsError('protocol', 'Something in the sandbox disturbs the connection to it.', {
    cause: `The multiplexer's terminal gave ${what}.`,
  });
}

/** Cuts what the sandbox sends into frames, wherever its chunks begin and end. Keeps less than one frame. */
export class FrameReader {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private header: { type: string; channel: number; length: number } | undefined;

  /** The frames that this chunk completes. @throws PixelsError `protocol`, after which nothing makes sense any more. */
  *read(chunk: Buffer): Generator<Frame> {
    this.chunks.push(chunk);
    this.size += chunk.length;
    for (;;) {
      this.header ??= this.readHeader();
      if (this.header === undefined || this.size < this.header.length) return;
      const { type, channel, length } = this.header;
      this.header = undefined;
      yield { type, channel, payload: this.take(length) };
    }
  }

  private readHeader(): typeof this.header {
    if (this.size < HEADER_BYTES) return undefined;
    const bytes = this.take(HEADER_BYTES);
    const length = bytes.readUInt32BE(5);
    if (length > PAYLOAD_LIMIT_BYTES) throw notOurs(`a frame of ${length} bytes`);
    return { type: bytes.toString('latin1', 0, 1), channel: bytes.readUInt32BE(1), length };
  }

  /** The next bytes, of which there are enough. */
  private take(length: number): Buffer {
    const taken: Buffer[] = [];
    this.size -= length;
    while (length > 0) {
      const first = this.chunks[0];
      if (first === undefined) break;
      taken.push(first.subarray(0, length));
      if (first.length <= length) this.chunks.shift();
      else this.chunks[0] = first.subarray(length);
      length -= Math.min(length, first.length);
    }
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : Buffer.concat(taken);
  }
}
