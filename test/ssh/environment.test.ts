import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectIncus } from '../../src/incus';
import { NOTHING_TO_TELL, tellSurroundings } from '../../src/provision/surroundings';
import { silentLog } from '../../src/sandbox/log';
import type { SandboxName } from '../../src/sandbox/name';
import { World } from './world';

let world: World;
beforeAll(async () => {
  world = await World.open();
  return () => world.close();
});

/** What a login sees: `A=…` for each name that is set there. */
const SHOW =
  'for n in TOKEN LINES MODE OTHER LD_PRELOAD; do eval "[ -z \\"\\${$n+x}\\" ] || printf %s= \\"$n\\" && printf %s \\"\\$$n\\""; done';

const environment = { names: ['TOKEN', 'LINES', 'UNSET'], values: { MODE: "it's  two words" } };

beforeEach(() => {
  vi.stubEnv('TOKEN', 's3cret "$HOME" \\ %h #x');
  vi.stubEnv('LINES', 'two\nlines ✓');
  vi.stubEnv('OTHER', 'of nobody’s business');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const show = async (...options: string[]) => (await world.login(...options, 'sshbox.pixels', SHOW)).stdout;
const arrived = 'TOKEN=s3cret "$HOME" \\ %h #xLINES=two\nlines ✓MODE=it\'s  two words';

describe('ssh through the tunnel', () => {
  beforeEach(() => world.ssh.sync([world.entry('sshbox')], world.target, { environment }));

  it('brings along exactly these names with the values of its own environment, and the values of the configuration', async () => {
    expect(await show()).toBe(arrived);
  });

  it('brings nothing else, whoever asks for it: the sandbox does not accept it', async () => {
    expect(await show('-o', 'SendEnv=OTHER')).toBe(arrived);
    expect(await show('-o', 'SetEnv=LD_PRELOAD=/evil')).not.toContain('evil');
  });

  it('does so while the sandbox still boots', async () => {
    await world.setState('sshbox', 'stop');
    expect(await show()).toBe(arrived);
  });

  it('brings nothing any more when the configuration has nothing, at once', async () => {
    await world.ssh.sync([world.entry('sshbox')], world.target);
    expect(await show('-o', 'SendEnv=TOKEN')).toBe('');
  });
});

describe('ssh to the address', () => {
  const tell = async (input: string) => {
    const { socket, project } = world.target as { socket: string; project: string };
    const host = connectIncus({ kind: 'unix', socket, project }, { log: silentLog });
    try {
      await tellSurroundings(host, 'sshbox' as SandboxName, { ...NOTHING_TO_TELL, input });
    } finally {
      host.close();
    }
  };

  it('brings the same to a sandbox that was told the names, until it is told otherwise', async () => {
    const address = await world.address('sshbox');
    const entry = world.entry('sshbox', { transport: 'direct', address });
    await world.ssh.sync([entry], world.target, { environment });
    expect(await show()).toBe('');
    await tell('s AcceptEnv LINES MODE TOKEN UNSET\n.\n');
    await vi.waitFor(async () => expect(await show('-o', 'SendEnv=OTHER')).toBe(arrived), { timeout: 10_000 });
    await tell('.\n');
    await vi.waitFor(async () => expect(await show()).toBe(''), { timeout: 10_000 });
  });
});
