import { PixelsError } from '../../sandbox/errors';
import { instanceName, type SandboxName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import type { OpenShell } from '../guest';
import { readInstance } from './instances';
import { statusOf } from './sandboxes';

/** Shells in sandboxes, for {@link guestShells}. On 25.x the server takes one word as the command, not a script. */
export function openShell(api: TrueNasApi): OpenShell {
  return async (name, { word }, signal) => {
    const explain = (): Promise<void> => refuseUnlessRunning(api, name, signal);
    try {
      const shell = await api.shell({ virt_instance_id: instanceName(name), command: word }, signal);
      return { stream: shell.stream, resize: (columns, rows) => shell.resize(columns, rows), explain };
    } catch (error) {
      await explain(); // why it runs or not says more
      throw error;
    }
  };
}

async function refuseUnlessRunning(api: TrueNasApi, name: SandboxName, signal: AbortSignal): Promise<void> {
  if (statusOf(await readInstance(api, name, signal)) === 'running') return;
  throw new PixelsError('wrong-state', `${name} is not running.`, { hint: 'Start it first.' });
}
