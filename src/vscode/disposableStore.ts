import type * as vscode from 'vscode';

/** Collects what has to be disposed of together. What is added after the end is disposed of at once. */
export class DisposableStore implements vscode.Disposable {
  private items: vscode.Disposable[] | undefined = [];

  add<T extends vscode.Disposable>(item: T): T {
    if (this.items === undefined) item.dispose();
    else this.items.push(item);
    return item;
  }

  /** For what is closed rather than disposed of. */
  addClosable(item: { close(): void }): void {
    this.add({ dispose: () => item.close() });
  }

  /** In the opposite order of adding. Doing it again does nothing. */
  dispose(): void {
    const items = this.items ?? [];
    this.items = undefined;
    for (const item of items.reverse()) item.dispose();
  }
}
