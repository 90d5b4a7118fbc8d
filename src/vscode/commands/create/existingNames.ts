import type { SandboxHost } from '../../../sandbox/host';
import type { SandboxName } from '../../../sandbox/name';

/** The names that are taken now. The server has the last word; this is for saying so early. */
export async function existingNames(host: SandboxHost): Promise<ReadonlySet<SandboxName>> {
  return new Set((await host.list()).map(({ name }) => name));
}
