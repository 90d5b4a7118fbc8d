import * as vscode from 'vscode';
import { instanceOfBase, type BaseName } from '../sandbox/base';
import type { Bases } from '../sandbox/bases';
import { causeChain, isKind, toPixelsError } from '../sandbox/errors';
import type { Progress, Run } from '../sandbox/host';
import type { Log } from '../sandbox/log';
import type { Activity } from './activity';
import type { CurrentPixels } from './currentPixels';

/** The bases that this window builds. They are cancelled when it closes, and leave nothing. */
export class BaseBuilds {
  private readonly underWay = new Map<BaseName, AbortController>();
  private readonly results = new Set<Promise<unknown>>();
  private isEnding = false;

  constructor(
    private readonly current: CurrentPixels,
    private readonly activity: Activity,
    private readonly log: Log,
  ) {}

  /** See `Bases.build`. It can also be cancelled by {@link cancel}. */
  async build(bases: Bases, name: BaseName, how: { readonly again: boolean }, run: Run): Promise<boolean> {
    const controller = new AbortController();
    if (this.isEnding) controller.abort();
    const { signal = controller.signal, onProgress } = run;
    this.underWay.set(name, controller);
    const result = bases.build(name, how, { signal: AbortSignal.any([signal, controller.signal]), onProgress });
    this.results.add(result);
    try {
      return await result;
    } finally {
      this.results.delete(result);
      if (this.underWay.get(name) === controller) this.underWay.delete(name);
    }
  }

  /**
   * Builds a base that nobody waits for, with progress on its row and in the status bar. What goes wrong is in the log, and on
   * the row of a base whose recipe failed. Nothing happens while this window builds it already.
   */
  inBackground(name: BaseName): void {
    if (this.underWay.has(name)) return;
    const title = buildingWords(name);
    const row = this.activity.begin(instanceOfBase(name), title);
    void vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, async (bar) => {
      const onProgress = (progress: Progress): void => {
        row.report(progress);
        bar.report({ message: withoutTitle(progress.message, name) });
      };
      try {
        await this.current.use(({ bases }) => this.build(bases, name, { again: false }, { onProgress }));
      } catch (error) {
        if (!isKind(error, 'cancelled')) this.log.warn(causeChain(toPixelsError(error)));
      } finally {
        row.end();
      }
    });
  }

  cancel(name: BaseName): void {
    this.underWay.get(name)?.abort();
  }

  /** Cancels all of them. Resolves when what they have left is removed. */
  async end(): Promise<void> {
    this.isEnding = true;
    for (const controller of this.underWay.values()) controller.abort();
    await Promise.allSettled(this.results);
  }
}

/** "Building the base agent". */
export function buildingWords(name: BaseName): string {
  return vscode.l10n.t('Building the base {0}', name);
}

/** What a build says, where it is plain which base it is about. */
export function withoutTitle(message: string, name: BaseName): string {
  const title = `${buildingWords(name)}: `;
  return message.startsWith(title) ? message.slice(title.length) : message;
}
