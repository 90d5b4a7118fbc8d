import { execFile } from 'node:child_process';

/** npm is a script that Node starts; on a busy machine that takes its time. */
const LIMIT_MS = 10_000;

let asked: Promise<string | undefined> | undefined;

/**
 * Address of the npm registry for sandboxes: the configured one, or else the one that npm uses on this machine (its own files and
 * variables say so, npm-config(7)). Undefined where there is no npm. Asked once in the life of a process.
 */
export function npmRegistry(configured: string | undefined): Promise<string | undefined> {
  if (configured !== undefined) return Promise.resolve(configured);
  asked ??= new Promise((resolve) => {
    const options = { timeout: LIMIT_MS, shell: process.platform === 'win32' }; // there it is npm.cmd
    execFile('npm', ['config', 'get', 'registry'], options, (error, stdout) => {
      const address = stdout.trim();
      resolve(error === null && /^https?:\/\/\S+$/.test(address) ? address : undefined);
    });
  });
  return asked;
}
