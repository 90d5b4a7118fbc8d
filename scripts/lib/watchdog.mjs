/**
 * Incus' daemon has been seen to stop answering in the middle of a run (6.0.4; every request that reads its database waited for
 * good). Without this, each of the following tests waits for its limit.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { request } from './incus-api.mjs';
import { delay, run, say } from './steps.mjs';

const everyMs = 5_000;
const patienceMs = 30_000;

/**
 * Does `work(signal)`; when the daemon leaves a plain read of its database unanswered for 30 s meanwhile, `signal` is aborted
 * and the daemon ends. Resolves to `{ result, hang }`: what `work` resolved to, and null or where the threads of the daemon
 * were, which is kept in its directory too, beside everything that it wrote. A daemon that is killed or restarted by a test does
 * not count.
 */
export async function watchingDaemon(daemon, work) {
  const over = new AbortController();
  const stop = new AbortController();
  const watching = watch(daemon, over.signal, stop);
  try {
    const result = await work(stop.signal);
    over.abort();
    return { result, hang: await watching };
  } finally {
    over.abort();
  }
}

async function watch(daemon, over, stop) {
  while (!over.aborted) {
    await delay(everyMs, over);
    const error = await request(daemon.socket, 'GET', '/1.0/instances', undefined, {
      limitMs: patienceMs,
      signal: over,
    }).then(
      () => null,
      (reason) => reason,
    );
    if (error?.name !== 'TimeoutError') continue;
    say(`\nThe Incus daemon has not answered for ${patienceMs / 1000} s`);
    const threads = await threadStates(daemon.pid);
    await run('kill', ['-ABRT', String(daemon.pid)], { root: true, cleaningUp: true }).catch(() => {}); // Go writes its stacks
    await delay(2_000);
    const stacks = await textOf(daemon.errorFile);
    const report = `${new Date().toISOString()}\n\n${threads}\n\n${waitingStacks(stacks)}`;
    writeFileSync(path.join(daemon.base, 'hang.txt'), report);
    writeFileSync(path.join(daemon.base, 'hang-stacks.txt'), stacks);
    stop.abort(new Error('The Incus daemon hung'));
    return report;
  }
  return null;
}

/** Where the kernel keeps each thread: the database's own threads are C, and not in Go's stacks. */
async function threadStates(pid) {
  const script =
    'for t in /proc/$1/task/*; do echo "$(cat $t/comm) $(cat $t/wchan) $(cat $t/syscall)"; done | sort | uniq -c';
  return run('sh', ['-c', script, 'sh', String(pid)], { root: true, cleaningUp: true }).catch((error) => error.message);
}

async function textOf(file) {
  return run('tail', ['-c', '2000000', file], { root: true, cleaningUp: true }).catch((error) => error.message);
}

/** The stacks of those threads that wait in the database or for a lock, in short. */
function waitingStacks(text) {
  const stacks = text.split(/\n\n(?=goroutine )/).filter((stack) => /cowsql|sync\.|database|semacquire/.test(stack));
  const frames = stacks.map((stack) =>
    stack
      .split('\n')
      .filter((line) => !line.startsWith('\t') && !line.startsWith('runtime.'))
      .slice(0, 12)
      .map((line) => line.replace(/\(0x[^)]*\)|\{0x[^}]*\}/g, ''))
      .join('\n  '),
  );
  return frames.slice(0, 40).join('\n');
}
