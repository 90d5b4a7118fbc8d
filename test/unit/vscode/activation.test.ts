import { beforeEach, describe, expect, it, vi } from 'vitest';
import { told } from './fakeVscode';

const loaded = vi.hoisted(() => [] as string[]);
vi.mock('vscode', () => import('./fakeVscode'));
vi.mock('../../../src/app/pixels', () => {
  loaded.push('app');
  return { openPixels: () => Promise.reject(new Error('there is no server in this test')) };
});
vi.mock('../../../src/vscode/commands', () => {
  loaded.push('commands');
  return { dispatch: () => Promise.resolve() };
});

const { activate } = await import('../../../src/extension');
const { COMMANDS, commandId } = await import('../../../src/vscode/ids');

function context() {
  return {
    subscriptions: [] as { dispose(): void }[],
    extensionPath: '/nowhere',
    globalStorageUri: { fsPath: '/proc/nowhere' },
    globalState: { get: () => undefined, update: () => Promise.resolve() },
    environmentVariableCollection: new Map<string, unknown>() as unknown,
  };
}

function activateIn(authority: string | undefined) {
  told.workspaceFolders = authority === undefined ? undefined : [{ uri: { authority } }];
  const extension = context();
  extension.environmentVariableCollection = {
    get: () => undefined,
    forEach: () => undefined,
    prepend: () => undefined,
  };
  const began = performance.now();
  const result = activate(extension as unknown as Parameters<typeof activate>[0]);
  const tookMs = performance.now() - began;
  for (const item of extension.subscriptions) item.dispose();
  return { result, tookMs };
}

beforeEach(() => {
  loaded.length = 0;
  told.commands.clear();
});

describe('activation', () => {
  it('lets a window on a host that is not ours go on within 5 ms, and loads nothing', async () => {
    activateIn('ssh-remote+example.org'); // compiled once
    const { result, tookMs } = activateIn('ssh-remote+example.org');
    expect(result).toBeUndefined();
    expect(tookMs).toBeLessThan(5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(loaded).toEqual([]);
  });

  it('lets Remote-SSH wait in a window on one of ours', async () => {
    const { result } = activateIn('ssh-remote+web.pixels');
    expect(result).toBeInstanceOf(Promise);
    await result; // the server cannot be reached here: told, and Remote-SSH goes on
    expect(loaded).toContain('app');
    expect(told.errors.at(-1)?.buttons).toContain('Show Log');
  });

  it('registers every command, and loads their code only when one is run', async () => {
    told.workspaceFolders = undefined;
    const extension = context();
    extension.environmentVariableCollection = {
      get: () => undefined,
      forEach: () => undefined,
      prepend: () => undefined,
    };
    void activate(extension as unknown as Parameters<typeof activate>[0]);
    expect([...told.commands.keys()].sort()).toEqual(COMMANDS.map(commandId).sort());
    expect(loaded).toEqual([]);
    await told.commands.get('pixels.refresh')!();
    expect(loaded).toEqual(['commands']);
    for (const item of extension.subscriptions) item.dispose();
  });
});
