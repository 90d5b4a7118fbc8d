/**
 * Incus' daemon can stop answering in the middle of a run: while a process that has connected to its socket sends nothing, a
 * stopped one for example, it accepts nobody else (6.0.4, StarttlsListener.Accept). Without this, each of the following tests
 * waits for its limit.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { request } from './incus-api.mjs';
import { delay, run, say } from './steps.mjs';

const everyMs = 5_000;
const patienceMs = 30_000;

/** Where the report and all stacks of the last hang are kept, until the daemon's directory is deleted. */
export const hangFiles = ({ base }) => ['hang.txt', 'hang-stacks.txt'].map((name) => path.join(base, name));

/**
 * Does `work(signal)`; when the daemon leaves two plain reads of its database unanswered for 30 s each, `signal` is aborted
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
    if (await answers(daemon, '/1.0/instances', over)) continue;
    say(`\nThe Incus daemon has not answered for ${patienceMs / 1000} s`);
    const threads = await threadStates(daemon.pid);
    const alive = await answers(daemon, '/1.0', over); // needs no database
    if (await answers(daemon, '/1.0/instances', over)) {
      say('It answers again');
      continue;
    }
    await run('kill', ['-ABRT', String(daemon.pid)], { root: true, cleaningUp: true }).catch(() => {}); // Go writes its stacks
    await delay(2_000);
    const stacks = await textOf(daemon.errorFile);
    const heading = `${new Date().toISOString()}; what needs no database, it ${alive ? 'answered' : 'did not answer either'}`;
    const report = `${heading}\n\n${summary(stacks)}\n\n${threads}`;
    const [reportFile, stacksFile] = hangFiles(daemon);
    writeFileSync(reportFile, report);
    writeFileSync(stacksFile, stacks);
    stop.abort(new Error('The Incus daemon hung'));
    return report;
  }
  return null;
}

/** False where the daemon takes the question and leaves it; one that is not there at all is somebody else's matter. */
async function answers(daemon, question, signal) {
  return request(daemon.socket, 'GET', question, undefined, { limitMs: patienceMs, signal }).then(
    () => true,
    (reason) => reason.name !== 'TimeoutError',
  );
}

/** Whom the daemon waits for, where the kernel keeps each thread (the database's own are C, and not in Go's stacks), what is stopped. */
async function threadStates(pid) {
  const script = `
    ps -o pid,stat,wchan:20,etimes,args --ppid "$1" | cut -c 1-160
    for t in /proc/$1/task/*; do echo "$(cat $t/comm) $(cat $t/wchan) $(cut -d ' ' -f 1 $t/syscall)"; done | sort | uniq -c
    cat /proc/loadavg; free -m | sed -n 2p; df -m / /var/lib | sed 1d; ps -eo stat,wchan:24,args | grep '^[DT]' | cut -c 1-160`;
  return run('sh', ['-c', script, 'sh', String(pid)], { root: true, cleaningUp: true }).catch((error) => error.message);
}

async function textOf(file) {
  return run('tail', ['-c', '2000000', file], { root: true, cleaningUp: true }).catch((error) => error.message);
}

/** Those that are there in every daemon, and wait for the next event. */
const idle = new RegExp(
  [
    'deviceEventListener|deviceNetlinkListener|fsmonitor|seccomp|\\.Accept\\b|task\\.\\(\\*Task\\)|pidfdWait|BufferedUnixConn',
    'cmdDaemon|connectionOpener|Operation\\)\\.done|GC |force gc|idle\\)?: $|finalizer|(chan receive|locked to thread): $',
  ].join('|'),
);

/** What each goroutine was doing, in a few frames; those that did the same are counted, and those that idle left out. */
function summary(text) {
  const counts = new Map();
  for (const stack of text.split(/\n\n(?=goroutine )/).slice(1)) {
    const state = /\[([^\]]*)\]:/.exec(stack)?.[1] ?? '';
    const frames = stack
      .split('\n')
      .slice(1)
      .filter((line) => !/^(\t|runtime\.|internal\/|created by)/.test(line) && line !== '')
      .slice(0, 9)
      .map((line) => line.replace(/\(0x[^)]*\)|\{0x[^}]*\}|\(\.\.\.\)/g, '').replace('github.com/', ''));
    const line = `${state}: ${frames.join(' < ')}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts]
    .filter(([line]) => line.includes('.Peek') || !idle.test(line))
    .map(([line, count]) => `${String(count).padStart(4)} ${line}`)
    .join('\n');
}
