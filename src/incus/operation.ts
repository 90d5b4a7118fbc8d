import { cancelled } from '../sandbox/errors';
import type { Progress, Run } from '../sandbox/host';
import type { Call, IncusApi } from './api';
import { refusal, type About } from './errors';
import { operationSchema, parseWire, type Operation } from './wire';

/** A change that runs, as the server knows it. */
export interface Change extends Omit<Call, 'signal'> {
  readonly run?: Run | undefined;
}

/** No change takes longer, not even the download of an image over a slow line. */
const LONGEST_MS = 60 * 60_000;

/** The server gets this long to end what was cancelled, so that whoever undoes it finds it settled. */
const SETTLE_MS = 5_000;

/** A change that is over sooner has no progress worth a request. */
const PROGRESS_INTERVAL_MS = 500;

const FAILED_STATUS = 400;

/**
 * Makes a change and returns when it has been made; answers that need no operation count as well. When the run's signal
 * aborts, the operation is cancelled on the server where it can be.
 * @throws PixelsError by Incus' reason; `cancelled`.
 */
export async function change(api: IncusApi, method: string, path: string, request: Change): Promise<void> {
  const { run = {}, ...call } = request;
  if (run.signal?.aborted === true) throw cancelled();
  // Without the signal: a request that was sent may have started an operation, and only its answer says which.
  const answer = await api.request(method, path, call);
  if (!answer.asynchronous) return;
  const { id } = parseWire(operationSchema, answer.metadata, `${method} ${path}`);
  await waitFor(api, id, call.about ?? {}, run);
}

/** Waits until the operation has succeeded. @throws PixelsError by Incus' reason; `cancelled`. */
export async function waitFor(api: IncusApi, id: string, about: About, run: Run = {}): Promise<Operation> {
  const { signal, onProgress } = run;
  const progress = onProgress === undefined ? undefined : pollProgress(api, id, onProgress);
  const finished = untilFinished(api, id, about, LONGEST_MS);
  const stopWaiting = new AbortController();
  try {
    const result = await Promise.race([finished, abortOf(signal, stopWaiting.signal)]);
    if (result !== 'aborted') return result;
    await cancel(api, id, finished);
    throw cancelled();
  } finally {
    stopWaiting.abort();
    clearInterval(progress);
  }
}

/** The operation once it has succeeded. @throws PixelsError by Incus' reason; `timeout`. */
export async function untilFinished(api: IncusApi, id: string, about: About, limitMs: number): Promise<Operation> {
  const operation = await api.read(`/operations/${id}/wait`, operationSchema, { about, limitMs });
  if (operation.status_code >= FAILED_STATUS) throw refusal(operation.status_code, operation.err, about);
  return operation;
}

/** Resolves when the run is aborted; leaves no listener behind once `end` is aborted. */
function abortOf(signal: AbortSignal | undefined, end: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve('aborted');
    signal?.addEventListener('abort', () => resolve('aborted'), { once: true, signal: end });
  });
}

/** Asks the server to stop, and waits a little for the operation to end, whether the server can stop it or not. */
async function cancel(api: IncusApi, id: string, finished: Promise<unknown>): Promise<void> {
  const ignore = (): void => undefined;
  await api.request('DELETE', `/operations/${id}`).catch(ignore);
  let limit: NodeJS.Timeout | undefined;
  await Promise.race([finished.catch(ignore), new Promise((resolve) => (limit = setTimeout(resolve, SETTLE_MS)))]);
  clearTimeout(limit);
}

function pollProgress(api: IncusApi, id: string, onProgress: (progress: Progress) => void): NodeJS.Timeout {
  let last = '';
  const poll = async (): Promise<void> => {
    const operation = await api.read(`/operations/${id}`, operationSchema);
    const progress = progressOf(operation.metadata ?? {});
    if (progress === undefined || progress.message === last) return;
    last = progress.message;
    onProgress(progress);
  };
  return setInterval(() => void poll().catch(() => undefined), PROGRESS_INTERVAL_MS);
}

/**
 * How far an operation is, from keys such as `download_progress` ("rootfs: 45% (12.30MB/s)") and
 * `create_instance_from_image_unpack_progress` ("Unpack: 80%") in its metadata.
 */
export function progressOf(metadata: Readonly<Record<string, unknown>>): Progress | undefined {
  for (const [key, value] of Object.entries(metadata)) {
    if (!key.endsWith('_progress') || typeof value !== 'string') continue;
    const message = key.startsWith('download') ? 'Downloading the image' : 'Unpacking the image';
    const percent = /(\d+(?:\.\d+)?)%/.exec(value)?.[1];
    const speed = /\(([^)]+\/s)\)/.exec(value)?.[1];
    const shown = [percent === undefined ? undefined : `${percent}%`, speed].filter((part) => part !== undefined);
    return {
      message: [message, shown.join(', ')].filter((part) => part !== '').join(': '),
      ...(percent === undefined ? {} : { fraction: Number(percent) / 100 }),
    };
  }
  return undefined;
}
