import { describe, expect, it } from 'vitest';
import { ValidationErrors } from '../../truenas-server/rpc/errors';
import { Schemas } from '../../truenas-server/schema/schemas';

const v2510 = new Schemas('25.10.5');
const v2504 = new Schemas('25.04.2');

function refusal(schemas: Schemas, method: string, params: readonly unknown[]): readonly unknown[] {
  try {
    schemas.accept(method, params);
  } catch (error) {
    if (error instanceof ValidationErrors) return error.triples;
    throw error;
  }
  throw new Error('It was accepted');
}

describe('parameters', () => {
  it('are positional, and get the defaults of the model', () => {
    const [fields] = v2510.accept('virt.instance.create', [{ name: 'px-a', image: 'debian/12' }]);
    expect(fields).toMatchObject({ autostart: true, memory: null, privileged_mode: false, source_type: 'IMAGE' });
    expect(v2510.accept('cronjob.run', [7])).toEqual([7, false]);
    expect(v2510.accept('pool.snapshot.rollback', ['tank/a@b'])[1]).toMatchObject({ recursive: false, force: false });
    expect(v2510.accept('auth.generate_token', [])).toEqual([600, {}, true, false]);
  });

  it('are left as the caller has them', () => {
    const given = { name: 'px-a', image: 'debian/12' };
    v2510.accept('virt.instance.create', [given]);
    expect(Object.keys(given)).toEqual(['name', 'image']);
  });

  it('may not be more than there are', () => {
    expect(refusal(v2510, 'core.ping', [1])).toEqual([['', 'Too many arguments (expected 0, found 1)', 22]]);
  });

  it('may not be missing', () => {
    expect(refusal(v2510, 'virt.instance.start', [])).toEqual([['id', 'Field required', 22]]);
  });

  it('may not have keys that the release does not know', () => {
    const params = [{ name: 'px-a', image: 'debian/12', privileged_mode: false }];
    expect(v2510.accept('virt.instance.create', params)).toHaveLength(1);
    expect(refusal(v2504, 'virt.instance.create', params)).toEqual([
      ['virt_instance_create.privileged_mode', 'Extra inputs are not permitted', 22],
    ]);
  });

  it('are refused by the member of a union that their tag names', () => {
    const nic = { dev_type: 'NIC', nic_type: 'NAT' };
    expect(refusal(v2510, 'virt.instance.device_add', ['px-a', nic])).toEqual([
      ['device.nic_type', "Input should be 'BRIDGED' or 'MACVLAN'", 22],
    ]);
    const wrong = refusal(v2510, 'virt.instance.device_add', ['px-a', { dev_type: 'FAN' }]);
    expect(wrong).toMatchObject([['device', expect.stringContaining("Input tag 'FAN'"), 22]]);
  });

  it('need the tag of a union', () => {
    expect(refusal(v2510, 'virt.instance.device_add', ['px-a', {}])).toEqual([
      ['device.dev_type', 'Field required', 22],
    ]);
  });

  it('have no numbers in strings', () => {
    expect(refusal(v2510, 'virt.instance.stop', ['px-a', { timeout: '5' }])).toEqual([
      ['stop_args.timeout', 'Input should be a valid integer', 22],
    ]);
  });
});

describe('what the models check in Python', () => {
  it('is that a stop has a timeout or force', () => {
    expect(refusal(v2510, 'virt.instance.stop', ['px-a'])).toEqual([
      ['', 'Value error, Timeout should be set if force is disabled', 22],
    ]);
    expect(v2510.accept('virt.instance.stop', ['px-a', { force: true }])).toHaveLength(2);
  });

  it('is 32 MiB of memory and names and values of environment variables', () => {
    const fields = { name: 'px-a', image: 'debian/12', memory: 33_554_431, environment: { 'A-B': 'x', C: ' ' } };
    const attributes = refusal(v2510, 'virt.instance.create', [fields]).map((triple) => (triple as unknown[])[0]);
    expect(attributes).toEqual([
      'virt_instance_create.environment.A-B.[key]',
      'virt_instance_create.environment.C',
      'virt_instance_create.memory',
    ]);
  });

  it('is the name of a container of 26', () => {
    const image = { name: 'debian:bookworm:amd64:default', version: '1' };
    const v26 = new Schemas('26.0');
    expect(v26.accept('container.create', [{ name: 'px-a.b', image }])).toHaveLength(1);
    for (const name of ['px_a', '-a', '10.0.0.1']) {
      expect(refusal(v26, 'container.create', [{ name, image }])).toHaveLength(1);
    }
  });
});

describe('results', () => {
  it('that no real server gives are a bug of ours', () => {
    expect(() => v2510.checkResult('core.ping', 'pong')).not.toThrow();
    expect(() => v2510.checkResult('core.ping', 'peng')).toThrow(/^Bug of the test server: core.ping/);
  });

  it('of a query are checked row by row', () => {
    expect(() => v2510.checkRows('cronjob.query', [{ id: 1, command: 'true', user: 'root' }])).not.toThrow();
    expect(() => v2510.checkRows('cronjob.query', [{ id: '1', command: 'true', user: 'root' }])).toThrow(/wrong entry/);
  });
});

it('each release offers its own methods', () => {
  expect(v2504.has('zfs.snapshot.create')).toBe(true);
  expect(v2510.has('zfs.snapshot.create')).toBe(false);
  expect(new Schemas('26.0').has('virt.global.config')).toBe(false);
});
