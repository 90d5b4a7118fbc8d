import { readPolicy, writePolicy, type EgressMode, type Enforcement } from '../egress';
import { isKind } from '../sandbox/errors';
import type { Pixels } from './pixels';

/**
 * The change to another mode, which keeps the lists of before. It makes a new policy where there is none, or none that anybody can
 * read; one that a newer Pixels has written is left alone.
 * @param enforcement default: where it is enforced now, and for a sandbox that may reach everything, where new ones are.
 */
export async function changeToMode(
  { egress, host }: Pick<Pixels, 'egress' | 'host'>,
  mode: EgressMode,
  enforcement?: Enforcement,
): Promise<(policy: string | undefined) => string> {
  const fresh = await egress.policyOf(host, mode, enforcement);
  const usual = readPolicy(fresh).enforcement;
  return (text) => {
    if (text === undefined) return fresh;
    try {
      const policy = readPolicy(text);
      const now = policy.mode === 'unrestricted' ? usual : policy.enforcement;
      return writePolicy({ ...policy, mode, enforcement: enforcement ?? now });
    } catch (error) {
      if (isKind(error, 'protocol') && !/newer/.test(error.hint ?? '')) return fresh;
      throw error;
    }
  };
}
