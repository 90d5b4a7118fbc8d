import { PixelsError } from '../sandbox/errors';
import { outputOf } from '../sandbox/exec';
import type { Run, SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import sealScript from './seal.sh';

/** See `GuestSetup.seal`. */
export async function seal(host: SandboxHost, name: SandboxName, run: Run): Promise<void> {
  const { exitCode, stderr } = await outputOf(host, name, { command: ['sh', '-c', sealScript] }, run.signal);
  if (exitCode === 0) return;
  throw new PixelsError('failed', `Inside ${name}: it could not be cleaned for copies.`, {
    cause: new Error(`seal.sh ended with ${exitCode}: ${stderr}`),
  });
}
