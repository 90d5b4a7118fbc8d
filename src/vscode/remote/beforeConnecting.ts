import * as vscode from 'vscode';
import type { SandboxName } from '../../sandbox/name';
import { runAction } from '../action';
import type { Face } from '../face';
import { lendToSsh } from './lendToSsh';

/** Remote-SSH waits for this; a server that does not answer must not keep it from saying so itself. */
const LIMIT_MS = 60_000;

/**
 * A window is about to connect to a sandbox: gives ssh what it is to bring along, starts the sandbox when it is stopped, and
 * brings its SSH entry up to date. Errors are told, and the connection is then tried all the same.
 */
export async function beforeConnecting(face: Face, name: SandboxName): Promise<void> {
  const title = vscode.l10n.t('Starting {0}', name);
  await runAction(face, { title, rows: [name] }, async (pixels, run) => {
    lendToSsh((await pixels.environment()).lent);
    const limit = AbortSignal.timeout(LIMIT_MS);
    const signal = run.signal === undefined ? limit : AbortSignal.any([run.signal, limit]);
    const { status } = await pixels.host.get(name, signal);
    if (status !== 'running') await pixels.lifecycle.start(name, { ...run, signal });
    await pixels.syncSsh(await pixels.host.list(signal));
  });
}
