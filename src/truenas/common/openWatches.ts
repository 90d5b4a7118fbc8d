import type { Closable } from '../../sandbox/host';

/** Watches that are open, so that closing their host ends them. */
export class OpenWatches {
  private readonly open = new Set<Closable>();

  /** The watch; closing it takes it out of here. */
  add(watch: Closable): Closable {
    const kept = {
      close: () => {
        watch.close();
        this.open.delete(kept);
      },
    };
    this.open.add(kept);
    return kept;
  }

  closeAll(): void {
    for (const watch of this.open) watch.close();
  }
}
