import { cancelled, isKind } from '../../sandbox/errors';
import type { ExecRequest, ExecSession } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import { unlessAborted } from '../../sandbox/undo';
import { openMultiplexed, type OpenShell } from './bootstrap';
import { closedConnection, Multiplexer } from './multiplexer';

/** A shell without commands is kept for so long. */
const KEEP_MS = 30_000;

/** The shell of one sandbox: opened for its first command, shared by those that come meanwhile, closed when it is idle. */
export class KeptShell {
  private readonly giveUp = new AbortController();
  private readonly opening: Promise<Multiplexer>;
  private opened: Multiplexer | undefined;
  private waiting = 0;
  private idle: NodeJS.Timeout | undefined;

  /** @param onEnd is called when no more commands can be started: the next one needs another shell. */
  constructor(
    open: OpenShell,
    private readonly name: SandboxName,
    log: Log,
    private readonly onEnd: () => void,
  ) {
    const begun = performance.now();
    this.opening = openMultiplexed(open, name, log, this.giveUp.signal).then((stream) => {
      log.debug(`A shell in ${name} was opened in ${Math.round(performance.now() - begun)} ms.`);
      return (this.opened = new Multiplexer(stream, name, log, () => this.update()));
    });
    this.opening.catch(onEnd);
  }

  /** See `SandboxHost.exec`. @throws PixelsError of {@link openMultiplexed}; `unreachable` when it is closed meanwhile. */
  async exec(request: ExecRequest, signal?: AbortSignal): Promise<ExecSession> {
    this.waiting++;
    try {
      const multiplexer = await unlessAborted(this.opening, signal);
      if (signal?.aborted === true) throw cancelled();
      return multiplexer.start(request, signal);
    } catch (error) {
      if (isKind(error, 'cancelled') && signal?.aborted !== true) throw closedConnection(this.name);
      throw error;
    } finally {
      this.waiting--;
      this.update();
    }
  }

  /** Hangs up what runs. */
  close(): void {
    clearTimeout(this.idle);
    if (this.opened === undefined) this.giveUp.abort();
    else this.opened.close();
    this.onEnd();
  }

  private update(): void {
    clearTimeout(this.idle);
    if (this.waiting > 0 || (this.opened?.size ?? 0) > 0) return;
    if (this.opened?.isOpen === true) this.idle = setTimeout(() => this.close(), KEEP_MS).unref();
    else this.close();
  }
}
