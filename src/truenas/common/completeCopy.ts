import { isKind, PixelsError } from '../../sandbox/errors';
import type { Run } from '../../sandbox/host';
import type { Log } from '../../sandbox/log';
import type { SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import { readMeta } from '../meta';
import { COPIED, copyCommand, forgetCopiedCommand } from './copyCommand';
import { isRunning, isStillRunning, runOnce } from './cronTask';
import type { CommonInstance, Instances } from './instances';
import { parseSnapshot, sandboxOfDataset } from './names';
import { isProtected } from './protectedPath';
import { explaining } from './refusals';
import { removeSnapshot, snapshotNames } from './snapshots';
import type { MetaWriter } from './update';

/** What a copy is made with. */
export interface CopyTools {
  readonly api: TrueNasApi;
  readonly instances: Instances;
  readonly writer: MetaWriter;
}

export interface CopyOptions {
  readonly linkedClones: boolean;
  readonly log: Log;
}

/**
 * Gives a copy its files, when it has not got them yet: for a copy that has just been made, and for one whose maker
 * died. The NAS may have finished without him; it leaves a snapshot that says so. Not to be cancelled: half a copy is
 * of no use.
 * @param found the instance, where it has just been read.
 * @throws `busy` when the NAS is still at it for somebody else, `not-found` when the source is gone, `no-space`.
 */
export async function completeCopy(
  { api, instances, writer }: CopyTools,
  name: SandboxName,
  { linkedClones: linked, log }: CopyOptions,
  { onProgress }: Run = {},
  found?: CommonInstance,
): Promise<void> {
  const instance = found ?? (await instances.read(name));
  const { copyOf } = readMeta(instance.environment);
  if (copyOf === undefined) return;
  const { dataset: target } = instance;
  const { dataset: source, snapshot } = parseSnapshot(copyOf);
  const title = titleOf(source, instance.name);
  if (await isStillRunning(api, title, log)) throw underWay(name);
  if (!(await snapshotNames(api, target)).includes(COPIED)) {
    const command = copyCommand({ source, target, snapshot, linked, rootDirectory: instances.rootDirectory });
    const about = { sandbox: sandboxOfDataset(source) };
    onProgress?.({ message: `Copying the files of ${about.sandbox ?? source}` });
    await explaining(about, () => runOnce(api, { title, command, about }, log));
  }
  const linkedTo = linked ? copyOf : undefined;
  await writer.update(name, (meta) => ({ ...meta, copyOf: undefined, linkedTo }));
  await forgetCopied(api, target, { title, log }).catch((error: unknown) => {
    log.warn(`${target}@${COPIED} is left until the next connection: ${String(error)}`);
  });
}

/** By a cron job where snapshots of containers are out of the API's reach (26.0.0-RC.1 and later). */
async function forgetCopied(api: TrueNasApi, target: string, task: { title: string; log: Log }): Promise<void> {
  try {
    await removeSnapshot(api, target, COPIED, {});
  } catch (error) {
    if (isKind(error, 'not-found')) return;
    if (!isProtected(error)) throw error;
    const { title, log } = task;
    await runOnce(api, { title, command: forgetCopiedCommand(target), about: {} }, log);
  }
}

/** The same for who is about to destroy it: cron jobs that were to copy them go. @throws PixelsError `busy`. */
export async function endCopying(
  api: TrueNasApi,
  name: SandboxName,
  instance: Pick<CommonInstance, 'name' | 'environment'>,
  log: Log,
): Promise<void> {
  const { copyOf } = readMeta(instance.environment);
  if (copyOf === undefined) return;
  if (await isStillRunning(api, titleOf(parseSnapshot(copyOf).dataset, instance.name), log)) throw underWay(name);
}

/** @throws PixelsError `busy` while the files of an instance are being copied into it. */
export async function refuseWhileCopied(
  api: TrueNasApi,
  name: SandboxName,
  instance: Pick<CommonInstance, 'name' | 'environment'>,
): Promise<void> {
  const { copyOf } = readMeta(instance.environment);
  if (copyOf === undefined) return;
  if (await isRunning(api, titleOf(parseSnapshot(copyOf).dataset, instance.name))) throw underWay(name);
}

/** @throws PixelsError `wrong-state` when an instance is a copy that has not got its files yet. */
export function refuseUnfinished(name: SandboxName, instance: Pick<CommonInstance, 'environment'>): void {
  if (readMeta(instance.environment).copyOf === undefined) return;
  throw new PixelsError('wrong-state', `${name} is a copy that is not complete yet.`, {
    hint: 'Start it once, which completes it, or destroy it.',
  });
}

function titleOf(source: string, target: string): string {
  return `copy ${source.slice(source.lastIndexOf('/') + 1)} to ${target}`;
}

function underWay(name: SandboxName): PixelsError {
  return new PixelsError('busy', `TrueNAS is still copying the files of ${name}.`, {
    hint: 'Wait until that has finished.',
  });
}
