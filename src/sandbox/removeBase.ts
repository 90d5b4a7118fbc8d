import { statusOfBase } from './base';
import { claim } from './claim';
import { isKind, PixelsError } from './errors';
import type { Run, SandboxHost } from './host';
import { underMark } from './mark';
import { whenNotBusy } from './patience';
import type { Sandbox } from './sandbox';

/**
 * Removes a base, or what a killed build has left of one. Nothing happens when somebody else removes it meanwhile.
 * @throws PixelsError `busy` while somebody is at work on it; `exists` when it is something that Pixels has not made as a base.
 */
export async function removeBase(host: SandboxHost, sandbox: Sandbox, { signal, onProgress }: Run): Promise<void> {
  const { name } = sandbox;
  if (statusOfBase(sandbox) === 'foreign') {
    throw new PixelsError('exists', `There is something named "px-${name}" that Pixels has not made as a base.`, {
      hint: 'Rename it on the server, or remove it there.',
    });
  }
  onProgress?.({ message: `Removing ${name}` });
  const run: Run = { signal };
  await underMark('destroy', {}, async (mark) => {
    try {
      await claim(host, name, mark, signal);
      // The server may still be busy with the last step of a process that died.
      await whenNotBusy(async () => {
        await host.stop(name, { force: true, timeoutMs: 30_000 }, run);
        await host.destroy(name, run);
      }, signal);
    } catch (error) {
      if (!isKind(error, 'not-found')) throw error;
    }
  });
}
