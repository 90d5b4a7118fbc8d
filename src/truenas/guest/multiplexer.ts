import type { Duplex } from 'node:stream';
import { causeChain, PixelsError, toPixelsError } from '../../sandbox/errors';
import type { ExecRequest, ExecSession } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import { Channel } from './channel';
import { frame, FrameReader, notOurs, type Frame } from './frames';
import { startPayload } from './payloads';
import { WINDOW_BYTES } from './window';

/** Each command takes three of the sandbox's files, of which a process may have 1024; select() has no more either. */
const CHANNEL_LIMIT = 250;

/** How often we ask whether the sandbox is there, and how often in a row it may say nothing at all. */
const PING_MS = 15_000;
const SILENT_PINGS = 3;

/** How long the commands in the sandbox may tidy up when the connection is closed. */
const QUIT_MS = 1_000;

/**
 * The client's end of mux.pl: commands in one sandbox, all over one terminal. What the sandbox sends is not trusted: what
 * does not fit ends the connection with kind `protocol`, and nothing is kept beyond the windows.
 */
export class Multiplexer {
  private readonly channels = new Map<number, Channel>();
  private lastChannel = 0;
  private silentPings = 0;
  private ended: PixelsError | undefined;
  private readonly pings = setInterval(() => this.ping(), PING_MS).unref();

  /**
   * @param stream of a terminal on which mux.pl has begun.
   * @param about the sandbox's name, for messages.
   * @param onChange is called when a command has ended, or the connection.
   */
  constructor(
    private readonly stream: Duplex,
    private readonly about: string,
    private readonly log: Log,
    private readonly onChange: () => void,
  ) {
    const reader = new FrameReader();
    const receive = (chunk: Buffer): void => {
      this.silentPings = 0;
      try {
        for (const received of reader.read(chunk)) this.dispatch(received);
      } catch (error) {
        this.fail(toPixelsError(error));
      }
    };
    const lost = (cause?: unknown): void => this.fail(lostConnection(about, cause));
    stream.on('data', receive).on('end', lost).on('close', lost).on('error', lost);
    if (stream.destroyed) lost();
    else stream.resume();
  }

  /** False after the connection has ended, by whomever. */
  get isOpen(): boolean {
    return this.ended === undefined;
  }

  /** How many commands run. */
  get size(): number {
    return this.channels.size;
  }

  /**
   * Starts a command; it does not wait for the sandbox to say that it has.
   * @param signal hangs up.
   * @throws PixelsError `invalid` for a command that cannot be, `busy` when very many run already.
   */
  start(request: ExecRequest, signal?: AbortSignal): ExecSession {
    if (this.ended !== undefined) throw this.ended;
    if (this.channels.size >= CHANNEL_LIMIT) {
      throw new PixelsError('busy', `${CHANNEL_LIMIT} commands run in ${this.about} already.`);
    }
    const payload = startPayload(request, WINDOW_BYTES);
    const number = ++this.lastChannel;
    const line = {
      send: (type: string, bytes?: Uint8Array) => this.send(type, number, bytes),
      over: () => {
        this.channels.delete(number);
        this.onChange();
      },
    };
    const channel = new Channel(line, request.tty !== undefined, signal);
    this.channels.set(number, channel);
    this.send('S', number, payload);
    return channel.session;
  }

  /** Hangs up every command, and the terminal; who waits for an exit code gets kind `unreachable`. */
  close(): void {
    if (this.ended !== undefined) return;
    this.send('Q', 0);
    setTimeout(() => this.stream.destroy(), QUIT_MS).unref();
    this.end(closedConnection(this.about));
  }

  private send(type: string, channel: number, payload?: Uint8Array): void {
    if (this.ended !== undefined) return;
    // What is said in one go is sent as one, so that the sandbox wakes up once for it: a command comes with the end of its input.
    this.stream.cork();
    process.nextTick(() => this.stream.uncork());
    this.stream.write(frame(type, channel, payload));
  }

  private dispatch(received: Frame): void {
    if (this.ended !== undefined || received.type === 'P') return;
    const channel = this.channels.get(received.channel);
    if (channel !== undefined) channel.receive(received);
    else if (received.channel === 0 || received.channel > this.lastChannel) {
      throw notOurs('a frame of a command that was never started');
    }
  }

  private ping(): void {
    if (this.silentPings++ < SILENT_PINGS) this.send('P', 0);
    else this.fail(lostConnection(this.about, 'It does not answer any more.'));
  }

  private fail(error: PixelsError): void {
    if (this.ended === undefined) this.log.debug(`The shell in ${this.about} ended: ${causeChain(error)}`);
    this.end(error);
    this.stream.destroy();
  }

  private end(error: PixelsError): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    clearInterval(this.pings);
    for (const channel of [...this.channels.values()]) channel.fail(error);
    this.onChange();
  }
}

/** What a command ends with whose connection is closed from our side. */
export function closedConnection(about: string): PixelsError {
  return new PixelsError('unreachable', `The connection to ${about} was closed.`);
}

function lostConnection(about: string, cause: unknown): PixelsError {
  return new PixelsError('unreachable', `The connection to ${about} broke.`, { cause });
}
