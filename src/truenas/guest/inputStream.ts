import { Writable } from 'node:stream';
import { notOurs } from './frames';
import { WINDOW_BYTES } from './window';

/** What one frame carries, so that other commands' frames come in between. */
const CHUNK_BYTES = 32 * 1024;

/** A terminal's input ends with this character (while the program inside has not turned that off). */
const END_OF_TRANSMISSION = Buffer.from([4]);

/**
 * The input of a command. A write waits until the window has room for it. Once the command has ended, the stream is
 * destroyed, without an error: what is still written is dropped, as into a pipe that nobody reads.
 */
export class InputStream {
  readonly stream: Writable;
  private room = WINDOW_BYTES;
  private waiting: { rest: Buffer; readonly done: () => void } | undefined;

  /** @param send takes what the command gets, at most 32 KiB at once; nothing is the end. */
  constructor(
    private readonly send: (bytes?: Uint8Array) => void,
    isTerminal: boolean,
  ) {
    this.stream = new Writable({
      highWaterMark: WINDOW_BYTES,
      write: (chunk: Buffer, _, done) => this.sendAll(chunk, done),
      final: (done) => {
        if (isTerminal) {
          this.sendAll(END_OF_TRANSMISSION, done);
          return;
        }
        send();
        done();
      },
    });
  }

  /** The command took so many bytes. @throws PixelsError `protocol` when there were not so many. */
  grant(bytes: number): void {
    this.room += bytes;
    if (this.room > WINDOW_BYTES) throw notOurs('thanks for more input than was sent');
    this.sendWaiting();
  }

  /** Nobody reads any more. */
  close(): void {
    this.waiting = undefined;
    this.stream.destroy();
  }

  private sendAll(bytes: Buffer, done: () => void): void {
    this.waiting = { rest: bytes, done };
    this.sendWaiting();
  }

  private sendWaiting(): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    while (this.room > 0 && waiting.rest.length > 0) {
      const part = waiting.rest.subarray(0, Math.min(this.room, CHUNK_BYTES));
      waiting.rest = waiting.rest.subarray(part.length);
      this.room -= part.length;
      this.send(part);
    }
    if (waiting.rest.length > 0) return;
    this.waiting = undefined;
    waiting.done();
  }
}
