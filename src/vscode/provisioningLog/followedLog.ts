import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import { logRequest } from '../../provision/provisionLog';
import { sentence, toPixelsError } from '../../sandbox/errors';
import type { SandboxHost } from '../../sandbox/host';
import type { SandboxName } from '../../sandbox/name';

/** The whole text is given to the editor after every change: not for every line of a chatty program. */
const BATCH_MS = 200;
/** Of a longer log, the end. */
const MOST_CHARACTERS = 512 * 1024;
/** What the command ends with where it has said itself that there is nothing to follow. */
const NO_LOG = 1;

export interface FollowedLogOptions {
  /** Lends the server while the log is followed. */
  readonly lend: <T>(work: (host: SandboxHost) => Promise<T>) => Promise<T>;
  readonly onDidChange: () => void;
  /** The last line when the log has ended by itself, because the sandbox was stopped. */
  readonly endWords: () => string;
}

/** What the steps of one sandbox's recipe have printed, kept up to date while it is followed. */
export class FollowedLog {
  private current = '';
  private session: AbortController | undefined;

  constructor(
    private readonly name: SandboxName,
    private readonly options: FollowedLogOptions,
  ) {}

  /** The log as far as it is known; after {@link pause} it stays as it was. */
  get text(): string {
    return this.current;
  }

  /** Begins, or goes on, until paused. Nothing happens when it is being followed already. */
  follow(): void {
    if (this.session !== undefined) return;
    const session = new AbortController();
    this.session = session;
    void this.run(session);
  }

  /** Ends the session with the sandbox. */
  pause(): void {
    this.session?.abort();
    this.session = undefined;
  }

  private async run(session: AbortController): Promise<void> {
    const { signal } = session;
    const page = new Page((text) => {
      if (!signal.aborted) this.become(text);
    });
    try {
      const exitCode = await this.options.lend((host) => readInto(page, host, this.name, signal));
      if (exitCode !== NO_LOG) page.add(`\n${this.options.endWords()}\n`);
    } catch (error) {
      page.add(`\n${sentence(toPixelsError(error))}\n`);
    }
    page.flush();
    if (this.session === session) this.session = undefined;
  }

  private become(text: string): void {
    if (text === this.current) return;
    this.current = text;
    this.options.onDidChange();
  }
}

async function readInto(page: Page, host: SandboxHost, name: SandboxName, signal: AbortSignal): Promise<number> {
  const { stdout, stderr, exitCode } = await host.exec(name, logRequest({ follow: true }), signal);
  const streams = [stdout, stderr];
  for (const stream of streams) {
    const decoder = new StringDecoder('utf8');
    stream.on('data', (chunk: Buffer) => page.add(decoder.write(chunk)));
  }
  const code = await exitCode;
  await Promise.all(streams.map((stream) => finished(stream)));
  return code;
}

/** Text that grows, told in batches. */
class Page {
  private text = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (text: string) => void) {}

  add(raw: string): void {
    this.text += raw;
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.text.length > MOST_CHARACTERS) {
      const tail = this.text.slice(-MOST_CHARACTERS / 2);
      this.text = tail.slice(tail.indexOf('\n') + 1);
    }
    this.tell(plain(this.text));
  }
}

/** Without colours, without the lines that a progress bar wrote over, and without the empty one above the first step. */
function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/^\n+/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\n]*\r(?=[^\n])/g, '');
}
