import type { KillPoint, MadeCall } from './killedChild';

const READING: readonly string[] = ['info', 'get', 'list', 'checkpoints', 'labels', 'images', 'readFile'];
const SLOW: readonly string[] = ['create', 'copy', 'rollback'];

/** Messages that change something; those of them that start a job, and those whose job takes long. */
const CHANGING = /[.](create|update|delete|run|start|stop|rollback)$/;
const JOB = /^(virt[.]instance[.]|cronjob[.]run$|pool[.]snapshot[.]rollback$)/;
const SLOW_JOB = /^(virt[.]instance[.]create|cronjob[.]run)$/;

/**
 * Where a process may die that makes these calls: before every one, and during every one that changes something; during slow
 * ones twice, or, where those are many messages to the server, before and during each of these that changes something.
 * @param all otherwise calls that are not slow are left to end once they have begun.
 */
export function killPoints(calls: readonly MadeCall[], all: boolean): KillPoint[] {
  return calls.flatMap(({ name, messages }, index) => {
    const call = index + 1;
    const at = (afterMs: KillPoint['afterMs'], message?: string): KillPoint => ({
      call,
      afterMs,
      ...(message === undefined ? {} : { message }),
    });
    // Of two calls in a row that only read, the first will do: nothing can have changed in between.
    if (READING.includes(name)) return READING.includes(calls[index - 1]?.name ?? 'get') ? [] : [at('before')];
    if (!SLOW.includes(name)) return all ? [at('before'), at(15)] : [at('before')];
    const changing = [...new Set(messages)].filter((message) => CHANGING.test(message));
    if (changing.length === 0) return [at('before'), at(15), at(80)];
    return changing.flatMap((message) => [
      at('before', message),
      ...(JOB.test(message) ? [at(15, message)] : []),
      ...(SLOW_JOB.test(message) ? [at(80, message)] : []),
    ]);
  });
}
