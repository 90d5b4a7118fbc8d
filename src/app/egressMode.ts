import { readPolicy, writePolicy, type EgressMode } from '../egress';
import { isKind } from '../sandbox/errors';
import type { Pixels } from './pixels';

/**
 * The change to another mode, which keeps the lists of before. It makes a new policy where there is none, or none that anybody can
 * read; one that a newer Pixels has written is left alone.
 */
export function changeToMode(
  { egress }: Pick<Pixels, 'egress'>,
  mode: EgressMode,
): (policy: string | undefined) => string {
  return (text) => {
    if (text === undefined) return egress.policyOf(mode);
    try {
      return writePolicy({ ...readPolicy(text), mode });
    } catch (error) {
      if (isKind(error, 'protocol') && !/newer/.test(error.hint ?? '')) return egress.policyOf(mode);
      throw error;
    }
  };
}
