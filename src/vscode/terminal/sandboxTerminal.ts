import { StringDecoder } from 'node:string_decoder';
import * as vscode from 'vscode';
import type { Pixels } from '../../app/pixels';
import { sessionVariables, type SessionVariables } from '../../provision';
import { causeChain, cancelled, sentence, toPixelsError } from '../../sandbox/errors';
import type { ExecRequest, ExecSession } from '../../sandbox/host';
import type { SandboxName } from '../../sandbox/name';
import type { Sandbox } from '../../sandbox/sandbox';
import type { Face } from '../face';

/** The size of the terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface SandboxTerminalOptions {
  readonly name: SandboxName;
  /** What runs in the terminal. */
  readonly request: (pixels: Pixels, sandbox: Sandbox, size: Size, variables: SessionVariables) => ExecRequest;
  /**
   * What happens when it has ended. A console closes, and offers to connect again when it was cut off; a command's output
   * stays to be read.
   */
  readonly atEnd: 'close' | 'stay';
}

const GRAY = '\x1b[90m';
const RED = '\x1b[31m';
const PLAIN = '\x1b[0m';

/** A terminal on the server's exec API. It needs no SSH; a stopped sandbox is started first. */
export class SandboxTerminal implements vscode.Pseudoterminal {
  private readonly output = new vscode.EventEmitter<string>();
  private readonly closed = new vscode.EventEmitter<number>();
  private readonly ending = new AbortController();
  private size: Size = { columns: 80, rows: 24 };
  private session: ExecSession | undefined;
  /** What the next key does while nothing runs. */
  private onKey: ((data: string) => void) | undefined;
  readonly onDidWrite = this.output.event;
  readonly onDidClose = this.closed.event;

  constructor(
    private readonly face: Pick<Face, 'current' | 'log'>,
    private readonly options: SandboxTerminalOptions,
  ) {}

  open(dimensions: vscode.TerminalDimensions | undefined): void {
    if (dimensions !== undefined) this.size = dimensions;
    void this.run();
  }

  setDimensions(dimensions: vscode.TerminalDimensions): void {
    this.size = dimensions;
    this.session?.resize(dimensions.columns, dimensions.rows);
  }

  handleInput(data: string): void {
    if (this.session !== undefined) this.session.stdin.write(data);
    else this.onKey?.(data);
  }

  close(): void {
    this.ending.abort();
    this.session?.close();
  }

  private async run(): Promise<void> {
    this.onKey = undefined;
    try {
      const exitCode = await this.face.current.use((pixels) => this.attach(pixels));
      this.ended(exitCode);
    } catch (thrown) {
      const error = toPixelsError(thrown);
      if (error.kind === 'cancelled') return;
      this.face.log.warn(causeChain(error));
      this.say(RED, sentence(error), vscode.l10n.t('Press Enter to try again.'));
      this.offerAgain();
    } finally {
      this.session = undefined;
    }
  }

  private async attach(pixels: Pixels): Promise<number> {
    const { name, request } = this.options;
    const { signal } = this.ending;
    let sandbox = await pixels.host.get(name, signal);
    if (sandbox.status !== 'running') {
      this.say(GRAY, vscode.l10n.t('Starting {0}…', name));
      await pixels.lifecycle.start(name, { signal });
      sandbox = await pixels.host.get(name, signal);
    }
    const variables = await sessionVariables(pixels.host, name, (await pixels.environment()).session, signal);
    const session = await pixels.host.exec(name, request(pixels, sandbox, this.size, variables), signal);
    if (signal.aborted) {
      session.close();
      throw cancelled();
    }
    this.session = session;
    const decoder = new StringDecoder('utf8');
    session.stdout.on('data', (chunk: Buffer) => this.output.fire(decoder.write(chunk)));
    session.stdout.on('error', () => undefined); // the exit code's rejection tells
    session.stdin.on('error', () => undefined);
    return session.exitCode;
  }

  private ended(exitCode: number): void {
    if (this.options.atEnd === 'close') {
      // Leaving the shell closes the terminal. Any other end is not the person's doing: the sandbox stopped, for example.
      if (exitCode === 0) this.closed.fire(0);
      else {
        const ended = vscode.l10n.t('The session in {0} has ended (exit code {1}).', this.options.name, exitCode);
        this.say(GRAY, ended, vscode.l10n.t('Press Enter to connect again.'));
        this.offerAgain();
      }
      return;
    }
    const color = exitCode === 0 ? GRAY : RED;
    this.say(color, vscode.l10n.t('Ended with exit code {0}. Press any key to close this terminal.', exitCode));
    this.onKey = () => this.closed.fire(exitCode);
  }

  private offerAgain(): void {
    this.onKey = (data) => {
      if (data.includes('\r')) void this.run();
    };
  }

  private say(color: string, ...lines: readonly string[]): void {
    this.output.fire(`\r\n${color}${lines.join('\r\n')}${PLAIN}\r\n`);
  }
}
