import type { GuestFile } from '../sandbox/host';
import { instanceName, type SandboxName } from '../sandbox/name';
import { whenNotBusy } from '../sandbox/patience';
import type { Call, IncusApi } from './api';
import { refusal } from './errors';
import { instancePath } from './state';
import { envelopeSchema, parseJson, parseWire } from './wire';

/** See `SandboxHost.putFiles`. Incus never leaves the instance's root, whatever links are in it. */
export async function putFiles(
  api: IncusApi,
  name: SandboxName,
  files: readonly GuestFile[],
  signal?: AbortSignal,
): Promise<void> {
  const seal = files.at(-1);
  if (seal === undefined || (await isThere(api, name, seal, signal))) return;
  await onFile(api, name, 'DELETE', seal.path, { signal }, 404);
  const owned = { 'X-Incus-uid': '0', 'X-Incus-gid': '0' };
  for (const directory of directoriesOf(files)) {
    const headers = { ...owned, 'X-Incus-type': 'directory', 'X-Incus-mode': '0755' };
    await onFile(api, name, 'POST', directory, { headers, body: Buffer.alloc(0), signal });
  }
  for (const { path, content, mode } of files) {
    const headers = {
      ...owned,
      'X-Incus-type': 'file',
      'X-Incus-mode': mode.toString(8).padStart(4, '0'),
      'X-Incus-write': 'overwrite',
    };
    // Incus keeps owner and mode of a file that is there.
    if (path !== seal.path) await onFile(api, name, 'DELETE', path, { signal }, 404);
    await onFile(api, name, 'POST', path, { headers, body: Buffer.from(content), signal });
  }
}

async function isThere(
  api: IncusApi,
  name: SandboxName,
  { path, content }: GuestFile,
  signal?: AbortSignal,
): Promise<boolean> {
  const { status, body } = await api.send('GET', filesPath(name), { query: { path }, signal });
  return status === 200 && body.toString('utf8') === content; // whatever else it says, a write will say better
}

/**
 * A request about one file, repeated while another one holds Incus' access to the instance's files.
 * @param harmless statuses of an answer that are as good as success.
 */
export async function onFile(
  api: IncusApi,
  name: SandboxName,
  method: string,
  path: string,
  call: Call,
  ...harmless: readonly number[]
): Promise<void> {
  const where = filesPath(name);
  await whenNotBusy(async () => {
    const answer = await api.send(method, where, { ...call, query: { path } });
    if (answer.status < 400 || harmless.includes(answer.status)) return;
    const { error, error_code } = parseWire(envelopeSchema, parseJson(answer.body.toString('utf8'), where), where);
    throw refusal(error_code, error, { name, path });
  }, call.signal);
}

function filesPath(name: SandboxName): string {
  return `${instancePath(instanceName(name))}/files`;
}

/** All that have to be there, outer ones first. */
function directoriesOf(files: readonly GuestFile[]): readonly string[] {
  const all = new Set<string>();
  for (const { path } of files) {
    const parts = path.split('/').slice(1, -1);
    parts.forEach((_, at) => all.add(`/${parts.slice(0, at + 1).join('/')}`));
  }
  return [...all].sort().filter((directory) => directory.split('/').length > 2); // those at the top are there
}
