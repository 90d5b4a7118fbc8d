import type { Face } from '../face';
import type { Node } from '../tree/node';

/** Cancels what this window builds, also what it has begun by itself; nothing stays of it. Only rows have this. */
export function cancelBaseBuild({ builds }: Face, node?: Node): Promise<void> {
  if (node?.kind === 'base') builds.cancel(node.name);
  return Promise.resolve();
}
