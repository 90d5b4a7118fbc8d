import type * as vscode from 'vscode';
import type { Refusal } from '../../egress';
import type { SandboxName } from '../../sandbox/name';
import type { CurrentPixels } from '../currentPixels';
import { egressView, type EgressView, type GroupView, type TimedView } from '../egressView';
import type { LiveInventory } from '../liveInventory';
import { refusalKey, type LiveRefusals } from '../liveRefusals';
import { domainRow, egressRow, groupRow } from './egressRow';
import type { DomainNode, EgressNode, GroupNode, RefusalNode, RefusedNode } from './node';
import { refusalRow, refusalTooltip, refusedRow } from './refusalRow';
import type { Row } from './row';

/** The person's file of groups is read again when a policy is drawn this much later. */
const FRESH_MS = 3_000;

type Below = EgressNode | RefusedNode | RefusalNode | GroupNode | DomainNode;

interface Known {
  readonly text: string;
  readonly atMs: number;
  readonly view: EgressView;
}

/** The rows of what each sandbox may reach. That is in its state, which the list has: no server is asked. */
export class EgressRows {
  private readonly known = new Map<SandboxName, Known>();

  constructor(
    private readonly current: CurrentPixels,
    private readonly live: LiveInventory,
    private readonly refusals: LiveRefusals,
  ) {}

  /** The row of a sandbox's policy, in a list of none or one, read for {@link row}. */
  async above(sandbox: SandboxName): Promise<readonly EgressNode[]> {
    const text = this.text(sandbox);
    const before = this.known.get(sandbox);
    if (text === undefined) this.known.delete(sandbox);
    else if (before?.text !== text || Date.now() - before.atMs > FRESH_MS) {
      const view = await this.current.use((pixels) => egressView(pixels, text));
      // What was read of another policy meanwhile is newer.
      if (this.text(sandbox) === text) this.known.set(sandbox, { text, atMs: Date.now(), view });
    }
    return text === undefined ? [] : [{ kind: 'egress', sandbox }];
  }

  /** What was refused first, then groups, the person's own list, and the exceptions. */
  async below({ sandbox }: EgressNode): Promise<readonly (RefusedNode | GroupNode | DomainNode)[]> {
    await this.above(sandbox);
    const view = this.view(sandbox);
    if (view?.kind !== 'policy' || view.mode === 'unrestricted') return [];
    const domain = (denied: boolean) => (entry: string) => ({ kind: 'domain', sandbox, entry, denied }) as const;
    const refused = this.refusals.of(sandbox).length === 0 ? [] : [{ kind: 'refused', sandbox } as const];
    return [
      ...refused,
      ...view.groups.map(({ id }) => ({ kind: 'group', sandbox, id }) as const),
      ...view.allow.map(domain(false)),
      ...view.timed.map(({ entry }) => domain(false)(entry)),
      ...view.deny.map(domain(true)),
    ];
  }

  belowRefused({ sandbox }: RefusedNode): readonly RefusalNode[] {
    return this.refusals.of(sandbox).map((refusal) => ({ kind: 'refusal', sandbox, key: refusalKey(refusal) }));
  }

  /** Undefined when there is nothing any more for it to show. */
  row(node: Below): Row | undefined {
    if (node.kind === 'domain') return domainRow(node.entry, node.denied, this.timed(node));
    if (node.kind === 'refused') {
      return refusedRow(this.refusals.of(node.sandbox).length, this.refusals.fresh(node.sandbox));
    }
    if (node.kind === 'refusal') {
      const refusal = this.refusal(node);
      return refusal && refusalRow(refusal);
    }
    const view = this.view(node.sandbox);
    if (node.kind === 'egress') return view && egressRow(view, this.refusals.of(node.sandbox).length);
    const group = this.group(node);
    return group && groupRow(group);
  }

  /** Asks a sandbox that runs whether its policy is in force, which the row does not show. */
  async tooltip(node: Below): Promise<vscode.MarkdownString | string | undefined> {
    if (node.kind === 'refused') return undefined;
    if (node.kind === 'refusal') {
      const refusal = this.refusal(node);
      return refusal && refusalTooltip(refusal);
    }
    const { domainTooltip, egressTooltip, groupTooltip } = await import('./egressTooltip');
    if (node.kind === 'domain') return domainTooltip(node.entry, node.denied);
    if (node.kind === 'group') {
      const group = this.group(node);
      return group && groupTooltip(group);
    }
    const view = this.view(node.sandbox);
    const sandbox = this.live.value?.sandbox(node.sandbox);
    return view && sandbox && this.current.use((pixels) => egressTooltip(pixels, sandbox, view));
  }

  private text(sandbox: SandboxName): string | undefined {
    return this.live.value?.sandbox(sandbox)?.state.egress;
  }

  /** As it was last read. */
  private view(sandbox: SandboxName): EgressView | undefined {
    return this.known.get(sandbox)?.view;
  }

  /** Undefined for what does not end. */
  private timed({ sandbox, entry, denied }: DomainNode): TimedView | undefined {
    const view = this.view(sandbox);
    return denied || view?.kind !== 'policy' ? undefined : view.timed.find((one) => one.entry === entry);
  }

  private refusal({ sandbox, key }: RefusalNode): Refusal | undefined {
    return this.refusals.of(sandbox).find((refusal) => refusalKey(refusal) === key);
  }

  private group({ sandbox, id }: GroupNode): GroupView | undefined {
    const view = this.view(sandbox);
    return view?.kind === 'policy' ? view.groups.find((group) => group.id === id) : undefined;
  }
}
