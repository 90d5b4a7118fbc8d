import type * as vscode from 'vscode';

/** Whose key it is: a key is never offered to another server or for another user. */
export interface KeyOwner {
  readonly host: string;
  readonly username: string;
}

/** The API key that was kept for this server and user, if any. */
export async function apiKeyOf(secrets: vscode.SecretStorage, owner: KeyOwner): Promise<string | undefined> {
  return secrets.get(entryOf(owner));
}

export async function saveApiKey(secrets: vscode.SecretStorage, owner: KeyOwner, apiKey: string): Promise<void> {
  await secrets.store(entryOf(owner), apiKey);
}

function entryOf({ host, username }: KeyOwner): string {
  return `truenas.apiKey ${username}@${host.trim().toLowerCase()}`;
}
