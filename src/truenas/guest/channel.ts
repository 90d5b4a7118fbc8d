import { Readable } from 'node:stream';
import { cancelled, type PixelsError } from '../../sandbox/errors';
import type { ExecSession } from '../../sandbox/host';
import { notOurs, readUint32, uint32, type Frame } from './frames';
import { InputStream } from './inputStream';
import { OutputStream } from './outputStream';
import { sizePayload } from './payloads';

/** The exit code of a command that was hung up and then says nothing more: 128 + SIGHUP. */
const HUNG_UP = 129;

/** The sandbox kills what has not ended 2 s after a hang-up (mux.pl); after this, its word is not waited for. */
const HANG_UP_MS = 4_000;

/** How a channel sends its frames, and says that it needs no more. */
export interface ChannelLine {
  send(type: string, payload?: Uint8Array): void;
  /** Called once. Frames that still come for this channel can be dropped. */
  over(): void;
}

/** One command that runs in the sandbox: its frames as an {@link ExecSession}. */
export class Channel {
  readonly session: ExecSession;
  private readonly input: InputStream;
  private readonly output: OutputStream;
  private readonly errors: OutputStream | undefined;
  private settle!: { resolve: (exitCode: number) => void; reject: (error: PixelsError) => void };
  private lastWait: NodeJS.Timeout | undefined;
  private isOver = false;

  /** @param signal hangs up. */
  constructor(
    private readonly line: ChannelLine,
    isTerminal: boolean,
    private readonly signal?: AbortSignal,
  ) {
    const exitCode = new Promise<number>((resolve, reject) => (this.settle = { resolve, reject }));
    exitCode.catch(() => undefined); // nobody has to ask for it
    this.input = new InputStream((bytes) => line.send('I', bytes), isTerminal);
    this.output = new OutputStream((bytes) => line.send('o', uint32(bytes)));
    this.errors = isTerminal ? undefined : new OutputStream((bytes) => line.send('e', uint32(bytes)));
    this.session = {
      stdin: this.input.stream,
      stdout: this.output.stream,
      stderr: this.errors?.stream ?? Readable.from([]),
      exitCode,
      resize: (columns, rows) => {
        if (isTerminal && !this.isOver) line.send('W', sizePayload(columns, rows));
      },
      signal: (number) => {
        if (!this.isOver) line.send('K', uint32(number));
      },
      close: () => this.hangUp(),
    };
    signal?.addEventListener('abort', this.cancel);
  }

  /** What the sandbox says about this command. @throws PixelsError `protocol`. */
  receive(frame: Frame): void {
    if (frame.type === 'O') this.output.take(frame.payload);
    else if (frame.type === 'E' && this.errors !== undefined) this.errors.take(frame.payload);
    else if (frame.type === 'i') this.input.grant(readUint32(frame));
    else if (frame.type === 'X') this.exited(readUint32(frame));
    else throw notOurs('a frame of no known type');
  }

  /** Ends it without an exit code. */
  fail(error: PixelsError): void {
    this.end(() => this.settle.reject(error));
  }

  private exited(exitCode: number): void {
    if (exitCode > 255) throw notOurs(`the exit code ${exitCode}`);
    this.end(() => this.settle.resolve(exitCode));
  }

  private hangUp(): void {
    if (this.isOver || this.lastWait !== undefined) return;
    this.line.send('H');
    this.lastWait = setTimeout(() => this.end(() => this.settle.resolve(HUNG_UP)), HANG_UP_MS).unref();
  }

  private readonly cancel = (): void => {
    this.hangUp();
    this.fail(cancelled());
  };

  private end(settle: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.lastWait);
    this.signal?.removeEventListener('abort', this.cancel);
    this.output.end();
    this.errors?.end();
    this.input.close();
    settle();
    this.line.over();
  }
}
