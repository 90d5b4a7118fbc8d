import type * as vscode from 'vscode';
import { baseOf, instanceOfBase, statusOfBase, type BaseName } from '../../sandbox/base';
import type { Activity } from '../activity';
import type { CurrentPixels } from '../currentPixels';
import type { LiveInventory } from '../liveInventory';
import { baseRow } from './baseRow';
import type { Row } from './row';

/** A build says a lot; so long as no base becomes another one, it does not make us ask each time. */
const FRESH_MS = 3_000;

/** The rows of the bases that the server has or this window builds. */
export class BaseRows {
  /** What each would be made of, when it was last asked. */
  private hashes: ReadonlyMap<BaseName, string | undefined> = new Map();
  private asked: { readonly about: string; readonly atMs: number } | undefined;

  constructor(
    private readonly current: CurrentPixels,
    private readonly live: LiveInventory,
    private readonly activity: Activity,
  ) {}

  /** Sorted. */
  get names(): readonly BaseName[] {
    const known = (this.live.value?.bases ?? []).map(({ name }) => name);
    const names = [...known, ...this.activity.names].map(baseOf).filter((name) => name !== undefined);
    return [...new Set(names)].sort();
  }

  /** Finds out which are stale, as far as the server can be reached, and has removed what killed builds have left. */
  async refresh(): Promise<void> {
    const { names } = this;
    const isLeft = (this.live.value?.bases ?? []).some((sandbox) => statusOfBase(sandbox) === 'interrupted');
    const about = JSON.stringify([names, this.live.value?.bases.map(({ state }) => state.base)]);
    if (about === this.asked?.about && Date.now() - this.asked.atMs < FRESH_MS) return;
    this.asked = { about, atMs: Date.now() };
    try {
      this.hashes = await this.current.use(async ({ bases }) => {
        if (isLeft) await bases.list();
        const hashes = await Promise.all(names.map(async (name) => [name, await bases.hashNow(name)] as const));
        return new Map(hashes);
      });
    } catch {
      // What was known stays; a row above says what is wrong with the server.
    }
  }

  row(name: BaseName): Row {
    const instance = instanceOfBase(name);
    const sandbox = this.live.value?.sandbox(instance);
    return baseRow(name, sandbox, this.hashes.get(name), this.activity.of(instance));
  }

  /** Asks the server what it takes up, which the row does not show. */
  async tooltip(name: BaseName): Promise<vscode.MarkdownString | undefined> {
    const sandbox = this.live.value?.sandbox(instanceOfBase(name));
    if (sandbox === undefined) return undefined;
    const { baseTooltip } = await import('./tooltip');
    return this.current.use((pixels) => baseTooltip(pixels, name, sandbox, this.row(name).description));
  }
}
