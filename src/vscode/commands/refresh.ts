import type { Face } from '../face';

/** Asks the server again, for people who do not trust events, or after something went wrong. */
export async function refresh(face: Face): Promise<void> {
  await face.live.refresh();
  face.refusals.refresh();
}
