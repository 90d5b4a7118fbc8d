import { describe, expect, it } from 'vitest';
import { CallSlots, RateLimit, sizeExceeded } from '../../truenas-server/rpc/limits';

describe('the size of a message', () => {
  it('is 8192 characters before the login', () => {
    expect(sizeExceeded('x'.repeat(8192), false)).toBeNull();
    expect(sizeExceeded('x'.repeat(8193), false)).toMatchObject({ code: 1007 });
  });

  it('is 65536 characters after it, and 2 MB for file_receive', () => {
    const message = (method: string, length: number): string =>
      JSON.stringify({ method, params: ['x'.repeat(length)] });
    expect(sizeExceeded(message('core.ping', 60_000), true)).toBeNull();
    expect(sizeExceeded(message('core.ping', 66_000), true)).toMatchObject({ code: 1009 });
    expect(sizeExceeded(message('filesystem.file_receive', 2_048_000), true)).toBeNull();
    expect(sizeExceeded(message('filesystem.file_receive', 2_097_152), true)).toMatchObject({ code: 1009 });
    expect(sizeExceeded('x'.repeat(66_000), true)).toMatchObject({ code: 1009 });
  });
});

describe('calls without a login', () => {
  it('are 20 per method and address in 60 s', () => {
    let now = 0;
    const limit = new RateLimit(() => now);
    const login = (): boolean => limit.exceeded('auth.login_ex', '10.0.0.1');
    for (let call = 0; call < 20; call += 1) expect(login()).toBe(false);
    expect(login()).toBe(true);
    expect(limit.exceeded('auth.login_ex', '10.0.0.2')).toBe(false);
    expect(limit.exceeded('core.set_options', '10.0.0.1')).toBe(false);
    now = 60_001;
    expect(login()).toBe(true); // who tries on stays out
    now = 600_000;
    expect(login()).toBe(false); // until all are forgotten
  });

  it('count anew after 60 s for who stayed below', () => {
    let now = 0;
    const limit = new RateLimit(() => now);
    for (let call = 0; call < 19; call += 1) limit.exceeded('auth.login_ex', 'a');
    now = 60_001;
    limit.exceeded('auth.login_ex', 'a');
    for (let call = 0; call < 19; call += 1) expect(limit.exceeded('auth.login_ex', 'a')).toBe(false);
  });
});

it('of the calls of a connection 10 run, 10 wait and the next is refused', async () => {
  const slots = new CallSlots();
  let running = 0;
  for (let call = 0; call < 20; call += 1) void slots.enter()?.then(() => (running += 1));
  await Promise.resolve();
  expect(running).toBe(10);
  expect(slots.enter()).toBeNull();
  slots.leave();
  await Promise.resolve();
  expect(running).toBe(11);
  expect(slots.enter()).not.toBeNull();
  for (let call = 0; call < 21; call += 1) slots.leave();
  expect(slots.enter()).not.toBeNull();
});
