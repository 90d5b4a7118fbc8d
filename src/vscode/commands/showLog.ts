import type { Face } from '../face';

/** Shows the output channel "Pixels". */
export function showLog(face: Face): Promise<void> {
  face.log.show();
  return Promise.resolve();
}
