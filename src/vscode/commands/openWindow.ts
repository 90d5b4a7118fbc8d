import type { Face } from '../face';
import { openSandboxWindow } from '../remote/openSandboxWindow';
import type { Node } from '../tree/node';

/** Opens a sandbox's home directory in a window of its own. */
export async function openInNewWindow(face: Face, node?: Node): Promise<void> {
  await openSandboxWindow(face, node, { forceNewWindow: true });
}

/** Opens a sandbox's home directory in this window. */
export async function openInThisWindow(face: Face, node?: Node): Promise<void> {
  await openSandboxWindow(face, node, { forceNewWindow: false });
}
