import * as vscode from 'vscode';
import type { Sandbox } from '../../sandbox/sandbox';

/** Splits what was selected into what the command can be done to and the rest, and says which were left out and why. */
export function suitable(
  selected: readonly Sandbox[],
  suits: (sandbox: Sandbox) => boolean,
  why: (names: string) => string,
): readonly Sandbox[] {
  const skipped = selected.filter((sandbox) => !suits(sandbox));
  if (skipped.length > 0) void vscode.window.showInformationMessage(why(namesOf(skipped)));
  return selected.filter(suits);
}

/** "web", "web and db", "web, db and cache". */
export function namesOf(sandboxes: readonly Sandbox[]): string {
  const names = sandboxes.map(({ name }) => name);
  return new Intl.ListFormat(vscode.env.language, { type: 'conjunction' }).format(names);
}

/** Does something to all of them at once, and throws the first error after all have ended. */
export async function toEach<T>(sandboxes: readonly T[], act: (sandbox: T) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled(sandboxes.map(act));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
