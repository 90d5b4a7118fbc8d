import * as vscode from 'vscode';
import type { ConfigOverrides } from '../config';
import { SETTINGS_SECTION } from './ids';

/**
 * A setting's identifier without `pixels.`, where its value goes in {@link ConfigOverrides}, and the variable with which
 * the `pixels` command in an integrated terminal is told the same.
 */
const SETTINGS = [
  { id: 'backend', path: ['backend'] },
  { id: 'incus.socket', path: ['incus', 'socket'] },
  { id: 'incus.remote', path: ['incus', 'remote'] },
  { id: 'incus.clientCert', path: ['incus', 'clientCert'] },
  { id: 'incus.clientKey', path: ['incus', 'clientKey'] },
  { id: 'incus.serverCert', path: ['incus', 'serverCert'] },
  { id: 'incus.project', path: ['incus', 'project'] },
  { id: 'truenas.host', path: ['truenas', 'host'] },
  { id: 'truenas.username', path: ['truenas', 'username'] },
  { id: 'truenas.fingerprint', path: ['truenas', 'fingerprint'] },
  { id: 'defaults.image', path: ['defaults', 'image'] },
  { id: 'defaults.cpu', path: ['defaults', 'cpu'] },
  { id: 'defaults.memory', path: ['defaults', 'memoryMiB'] },
  { id: 'bases.autoBuild', path: ['provision', 'autoBuild'] },
  { id: 'ssh.transport', path: ['ssh', 'transport'] },
  { id: 'network.egress', path: ['network', 'egress'] },
  { id: 'network.allow', path: ['network', 'allow'] },
] as const satisfies readonly { id: string; path: readonly [string, string?] }[];

type SettingId = (typeof SETTINGS)[number]['id'];

/** The identifiers of all settings, in no particular order. */
export const SETTING_IDS: readonly string[] = SETTINGS.map(({ id }) => id);

/** What a person set in the editor. A default shown by the editor is not a choice and does not win over the file. */
export function overridesFromSettings(): ConfigOverrides {
  const overrides: Record<string, unknown> = {};
  for (const { path, value } of chosen()) {
    const [section, key] = path as readonly [string, string?];
    overrides[section] = key === undefined ? value : { ...(overrides[section] as object | undefined), [key]: value };
  }
  return overrides;
}

/** Keeps these as the person's own settings, one after the other; undefined takes one away. */
export async function saveSettings(values: { readonly [K in SettingId]?: string | undefined }): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SETTINGS_SECTION);
  for (const [id, value] of Object.entries(values)) {
    await configuration.update(id, value, vscode.ConfigurationTarget.Global);
  }
}

/** The same as `PIXELS_*` variables. None of these settings is secret. */
export function environmentFromSettings(): Record<string, string> {
  return Object.fromEntries(chosen().map(({ id, value }) => [variableOf(id), String(value)]));
}

function variableOf(id: string): string {
  const words = id.replaceAll('.', '_').replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `PIXELS_${words.toUpperCase()}`;
}

function chosen() {
  const configuration = vscode.workspace.getConfiguration(SETTINGS_SECTION);
  return SETTINGS.map((setting) => ({ ...setting, value: configuration.inspect(setting.id)?.globalValue })).filter(
    ({ value }) => value !== undefined && value !== null && value !== '' && !isEmptyList(value),
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
