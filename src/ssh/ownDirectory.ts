import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import os from 'node:os';
import { promisify } from 'node:util';
import type { SshPaths } from './paths';

/** `~/.ssh/pixels`, readable by nobody else: OpenSSH refuses to read files that others could have written. */
export async function makeOwnDirectory({ directory }: SshPaths): Promise<void> {
  await fs.mkdir(path.dirname(directory), { recursive: true, mode: 0o700 });
  const made = await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  if (process.platform !== 'win32') await fs.chmod(directory, 0o700);
  else if (made !== undefined) await leaveToUserAlone(directory);
}

/** On Windows a home directory may grant rights to groups that OpenSSH does not trust; files inherit from here. */
async function leaveToUserAlone(directory: string): Promise<void> {
  const user = os.userInfo().username;
  await promisify(execFile)('icacls', [directory, '/inheritance:r', '/grant:r', `${user}:(OI)(CI)F`, '/Q']);
}
