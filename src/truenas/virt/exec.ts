import { PixelsError } from '../../sandbox/errors';
import { instanceName } from '../../sandbox/name';
import type { TrueNasApi } from '../api';
import type { OpenShell } from '../guest';
import { readInstance } from './instances';
import { statusOf } from './sandboxes';

/** Shells in sandboxes, for {@link guestShells}. On 25.x the server takes one word as the command, not a script. */
export function openShell(api: TrueNasApi): OpenShell {
  return async (name, { word }, signal) => {
    // Side by side: each takes a round trip or more.
    const opening = api.shell({ virt_instance_id: instanceName(name), command: word }, signal);
    opening.catch(() => undefined); // why it runs or not says more
    try {
      if (statusOf(await readInstance(api, name, signal)) === 'running') return await opening;
      throw new PixelsError('wrong-state', `${name} is not running.`, { hint: 'Start it first.' });
    } catch (error) {
      opening.then(
        ({ stream }) => stream.destroy(),
        () => undefined,
      );
      throw error;
    }
  };
}
