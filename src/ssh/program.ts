import { execFile } from 'node:child_process';
import { PixelsError } from '../sandbox/errors';

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMIT_MS = 15_000;

/**
 * Runs one of OpenSSH's programs (ssh, ssh-keygen) to its end, without any input.
 * @throws PixelsError `unsupported` when it is not installed, `timeout`.
 */
export function runOpenSsh(
  program: 'ssh' | 'ssh-keygen',
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env, timeout: LIMIT_MS, windowsHide: true }, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT') reject(notInstalled(program, error));
      else reject(new PixelsError('timeout', `${program} did not come to an end.`, { cause: error }));
    });
    child.stdin?.end();
  });
}

function notInstalled(program: string, cause: unknown): PixelsError {
  return new PixelsError('unsupported', `The program ${program} is not there.`, {
    hint: 'Install the OpenSSH client.',
    cause,
  });
}
