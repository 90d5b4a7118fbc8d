import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import type { NasFacts } from './nas';

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly data?: { readonly reason?: string } };
  readonly params?: { readonly id: unknown; readonly fields?: JobFields };
}

interface JobFields {
  readonly state?: string;
  readonly error?: string | null;
}

const ENDED = ['SUCCESS', 'FAILED', 'ABORTED'];

/** TrueNAS' API without any of our code in between: calls matched by id, jobs by their events. Nothing else is seen to. */
export class RawNas {
  private readonly waiting = new Map<number, (message: Message) => void>();
  private readonly jobs = new Map<unknown, (fields: JobFields) => void>();
  /** Of jobs whose id is not known yet. */
  private readonly early = new Map<unknown, JobFields>();
  private lastId = 0;

  private constructor(
    private readonly facts: NasFacts,
    private readonly socket: WebSocket,
  ) {
    socket.on('message', (data: Buffer) => this.receive(JSON.parse(data.toString()) as Message));
  }

  /** Connected, logged in, and told of jobs. */
  static async open(facts: NasFacts): Promise<RawNas> {
    const raw = new RawNas(facts, await connected(facts, '/api/current'));
    const { username, apiKey } = facts;
    await raw.call('auth.login_ex', [{ mechanism: 'API_KEY_PLAIN', username, api_key: apiKey }]);
    await raw.call('core.subscribe', ['core.get_jobs']);
    return raw;
  }

  async call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const id = (this.lastId += 1);
    const answer = await new Promise<Message>((resolve) => {
      this.waiting.set(id, resolve);
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
    if (answer.error) throw new Error(`${method}: ${answer.error.data?.reason ?? 'refused'}`);
    return answer.result;
  }

  /** Starts a job and waits for the event of its end. */
  async job(method: string, params: readonly unknown[]): Promise<void> {
    const id = await this.call(method, params);
    const known = this.early.get(id);
    const { state, error } = known ?? (await new Promise<JobFields>((resolve) => this.jobs.set(id, resolve)));
    this.jobs.delete(id);
    this.early.clear();
    if (state !== 'SUCCESS') throw new Error(`${method}: ${String(error)}`);
  }

  /** A shell in an instance. */
  async shell(instance: string): Promise<RawShell> {
    const token = (await this.call('auth.generate_token', [60, {}, true, true])) as string;
    const socket = await connected(this.facts, '/websocket/shell');
    const hello = new Promise((resolve) => socket.once('message', resolve));
    socket.send(JSON.stringify({ token, options: { virt_instance_id: instance, command: '/bin/sh' } }));
    await hello;
    return new RawShell(socket);
  }

  close(): void {
    this.socket.terminate();
  }

  private receive({ id, params, ...answer }: Message): void {
    if (id !== undefined) {
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
      return;
    }
    const { fields = {} } = params ?? {};
    if (!ENDED.includes(fields.state ?? '')) return;
    const waiting = this.jobs.get(params?.id);
    if (waiting) waiting(fields);
    else this.early.set(params?.id, fields);
  }
}

/** What a person could do with a terminal: type a line, and look for its end in what comes back. */
export class RawShell {
  private seen = '';
  private look: () => void = () => undefined;

  constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.seen += data.toString('latin1');
      this.look();
    });
  }

  /** Runs a command line; throws unless it exits with 0. */
  async run(line: string): Promise<void> {
    const word = randomBytes(8).toString('hex');
    // In two halves: what is typed is echoed, and must not be taken for the end.
    this.socket.send(Buffer.from(`${line}; printf '%s%s:%s.' ${word.slice(0, 8)} ${word.slice(8)} $?\n`));
    const end = new RegExp(`${word}:(\\d+)\\.`);
    const [, code] = await new Promise<RegExpExecArray>((resolve) => {
      this.look = () => {
        const found = end.exec(this.seen);
        if (found) resolve(found);
      };
      this.look();
    });
    this.seen = '';
    if (code !== '0') throw new Error(`${line}: ${String(code)}`);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** The certificate is for `localhost`. */
async function connected({ host, port, certificate }: NasFacts, path: string): Promise<WebSocket> {
  const tls = { ca: certificate, servername: 'localhost', perMessageDeflate: false };
  const socket = new WebSocket(`wss://${host}:${port}${path}`, tls);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}
