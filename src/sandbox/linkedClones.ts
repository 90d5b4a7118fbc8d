import { PixelsError } from './errors';
import type { SandboxHost } from './host';
import type { CheckpointLabel, SandboxName } from './name';

/**
 * Looks whether something would have to be destroyed before a sandbox, or before one of its checkpoints, can go.
 * @param except these are destroyed too.
 * @returns the names of its linked clones, all of which are excepted then.
 * @throws PixelsError `wrong-state`, naming the linked clones.
 */
export async function refuseWithClones(
  host: SandboxHost,
  { name, label, except = [] }: { name: SandboxName; label?: CheckpointLabel; except?: readonly SandboxName[] },
  signal?: AbortSignal,
): Promise<readonly SandboxName[]> {
  const all = (await host.linkedClones(name, signal))
    .filter((clone) => label === undefined || clone.label === label)
    .map((clone) => clone.name);
  const clones = all.filter((clone) => !except.includes(clone));
  if (clones.length === 0) return all;
  const what = label === undefined ? `${name} cannot be destroyed` : `${name}:${label} cannot be deleted`;
  const [are, those] = clones.length === 1 ? ['is a linked clone', 'that'] : ['are linked clones', 'those'];
  throw new PixelsError('wrong-state', `${what}: ${clones.join(', ')} ${are} of it.`, {
    hint: `Destroy ${those} first.`,
  });
}

/** The same sandboxes in groups, each of which can be destroyed at once when the ones before it are gone. */
export function clonesFirst<T extends { readonly name: SandboxName }>(
  sandboxes: readonly T[],
  clonesOf: (sandbox: T) => readonly SandboxName[],
): T[][] {
  const groups: T[][] = [];
  for (let left = [...sandboxes]; left.length > 0;) {
    const names = new Set(left.map(({ name }) => name));
    const free = left.filter((sandbox) => !clonesOf(sandbox).some((clone) => names.has(clone)));
    const group = free.length > 0 ? free : left; // no two are clones of each other, whatever a server says
    groups.push(group);
    left = left.filter((sandbox) => !group.includes(sandbox));
  }
  return groups;
}
