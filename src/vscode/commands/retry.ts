import type { Face } from '../face';
import { refresh } from './refresh';

/** Reads the configuration again and connects anew: a server that refused a login is not asked again over the old connection. */
export async function retry(face: Face): Promise<void> {
  await face.current.reload();
  await refresh(face);
}
