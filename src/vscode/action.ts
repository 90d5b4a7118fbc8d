import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Pixels } from '../app/pixels';
import { toPixelsError } from '../sandbox/errors';
import type { Progress, Run } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import { showError, type ErrorButton } from './errorMessage';
import type { Face } from './face';
import { SANDBOXES_VIEW } from './ids';
import type { Outcome } from './outcome';
import { plainText } from './plainText';

/** An action that is over sooner shows its progress only in the tree: a notification would just flash. */
const QUIET_MS = 400;

export interface ActionOptions {
  /** "Starting web", for the notification and, until the action says more, for the rows. */
  readonly title: string;
  /** The sandboxes whose rows show that something is being done. */
  readonly rows: readonly SandboxName[];
  /** Buttons that help with an error of this action. */
  readonly recover?: ((error: ReturnType<typeof toPixelsError>) => readonly ErrorButton[]) | undefined;
}

/**
 * Runs a long action with progress in the tree and in a notification with Cancel, and tells a person when it failed.
 * Throws nothing.
 * @param work gets `run` for what concerns all rows, and `runFor` for what concerns one of several.
 */
export async function runAction<T>(
  face: Face,
  options: ActionOptions,
  work: (pixels: Pixels, run: Run, runFor: (name: SandboxName) => Run) => Promise<T>,
): Promise<Outcome<T>> {
  const controller = new AbortController();
  const { signal } = controller;
  const rows = new Map(options.rows.map((name) => [name, face.activity.begin(name, options.title)]));
  let last: Progress = { message: options.title };
  let notify: (progress: Progress) => void = ignore;
  const runOn = (names: readonly SandboxName[]): Run => ({
    signal,
    onProgress: (progress) => {
      last = progress;
      for (const name of names) rows.get(name)?.report(progress);
      notify(progress);
    },
  });
  const working = face.current.use((pixels) => work(pixels, runOn(options.rows), (name) => runOn([name])));
  const done = working.then(ignore, ignore);
  try {
    void vscode.window.withProgress({ location: { viewId: SANDBOXES_VIEW } }, () => done);
    if (await isStillGoing(done)) {
      const location = vscode.ProgressLocation.Notification;
      await vscode.window.withProgress({ location, cancellable: true }, async (progress, token) => {
        token.onCancellationRequested(() => controller.abort());
        notify = (step) => progress.report({ message: inNotification(options.title, step) });
        notify(last);
        await done;
      });
    }
    return { kind: 'ok', value: await working };
  } catch (thrown) {
    const error = toPixelsError(thrown);
    if (error.kind === 'cancelled') return { kind: 'cancelled' };
    void showError(face, error, options.recover?.(error));
    return { kind: 'error', error };
  } finally {
    for (const row of rows.values()) row.end();
  }
}

async function isStillGoing(done: Promise<void>): Promise<boolean> {
  return Promise.race([done.then(() => false), delay(QUIET_MS, true, { ref: false })]);
}

/** "Restoring web: Stopping web", but not "Creating web: Creating web from debian/12". */
function inNotification(title: string, { message, fraction }: Progress): string {
  const step = plainText(message.startsWith(title) ? message : `${title}: ${message}`);
  return fraction === undefined ? step : `${step}, ${Math.round(fraction * 100)} %`;
}

function ignore(): void {
  // nobody listens yet
}
