import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadConfig } from '../../../src/config';
import type { ScriptedNas } from '../truenas/client/scriptedNas';
import { startNas } from '../truenas/client/world';
import { told } from './fakeVscode';

vi.mock('vscode', () => import('./fakeVscode'));

const { PinOffer } = await import('../../../src/vscode/pinOffer');
const { overridesFromSettings } = await import('../../../src/vscode/settings');

let directory: string;
let nas: ScriptedNas;
let offer: InstanceType<typeof PinOffer>;

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pixels-pin-'));
  nas = await startNas();
  for (const list of [told.warnings, told.errors, told.pressed]) list.length = 0;
  told.settings.clear();
  const ignore = () => undefined;
  offer = new PinOffer({ log: { warn: ignore, error: ignore }, current: { configuration } } as never);
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

/** As the file and the settings have it now. */
function configuration() {
  const file = path.join(directory, 'config.toml');
  const lines = ['backend = "truenas"', '[truenas]', `host = "127.0.0.1:${nas.port}"`, 'insecure_skip_verify = true'];
  fs.writeFileSync(file, lines.join('\n'), { mode: 0o600 });
  return loadConfig({ env: { HOME: directory }, file, overrides: overridesFromSettings() });
}

async function make(): Promise<void> {
  await offer.make((await configuration()).config);
}

it('pins the certificate that a person has seen and confirmed, and is not made again then', async () => {
  told.pressed.push('Pin Certificate', 'Trust This Certificate');
  await make();
  const [warning, question] = told.warnings;
  expect(warning).toMatchObject({ text: expect.stringContaining('API key') as string, buttons: ['Pin Certificate'] });
  expect(question!.detail!.replace('\n', '')).toContain(nas.certificate.fingerprint256.slice(0, 47));
  expect(told.settings).toEqual(new Map([['pixels.truenas.fingerprint', nas.certificate.fingerprint256]]));
  expect(nas.connections).toEqual([]);
  offer = new PinOffer({} as never);
  await make();
  expect(told.warnings).toHaveLength(2);
});

it('is made once for each server, also when it is not taken', async () => {
  await make();
  await make();
  expect(told.warnings).toHaveLength(1);
  nas = await startNas();
  told.pressed.push('Pin Certificate', undefined);
  await make();
  await make();
  expect(told.warnings).toHaveLength(3); // the last one is the question whether it is the right certificate
  expect(told.warnings[1]!.text).toContain(`:${nas.port} `);
  expect(told.settings.size).toBe(0);
});

it('does nothing when another server is in use by the time that it is taken', async () => {
  const { config } = await configuration();
  nas = await startNas();
  told.pressed.push('Pin Certificate');
  await offer.make(config);
  expect(told.warnings).toHaveLength(1);
});

it('says why the certificate cannot be seen, and can be taken again then', async () => {
  await nas.down();
  told.pressed.push('Pin Certificate');
  await make();
  await vi.waitFor(() => expect(told.errors).toHaveLength(1));
  expect(told.errors[0]!.buttons[0]).toBe('Pin Certificate');
  expect(told.settings.size).toBe(0);
});
