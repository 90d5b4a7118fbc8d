import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Token, Tokens } from '../access/tokens';
import type { Terminal } from '../incus/terminal';
import type { Misbehaviour } from '../misbehaviour';

/** `os.read(master_fd, 1024)` of MW:apps/webshell_app.py. */
const LARGEST_FRAME = 1024;
/** Bytes on their way to one side before the other is made to wait. */
const HIGH_WATER = 256 * 1024;

export interface ShellRequest {
  readonly token: Token;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a request for a shell comes to. `text` is shown before the terminal, or instead of one. */
export interface ShellStart {
  readonly text?: string;
  readonly terminal: Terminal | null;
}

/** Throws where the socket is closed without a word; gives a refusal where it is told. */
export type OpenShell = (
  request: ShellRequest,
) => Promise<ShellStart | { readonly refusal: { error: number; reason: string } }>;

/** `/websocket/shell` (MW:apps/webshell_app.py). */
export class Shells {
  private readonly terminals = new Map<string, Terminal>();
  private readonly sockets = new Set<WebSocket>();

  constructor(
    private readonly tokens: Tokens,
    private readonly misbehave: Misbehaviour,
    private readonly open: OpenShell,
  ) {}

  /** False where there is no such shell. */
  resize(id: string, columns: number, rows: number): boolean {
    this.terminals.get(id)?.resize(columns, rows);
    return this.terminals.has(id);
  }

  connected(socket: WebSocket, address: string): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.terminate());
    const id = randomUUID();
    let isOpening = false;
    const first = (data: Buffer, isBinary: boolean): void => {
      const request = isOpening || isBinary ? null : this.read(data.toString());
      if (request === null) return; // not JSON, or without a token: the real one goes on waiting
      const token = this.tokens.use(request.token, address);
      if (!token || Object.keys(token.attributes).length > 0) {
        socket.send(JSON.stringify({ msg: 'failed', error: { error: 207, reason: 'Invalid token' } }));
        return;
      }
      isOpening = true;
      this.open({ token, options: request.options }).then(
        (start) => {
          if ('refusal' in start) {
            isOpening = false;
            socket.send(JSON.stringify({ msg: 'failed', error: start.refusal }));
            return;
          }
          socket.off('message', first);
          this.join(socket, id, start);
        },
        () => socket.close(),
      );
    };
    socket.on('message', first);
  }

  cutAll(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  private read(text: string): { token: string; options: Record<string, unknown> } | null {
    try {
      const { token, options } = JSON.parse(text) as { token?: unknown; options?: Record<string, unknown> };
      return typeof token === 'string' && token !== '' ? { token, options: options ?? {} } : null;
    } catch {
      return null;
    }
  }

  private join(socket: WebSocket, id: string, { text, terminal }: ShellStart): void {
    socket.send(JSON.stringify({ msg: 'connected', id }));
    if (text !== undefined) sendInFrames(socket, Buffer.from(text));
    if (!terminal) {
      this.closeSoon(socket);
      return;
    }
    const { data } = terminal;
    if (socket.readyState !== socket.OPEN) {
      terminal.hangUp();
      return;
    }
    this.terminals.set(id, terminal);
    socket.on('message', (bytes: Buffer, isBinary) => {
      // Text reaches os.write() as str there, which kills the writer.
      if (!isBinary) socket.close();
      else if (data.readyState === data.OPEN) forward(socket, data, (done) => data.send(bytes, { binary: true }, done));
    });
    socket.on('close', () => {
      this.terminals.delete(id);
      terminal.hangUp();
    });
    data.on('message', (bytes: Buffer, isBinary) => {
      if (!isBinary)
        data.close(); // Incus' end of the output
      else forward(data, socket, (done) => sendInFrames(socket, bytes, done));
    });
    data.on('close', () => {
      void terminal.failure().then((reason) => {
        if (reason !== '') sendInFrames(socket, Buffer.from(`Error: ${reason}\r\n`)); // as the incus command says it
        this.closeSoon(socket);
      });
    });
    data.resume();
  }

  /** The real one looks once a second whether the process is still there. */
  private closeSoon(socket: WebSocket): void {
    setTimeout(() => socket.close(), this.misbehave.shellCloseDelayMs);
  }
}

/** Sends, and makes the sender wait while much is still on its way to the receiver. */
function forward(from: WebSocket, to: WebSocket, send: (done: () => void) => void): void {
  send(() => {
    if (from.isPaused && to.bufferedAmount < HIGH_WATER) from.resume();
  });
  if (to.bufferedAmount >= HIGH_WATER) from.pause();
}

/** Cut wherever it falls, through characters too. */
function sendInFrames(socket: WebSocket, bytes: Buffer, done?: () => void): void {
  for (let at = 0; at < bytes.length; at += LARGEST_FRAME) {
    const isLast = at + LARGEST_FRAME >= bytes.length;
    socket.send(bytes.subarray(at, at + LARGEST_FRAME), { binary: true }, isLast ? done : undefined);
  }
}
