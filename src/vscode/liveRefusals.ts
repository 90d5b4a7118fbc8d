import * as vscode from 'vscode';
import type { Refusal } from '../egress';
import type { Log } from '../sandbox/log';
import type { SandboxName } from '../sandbox/name';
import type { Sandbox } from '../sandbox/sandbox';
import type { CurrentPixels } from './currentPixels';
import type { LiveInventory } from './liveInventory';

/** Each sandbox with a policy that runs is asked this often while this is held. */
const LOOK_MS = 30_000;
/** When nftables saw something last is known to a second or so. */
const BLUR_MS = 2_000;

/** Under this key of the editor's memory. */
const MEMORY = 'egress.refusals';

/** What a person has done about the refusals of one sandbox. */
interface Dealt {
  /** When the last one happened that they have looked at. */
  readonly seenMs: number;
  /** What they do not want to see, as {@link refusalKey} has it. */
  readonly ignored: readonly string[];
}

/**
 * What the sandboxes wanted to reach and could not; they are asked only while somebody holds this. Without what a person ignores,
 * and without what is allowed by now.
 */
export class LiveRefusals implements vscode.Disposable {
  private holders = 0;
  private timer: NodeJS.Timeout | undefined;
  private watching: vscode.Disposable | undefined;
  /** Of each sandbox, what decides whether there is anything to ask. */
  private readonly asked = new Map<SandboxName, string>();
  private readonly known = new Map<SandboxName, readonly Refusal[]>();
  /** Whose refusals can be seen now. */
  private readonly open = new Set<SandboxName>();
  private readonly changed = new vscode.EventEmitter<SandboxName>();
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly current: CurrentPixels,
    private readonly live: LiveInventory,
    private readonly memory: vscode.Memento,
    private readonly log: Log,
  ) {}

  /** Those of a sandbox, the latest first. */
  of(name: SandboxName): readonly Refusal[] {
    const { ignored } = this.dealt(name);
    return (this.known.get(name) ?? []).filter((refusal) => !ignored.includes(refusalKey(refusal)));
  }

  /** How many of them nobody has looked at. */
  fresh(name: SandboxName): number {
    const { seenMs } = this.dealt(name);
    return this.of(name).filter(({ last }) => last.getTime() > seenMs + BLUR_MS).length;
  }

  /** The same of all sandboxes. */
  get allFresh(): number {
    return [...this.known.keys()].reduce((sum, name) => sum + this.fresh(name), 0);
  }

  /** Looks now, and again and again until disposed of. */
  hold(): vscode.Disposable {
    if (this.holders++ === 0) {
      this.lookAtAll();
      this.timer = setInterval(() => this.lookAtAll(), LOOK_MS);
      this.watching = this.live.onDidChange(() => this.lookAtChanged());
    }
    let held = true;
    return new vscode.Disposable(() => {
      if (!held) return;
      held = false;
      if (--this.holders === 0) this.end();
    });
  }

  /** Asks all again. */
  refresh(): void {
    if (this.holders > 0) this.lookAtAll();
  }

  /** Asks one sandbox. What cannot be asked now keeps what is known. */
  async look(name: SandboxName): Promise<void> {
    const sandbox = this.live.value?.sandbox(name);
    const found = sandbox === undefined ? [] : await this.ask(sandbox);
    if (found === undefined) return;
    const before = JSON.stringify(this.known.get(name) ?? []);
    if (found.length === 0) this.known.delete(name);
    else this.known.set(name, found);
    if (this.open.has(name)) await this.see(name);
    if (JSON.stringify(found) !== before) this.changed.fire(name);
  }

  /** They can be seen from now on, or cannot any more. */
  async show(name: SandboxName, visible: boolean): Promise<void> {
    if (visible) this.open.add(name);
    else this.open.delete(name);
    if (!visible || this.fresh(name) === 0) return;
    await this.see(name);
    this.changed.fire(name);
  }

  /** Leaves these out from now on. */
  async ignore(name: SandboxName, keys: readonly string[]): Promise<void> {
    const { seenMs, ignored } = this.dealt(name);
    await this.keep(name, { seenMs, ignored: [...new Set([...ignored, ...keys])] });
    this.changed.fire(name);
  }

  dispose(): void {
    this.end();
    this.changed.dispose();
  }

  private end(): void {
    clearInterval(this.timer);
    this.watching?.dispose();
    this.asked.clear();
  }

  private lookAtAll(): void {
    this.asked.clear();
    this.lookAtChanged();
  }

  /** Those that are new, run since now, have another policy, or are gone. */
  private lookAtChanged(): void {
    const sandboxes = (this.live.value?.sandboxes ?? []).filter(({ state }) => state.egress !== undefined);
    for (const { name, status, state } of sandboxes) {
      const now = `${status} ${state.egress ?? ''}`;
      if (this.asked.get(name) === now) continue;
      this.asked.set(name, now);
      void this.look(name);
    }
    const names = new Set(sandboxes.map(({ name }) => name));
    for (const name of this.known.keys()) if (!names.has(name)) void this.look(name);
  }

  /** Undefined when it could not be asked. */
  private async ask({ name, status, state }: Sandbox): Promise<readonly Refusal[] | undefined> {
    const text = state.egress;
    if (text === undefined) return [];
    const { allowed, covers, entryFor, parseEntry, policyAt, readPolicy } = await import('../egress');
    try {
      const policy = policyAt(readPolicy(text), new Date());
      if (policy.mode === 'unrestricted') return [];
      if (status !== 'running') return undefined;
      return await this.current.use(async ({ egress, host }) => {
        const [refusals, preset] = await Promise.all([egress.refusals(host, name), egress.preset()]);
        const entries = allowed(policy, preset);
        const isAllowed = (refusal: Refusal): boolean => {
          const text = entryFor(refusal);
          const entry = text === undefined ? undefined : parseEntry(text);
          if (entry === undefined || policy.deny.some((each) => covers(each, entry))) return false;
          return entries.some((each) => covers(each, entry));
        };
        return refusals.filter((refusal) => !isAllowed(refusal));
      });
    } catch (error) {
      this.log.debug(`refusals of ${name}: ${(error as Error).message}`);
      return undefined;
    }
  }

  private async see(name: SandboxName): Promise<void> {
    const { seenMs, ignored } = this.dealt(name);
    const latest = Math.max(seenMs, ...this.of(name).map(({ last }) => last.getTime()));
    if (latest > seenMs) await this.keep(name, { seenMs: latest, ignored });
  }

  /** Another sandbox of the same name has its own. */
  private key(name: SandboxName): string {
    return `${MEMORY}/${name}/${this.live.value?.sandbox(name)?.createdAt.getTime() ?? 0}`;
  }

  private dealt(name: SandboxName): Dealt {
    return this.memory.get<Dealt>(this.key(name)) ?? { seenMs: 0, ignored: [] };
  }

  private async keep(name: SandboxName, dealt: Dealt): Promise<void> {
    await this.memory.update(this.key(name), dealt);
  }
}

/** Tells refusals of one sandbox apart, however often each happened. */
export function refusalKey({ name, address, port, protocol }: Refusal): string {
  return [name ?? '', address ?? '', protocol ?? '', port ?? ''].join(' ');
}
