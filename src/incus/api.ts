import type { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type WebSocket from 'ws';
import type { ZodMiniType } from 'zod/mini';
import { cancelled, PixelsError } from '../sandbox/errors';
import type { Log } from '../sandbox/log';
import { agentFor, type IncusConnection } from './connection';
import { connectionError } from './connectionError';
import { isRefusal, refusal, type About } from './errors';
import { OWN_CONNECTION, send, type HttpAnswer } from './http';
import { envelopeSchema, parseJson, parseWire } from './wire';

/** What a call is about, and what ends it. */
export interface Call {
  readonly about?: About | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly query?: Readonly<Record<string, string | number>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  /** How long the answer may take; default 30 s. */
  readonly limitMs?: number | undefined;
}

/** A successful answer: what is in the envelope, and the header that guards a later change. */
export interface Answer {
  readonly asynchronous: boolean;
  readonly metadata: unknown;
  readonly etag: string | undefined;
}

/**
 * A WebSocket that is about to open.
 * @param title stands for it in the log, where the path may hold a secret.
 */
export type OpenWebSocket = (
  path: string,
  query: Readonly<Record<string, string>>,
  title: string,
  options?: { readonly answersPings?: boolean },
) => WebSocket;

const DEFAULT_LIMIT_MS = 30_000;
/** How often, and in all how long, a question is asked again whose answer met an instance between two states. */
const AGAIN_MS = 50;
const PATIENCE_MS = 10_000;
const PUBLIC_IMAGE_SERVER = 'https://images.linuxcontainers.org';

/**
 * Incus' REST API over kept connections. Every call is logged at trace level with its time; bodies and secrets never are.
 * Methods throw only {@link PixelsError}.
 */
export class IncusApi {
  readonly imageServer: string;
  readonly project: string | undefined;
  private readonly agent: Agent;
  private readonly sockets = new Set<WebSocket>();
  private readonly closing = new AbortController();

  constructor(
    private readonly connection: IncusConnection,
    private readonly log: Log,
  ) {
    this.imageServer = connection.imageServer ?? PUBLIC_IMAGE_SERVER;
    this.project = connection.project;
    this.agent = agentFor(connection);
  }

  /** Aborted when {@link close} is called. */
  get closed(): AbortSignal {
    return this.closing.signal;
  }

  /** GET, parsed. `path` is below `/1.0`. */
  async read<T>(path: string, schema: ZodMiniType<T>, call: Call = {}): Promise<T> {
    return parseWire(schema, (await this.request('GET', path, call)).metadata, `GET ${path}`);
  }

  /** GET, parsed, with the ETag for an `If-Match` header. */
  async readTagged<T>(path: string, schema: ZodMiniType<T>, call: Call = {}): Promise<{ value: T; etag: string }> {
    const { metadata, etag = '' } = await this.request('GET', path, call);
    return { value: parseWire(schema, metadata, `GET ${path}`), etag };
  }

  /** Any request that answers with JSON. A question is asked again where Incus trips over an instance between two states. */
  async request(method: string, path: string, call: Call = {}): Promise<Answer> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await this.requestOnce(method, path, call);
      } catch (error) {
        const isPassing = method === 'GET' && isRefusal(error, 'between-states');
        if (!isPassing || performance.now() > deadline) throw error;
      }
      await delay(AGAIN_MS);
      throwIfAborted(call.signal);
    }
  }

  private async requestOnce(method: string, path: string, call: Call): Promise<Answer> {
    const answer = await this.send(method, path, call);
    const what = `${method} ${path}`;
    const envelope = parseWire(envelopeSchema, parseJson(answer.body.toString('utf8'), what), what);
    if (envelope.type === 'error') throw refusal(envelope.error_code, envelope.error, call.about ?? {});
    return { asynchronous: envelope.type === 'async', metadata: envelope.metadata, etag: answer.headers.etag };
  }

  /** Any request, its answer as it is. Also an answer with an error status. */
  async send(method: string, path: string, call: Call = {}): Promise<HttpAnswer> {
    if (this.closed.aborted) throw new PixelsError('unreachable', 'The connection to Incus has been closed.');
    throwIfAborted(call.signal);
    const started = performance.now();
    const target = this.target(path, call.query);
    const { headers, body } = encoded(call);
    const { signal, limitMs = DEFAULT_LIMIT_MS } = call;
    try {
      const answer = await send(this.agent, { method, path: target, headers, body, signal, limitMs });
      this.trace(`${method} ${target} ${answer.status}`, started);
      return answer;
    } catch (error) {
      this.trace(`${method} ${target} ${(error as NodeJS.ErrnoException).code ?? 'failed'}`, started);
      throwIfAborted(signal);
      throw connectionError(error, this.connection);
    }
  }

  /** What opens WebSockets. It is loaded when the first one is wanted: most commands want none. */
  async webSockets(): Promise<OpenWebSocket> {
    const { default: Socket } = await import('ws');
    return (path, query, title, options) => this.openWebSocket(Socket, path, query, title, options);
  }

  private openWebSocket(
    Socket: typeof WebSocket,
    path: string,
    query: Readonly<Record<string, string>>,
    title: string,
    { answersPings = true }: { answersPings?: boolean } = {},
  ): WebSocket {
    const started = performance.now();
    const socket = new Socket(`ws+unix:${OWN_CONNECTION}:${this.target(path, query)}`, {
      agent: this.agent,
      perMessageDeflate: false,
      autoPong: answersPings,
      // A mask of zeros, which ws then skips. Masks keep browsers from fooling proxies; here they only cost time.
      generateMask: () => undefined,
    });
    this.sockets.add(socket);
    socket.on('open', () => this.trace(`WebSocket ${title} open`, started));
    socket.on('error', (error) => this.trace(`WebSocket ${title}: ${error.message}`, started));
    socket.on('close', (code) => {
      this.sockets.delete(socket);
      this.trace(`WebSocket ${title} closed (${code})`, started);
    });
    return socket;
  }

  /** Why a WebSocket broke. */
  brokenConnection(error: unknown): PixelsError {
    return connectionError(error, this.connection);
  }

  /** Ends every connection, also those in use. */
  close(): void {
    this.closing.abort();
    for (const socket of this.sockets) socket.terminate();
    this.agent.destroy();
  }

  private target(path: string, query: Call['query'] = {}): string {
    const all = { ...query, ...(this.project === undefined ? {} : { project: this.project }) };
    const parameters = Object.entries(all).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
    return `/1.0${path}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
  }

  private trace(what: string, started: number): void {
    const shown = what.replace(/secret=[^&\s]*/g, 'secret=…');
    this.log.trace(`incus ${shown} ${(performance.now() - started).toFixed(1)} ms`);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

function encoded({ body, headers }: Call): Pick<Parameters<typeof send>[1], 'body' | 'headers'> {
  if (body === undefined) return { headers };
  // Incus writes an empty file when the content has a form's type.
  if (body instanceof Uint8Array) return { body, headers: { 'Content-Type': 'application/octet-stream', ...headers } };
  return { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } };
}
