import { PixelsError } from '../../sandbox/errors';
import type { TrueNasApi } from '../api';
import type { OpenShell } from '../guest';
import { readContainer } from './containers';
import { statusOf } from './sandboxes';

/** Shells in containers, for {@link guestShells}. The server runs the line itself (MW:apps/webshell_app.py). */
export function openShell(api: TrueNasApi): OpenShell {
  return async (name, { line }, signal) => {
    const container = await readContainer(api, name, signal);
    if (statusOf(container) !== 'running') {
      throw new PixelsError('wrong-state', `${name} is not running.`, { hint: 'Start it first.' });
    }
    const shell = await api.shell({ container_id: container.id, command: line }, signal);
    return { stream: shell.stream, resize: (columns, rows) => shell.resize(columns, rows), runsLine: true };
  };
}
