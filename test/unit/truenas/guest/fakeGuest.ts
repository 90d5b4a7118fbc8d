import { Duplex } from 'node:stream';
import { frame, FrameReader, type Frame } from '../../../../src/truenas/guest/frames';

/** The other end of a terminal: what the client writes, and a way to answer. Plays shell, multiplexer or neither. */
export class FakeGuest {
  /** What the client has written as text, before there were frames. */
  typed = '';
  readonly frames: Frame[] = [];
  onTyped: (typed: string) => void = () => undefined;
  onFrame: (frame: Frame) => void = () => undefined;
  private readonly reader = new FrameReader();
  private framed = false;

  readonly stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      this.received(chunk);
      done();
    },
  });

  /** From now on the client sends frames. */
  beginFrames(): void {
    this.framed = true;
  }

  say(bytes: string | Buffer): void {
    this.stream.push(Buffer.from(bytes));
  }

  send(type: string, channel: number, payload: string | Buffer = ''): void {
    this.say(frame(type, channel, Buffer.from(payload)));
  }

  /** Ends, as a shell does that exits. */
  hangUp(): void {
    this.stream.push(null);
  }

  /** The types of the frames that came, in order. */
  types(): string {
    return this.frames.map(({ type }) => type).join('');
  }

  private received(chunk: Buffer): void {
    if (!this.framed) {
      this.typed += chunk.toString();
      this.onTyped(this.typed);
      return;
    }
    for (const received of this.reader.read(chunk)) {
      this.frames.push(received);
      this.onFrame(received);
    }
  }
}

/** A generator of the same numbers in every run, from 0 to below 1 (Mulberry32). */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The bytes in pieces that begin and end anywhere, some of them single bytes. */
export function pieces(bytes: Buffer, random: () => number): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = random() < 0.3 ? 1 : 1 + Math.floor(random() * 2_000);
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

/** Lets everything that is ready happen. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
