import * as z from 'zod/mini';
import { PixelsError } from '../sandbox/errors';
import type { Progress } from '../sandbox/host';
import { refused, TrueNasRefusal, type About } from './errors';
import { complaintsIn } from './wire';

const optionalText = z.catch(z.nullish(z.string()), undefined);

/** A job as events and `core.get_jobs` have it. Source: truenas/middleware, job.py. */
export const jobSchema = z.object({
  id: z.number(),
  method: z.string(),
  /** Secrets in it are {@link REDACTED}. */
  arguments: z.catch(z.array(z.unknown()), []),
  state: z.enum(['WAITING', 'RUNNING', 'SUCCESS', 'FAILED', 'ABORTED']),
  progress: z.catch(
    z.nullish(z.object({ percent: z.catch(z.nullish(z.number()), undefined), description: optionalText })),
    undefined,
  ),
  result: z.optional(z.unknown()),
  error: optionalText,
  exc_info: z.catch(
    z.nullish(z.object({ errno: z.catch(z.nullish(z.number()), undefined), extra: z.optional(z.unknown()) })),
    undefined,
  ),
  logs_excerpt: optionalText,
});
export type Job = z.infer<typeof jobSchema>;

const REDACTED = '********';

/** Whether the job can be what was asked for: the method is the same, and so are the arguments that can be read. */
export function isSameJob(job: Job, method: string, params: readonly unknown[]): boolean {
  return job.method === method && isGiven(params, job.arguments);
}

/** The server may add what was left out; what was said must be there. */
function isGiven(said: unknown, seen: unknown): boolean {
  if (seen === REDACTED) return true;
  if (Array.isArray(said)) {
    return Array.isArray(seen) && seen.length >= said.length && said.every((item, index) => isGiven(item, seen[index]));
  }
  if (typeof said === 'object' && said !== null) {
    if (typeof seen !== 'object' || seen === null) return false;
    return Object.entries(said).every(
      ([key, value]) => value === undefined || isGiven(value, (seen as Record<string, unknown>)[key]),
    );
  }
  return said === seen;
}

const LONGEST_PROGRESS = 200;

/** How far a job is. `virt.instance.create` says it in words only: `rootfs: 45% (12.34MB/s)`. */
export function progressOf({ progress }: Job): Progress | undefined {
  // eslint-disable-next-line no-control-regex -- a terminal must not obey what a server says
  const message = progress?.description?.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  if (message === undefined || message === '') return undefined;
  const percent = progress?.percent ?? 0;
  const shown = message.slice(0, LONGEST_PROGRESS).replace(/\.+$/, '');
  return { message: shown, ...(percent > 0 && percent <= 100 ? { fraction: percent / 100 } : {}) };
}

/** Why a job ended without success. */
export function jobFailure(job: Job, about: About): PixelsError {
  const refusal = new TrueNasRefusal(job.method, {
    errno: job.exc_info?.errno ?? undefined,
    extra: complaintsIn(job.exc_info?.extra),
    reason: job.error ?? '',
    logs: job.logs_excerpt ?? undefined,
  });
  if (job.state !== 'ABORTED') return refused(refusal, about);
  return new PixelsError('failed', 'This was aborted on TrueNAS.', { hint: 'Try again.', cause: refusal });
}
