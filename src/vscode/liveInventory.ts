import * as vscode from 'vscode';
import { toPixelsError } from '../sandbox/errors';
import type { Closable } from '../sandbox/host';
import type { Inventory, InventoryChange, InventoryState } from '../sandbox/inventory';
import type { CurrentPixels } from './currentPixels';

/**
 * The inventory of the Pixels in use, connected only while somebody holds it: the visible tree, or a window that is
 * inside a sandbox. It follows a change of configuration by itself.
 */
export class LiveInventory implements vscode.Disposable {
  private holders = 0;
  private look: Closable | undefined;
  private listener: Closable | undefined;
  private shown: Inventory | undefined;
  private failure: InventoryState | undefined;
  private readonly changed = new vscode.EventEmitter<InventoryChange>();
  private readonly replacement: vscode.Disposable;
  readonly onDidChange = this.changed.event;

  constructor(private readonly current: CurrentPixels) {
    this.replacement = current.onDidChange(() => this.follow());
  }

  /** The inventory, once there is one; it is up to date only while held. */
  get value(): Inventory | undefined {
    return this.shown;
  }

  get state(): InventoryState {
    return this.failure ?? this.shown?.state ?? { kind: 'loading' };
  }

  /** Keeps it connected until disposed of. */
  hold(): vscode.Disposable {
    if (this.holders++ === 0) void this.connect();
    let held = true;
    return new vscode.Disposable(() => {
      if (!held) return;
      held = false;
      if (--this.holders === 0) this.disconnect();
    });
  }

  /** Asks again, after whatever went wrong. */
  async refresh(): Promise<void> {
    if (this.failure !== undefined) await this.connect();
    else await this.current.use((pixels) => pixels.inventory.refresh());
  }

  dispose(): void {
    this.replacement.dispose();
    this.listener?.close();
    this.disconnect();
    this.changed.dispose();
  }

  private async connect(): Promise<void> {
    try {
      await this.current.use(() => Promise.resolve());
      this.follow();
    } catch (error) {
      this.failure = { kind: 'failed', error: toPixelsError(error) };
      this.changed.fire({ kind: 'all' });
    }
  }

  private follow(): void {
    const inventory = this.current.value?.inventory;
    if (inventory === undefined) return;
    this.failure = undefined;
    if (inventory !== this.shown) {
      this.disconnect();
      this.listener?.close();
      this.listener = inventory.onDidChange((change) => this.changed.fire(change));
      this.shown = inventory;
      this.changed.fire({ kind: 'all' });
    }
    if (this.holders > 0) this.look ??= inventory.look();
  }

  private disconnect(): void {
    this.look?.close();
    this.look = undefined;
  }
}
