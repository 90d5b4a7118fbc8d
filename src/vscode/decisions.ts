import type * as vscode from 'vscode';

/** What a person decided, kept by the editor for all of its windows. */
export interface Decisions {
  /** `never`: do not offer to add the Include line to the person's ssh configuration again. */
  'ssh.include': 'never';
  /** `removed`: ~/.ssh/pixels was taken away on demand; do not write it again until a window is asked for. */
  'ssh.files': 'removed';
}

/** What was decided, or undefined. */
export function decision<K extends keyof Decisions>(memory: vscode.Memento, about: K): Decisions[K] | undefined {
  return memory.get(about);
}

/** Keeps a decision; undefined takes it back. */
export async function decide<K extends keyof Decisions>(
  memory: vscode.Memento,
  about: K,
  what: Decisions[K] | undefined,
): Promise<void> {
  if (memory.get(about) !== what) await memory.update(about, what);
}
