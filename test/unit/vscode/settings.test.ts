import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SETTINGS as CONFIG_KEYS } from '../../../src/config/schema';
import { told } from './fakeVscode';

vi.mock('vscode', () => import('./fakeVscode'));

const { environmentFromSettings, overridesFromSettings, SETTING_IDS } = await import('../../../src/vscode/settings');

beforeEach(() => told.settings.clear());

describe('settings of the editor', () => {
  it('say nothing while a person has set none: the configuration file decides', () => {
    told.settings.set('pixels.incus.socket', '');
    told.settings.set('pixels.defaults.cpu', null);
    told.settings.set('pixels.network.allow', []);
    expect(overridesFromSettings()).toEqual({});
    expect(environmentFromSettings()).toEqual({});
  });

  it('go where the configuration has them', () => {
    told.settings.set('pixels.incus.project', 'agents');
    told.settings.set('pixels.defaults.memory', 2048);
    told.settings.set('pixels.ssh.transport', 'direct');
    expect(overridesFromSettings()).toEqual({
      incus: { project: 'agents' },
      defaults: { memoryMiB: 2048 },
      ssh: { transport: 'direct' },
    });
  });

  it('may be a list, which the pixels command gets with commas', () => {
    told.settings.set('pixels.network.allow', ['example.org', '10.0.0.0/8']);
    expect(overridesFromSettings()).toEqual({ network: { allow: ['example.org', '10.0.0.0/8'] } });
    expect(environmentFromSettings()).toEqual({ PIXELS_NETWORK_ALLOW: 'example.org,10.0.0.0/8' });
  });

  it('reach the pixels command in a terminal as variables that it knows', () => {
    for (const id of SETTING_IDS) told.settings.set(`pixels.${id}`, 'x');
    const known = new Set(CONFIG_KEYS.flatMap(({ envNames }) => envNames));
    for (const name of Object.keys(environmentFromSettings())) expect([...known]).toContain(name);
    expect(environmentFromSettings()).toHaveProperty('PIXELS_INCUS_CLIENT_CERT', 'x');
  });
});
