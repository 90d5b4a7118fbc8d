/** Ending what a test run left behind, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Kills every process of this user whose environment carries the mark `{ NAME: value }`: an editor or a browser outlives a
 * test process that is killed, and children inherit the environment.
 */
export async function endMarked(mark) {
  const [[name, value]] = Object.entries(mark);
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!pid || pid === process.pid) continue;
    if (environmentOf(pid).includes(`${name}=${value}`)) kill(pid);
  }
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // gone, or somebody else's
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
}
