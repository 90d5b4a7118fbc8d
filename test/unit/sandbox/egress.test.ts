import { describe, expect, it } from 'vitest';
import { changePolicy, type EgressSetup } from '../../../src/sandbox/egress';
import { cancelled, PixelsError } from '../../../src/sandbox/errors';
import type { SandboxHost } from '../../../src/sandbox/host';
import { parseName } from '../../../src/sandbox/name';
import type { SandboxState, StateChange } from '../../../src/sandbox/sandbox';

const web = parseName('web');

/** One running sandbox, and what was done to it; `fail` makes the first enforcement fail. */
function world(egress: string | undefined, fail: PixelsError) {
  let state: SandboxState = egress === undefined ? {} : { egress };
  let status = 'running';
  const enforced: string[] = [];
  const host = {
    get: () => Promise.resolve({ state, status }),
    updateState: (_: unknown, change: (state: SandboxState) => StateChange) => {
      const { egress: next } = { egress: undefined, ...change(state) };
      if (next !== undefined) state = next === null ? {} : { egress: next };
      return Promise.resolve();
    },
    stop: () => {
      status = 'stopped';
      return Promise.resolve();
    },
  } as unknown as SandboxHost;
  const setup = {
    unrestricted: 'open',
    check: () => Promise.resolve(),
    enforce: (_host: unknown, _name: unknown, policy: string) => {
      enforced.push(policy);
      return enforced.length === 1 ? Promise.reject(fail) : Promise.resolve();
    },
  } as unknown as EgressSetup;
  return {
    change: () => changePolicy({ host, egress: setup }, web, () => 'new', {}),
    enforced,
    now: () => ({ egress: state.egress, status }),
  };
}

describe('a change of a policy that is cancelled', () => {
  it('leaves the policy of before in force', async () => {
    const { change, enforced, now } = world('old', cancelled());
    await expect(change()).rejects.toMatchObject({ kind: 'cancelled' });
    expect(enforced).toEqual(['new', 'old']);
    expect(now()).toEqual({ egress: 'old', status: 'running' });
  });

  it('leaves none where there was none', async () => {
    const { change, enforced, now } = world(undefined, cancelled());
    await expect(change()).rejects.toMatchObject({ kind: 'cancelled' });
    expect(enforced).toEqual(['new', 'open']);
    expect(now()).toEqual({ egress: undefined, status: 'running' });
  });
});

describe('a policy that cannot be put in force', () => {
  it('stays wanted, and the sandbox does not stay running', async () => {
    const { change, enforced, now } = world('old', new PixelsError('failed', 'Inside web: no nft.'));
    await expect(change()).rejects.toThrow(
      'web was stopped, because its egress policy could not be put in force. Inside web: no nft.',
    );
    expect(enforced).toEqual(['new']);
    expect(now()).toEqual({ egress: 'new', status: 'stopped' });
  });
});
