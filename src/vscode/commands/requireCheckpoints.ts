import { requireCapability } from '../../sandbox/lacks';
import type { Face } from '../face';

/**
 * For the palette, which offers what rows do not: says it before anything is asked.
 * @throws PixelsError `unsupported` with the reason, where the server takes no checkpoints.
 */
export async function requireCheckpoints({ current }: Pick<Face, 'current'>): Promise<void> {
  requireCapability(await current.use(({ host }) => host.info()), 'checkpoints');
}
