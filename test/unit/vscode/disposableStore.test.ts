import { expect, it } from 'vitest';
import { DisposableStore } from '../../../src/vscode/disposableStore';

it('disposes of everything once, the newest first', () => {
  const order: string[] = [];
  const store = new DisposableStore();
  store.add({ dispose: () => order.push('first') });
  store.addClosable({ close: () => order.push('second') });
  store.dispose();
  store.dispose();
  expect(order).toEqual(['second', 'first']);
});

it('disposes at once of what comes too late', () => {
  const store = new DisposableStore();
  store.dispose();
  let disposed = false;
  store.add({ dispose: () => (disposed = true) });
  expect(disposed).toBe(true);
});
