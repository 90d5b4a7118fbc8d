import { Readable } from 'node:stream';
import { notOurs } from './frames';
import { WINDOW_BYTES } from './window';

/** The window is granted again in parts of at least this size, not for every few bytes. */
const GRANT_BYTES = WINDOW_BYTES / 4;

/**
 * One output of a command. What has been read, or fits into the stream's own buffer, is granted again to the sandbox. It
 * ends without an error when the connection breaks: the exit code says so.
 */
export class OutputStream {
  readonly stream: Readable;
  private taken = 0;
  private ended = false;

  /** @param grant tells the sandbox that it may send so many bytes more. */
  constructor(private readonly grant: (bytes: number) => void) {
    this.stream = new Readable({
      highWaterMark: WINDOW_BYTES,
      read: () => this.grantTaken(),
      destroy: (error, done) => {
        this.grantTaken(); // nobody reads any more: the command goes on, and what it prints is dropped
        done(error);
      },
    });
  }

  /** What the command printed; nothing is its end. @throws PixelsError `protocol` when the window was not kept. */
  take(bytes: Buffer): void {
    if (bytes.length === 0) {
      this.end();
      return;
    }
    this.taken += bytes.length;
    if (this.ended || this.taken > WINDOW_BYTES) throw notOurs('more output than was asked for');
    if (this.stream.destroyed || this.stream.push(bytes)) this.grantTaken();
  }

  /** Nothing more comes. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.stream.push(null);
  }

  private grantTaken(): void {
    if (this.ended || this.taken < GRANT_BYTES) return;
    this.grant(this.taken);
    this.taken = 0;
  }
}
