import { WebSocket } from 'ws';
import { CallError } from '../rpc/errors';
import type { IncusClient } from './incusClient';

/** A command in a container on a terminal of its own: Incus' interactive exec. */
export class Terminal {
  private constructor(
    /** Its bytes, both ways, in binary frames; a text frame or its close is the end. */
    readonly data: WebSocket,
    private readonly control: WebSocket,
    /** When everything has ended: why the command could not be run, or an empty string. */
    readonly failure: () => Promise<string>,
  ) {}

  /** Throws a CallError with Incus' text, also for a command that cannot be started. */
  static async open(incus: IncusClient, instance: string, command: readonly string[]): Promise<Terminal> {
    // No size: the real one forks its terminal with 0x0.
    const body = { command, environment: { TERM: 'xterm' }, interactive: true, 'wait-for-websocket': true };
    const path = `/1.0/instances/${encodeURIComponent(instance)}/exec`;
    const { id, metadata } = (await incus.call('POST', path, body)) as {
      id: string;
      metadata: { fds: Record<string, string> };
    };
    const connect = (fd: string): WebSocket => {
      const query = `secret=${metadata.fds[fd] ?? ''}&project=${encodeURIComponent(incus.project)}`;
      return new WebSocket(`ws+unix://${incus.socket}:/1.0/operations/${id}/websocket?${query}`, {
        perMessageDeflate: false,
      });
    };
    const [data, control] = [connect('0'), connect('control')];
    data.once('open', () => data.pause()); // until somebody listens; before it is open, a pause has no effect
    for (const socket of [data, control]) socket.on('error', () => socket.terminate());
    await Promise.all([data, control].map(opened));
    // Of an operation that failed, waiting answers its error.
    const failure = (): Promise<string> =>
      incus.call('GET', `/1.0/operations/${id}/wait?timeout=5`).then(
        () => '',
        (error: unknown) => (error instanceof CallError ? error.reason : String(error)),
      );
    return new Terminal(data, control, failure);
  }

  resize(columns: number, rows: number): void {
    const args = { width: String(columns), height: String(rows) };
    if (this.control.readyState === this.control.OPEN)
      this.control.send(JSON.stringify({ command: 'window-resize', args }));
  }

  /** Hangs up: the command gets what a terminal's processes get when it goes away. */
  hangUp(): void {
    if (this.control.readyState === this.control.OPEN) {
      this.control.send(JSON.stringify({ command: 'signal', signal: 1 }));
    }
    this.data.close();
    this.control.close();
    setTimeout(() => {
      this.data.terminate();
      this.control.terminate();
    }, 2000).unref();
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('close', () => reject(new CallError('Incus closed the terminal')));
  });
}
