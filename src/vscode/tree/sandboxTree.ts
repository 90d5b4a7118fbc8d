import * as vscode from 'vscode';
import { baseOf } from '../../sandbox/base';
import { sentence, toPixelsError, type PixelsError } from '../../sandbox/errors';
import type { InventoryChange } from '../../sandbox/inventory';
import type { SandboxName } from '../../sandbox/name';
import type { Lacks } from '../../sandbox/sandbox';
import type { Activity } from '../activity';
import type { CurrentPixels } from '../currentPixels';
import { DisposableStore } from '../disposableStore';
import type { LiveInventory } from '../liveInventory';
import type { LiveProvisioning } from '../liveProvisioning';
import type { LiveRefusals } from '../liveRefusals';
import { recipeState, type RecipeState } from '../recipeState';
import { basesRow } from './baseRow';
import { BaseRows } from './baseRows';
import { checkpointRow } from './checkpointRow';
import { EgressRows } from './egressRows';
import {
  isParent,
  nodeId,
  type BaseNode,
  type BasesNode,
  type EgressNode,
  type Node,
  type ParentNode,
  type RecipeNode,
  type RefusedNode,
  type SandboxNode,
  type TroubleNode,
} from './node';
import { NodeStore } from './nodeStore';
import { recipeRow } from './recipeRow';
import type { Row } from './row';
import { sandboxRow } from './sandboxRow';
import { tooltipOf } from './tooltipOf';
import { treeItem } from './treeItem';
import { troubleRow } from './troubleRow';
import { ViewWords } from './viewWords';

/** Ages ("5 min. ago") are looked at again this often while the tree can be seen. */
const AGE_MS = 60_000;

/**
 * Sandboxes and under each its recipe, what it may reach and its checkpoints, and the bases under a row of their own, drawn from
 * the live inventory and the recipes' progress. A row is drawn again only when it would look different; rows come and go only when
 * sandboxes do.
 */
export class SandboxTree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly nodes = new NodeStore();
  /** How rows and lists of children were last given to the editor. */
  private readonly drawn = new Map<string, string>();
  private readonly bases: BaseRows;
  private readonly egress: EgressRows;
  private readonly changed = new vscode.EventEmitter<Node | undefined>();
  private readonly store = new DisposableStore();
  private readonly words = new ViewWords();
  private visible: DisposableStore | undefined;
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly current: CurrentPixels,
    private readonly live: LiveInventory,
    private readonly activity: Activity,
    private readonly provisioning: LiveProvisioning,
    private readonly refusals: LiveRefusals,
  ) {
    this.bases = new BaseRows(current, live, activity);
    this.egress = new EgressRows(current, live, refusals);
    this.store.add(this.changed);
    this.store.add(live.onDidChange((change) => this.redraw(change)));
    this.store.add(activity.onDidChange((name) => this.redraw({ kind: 'sandbox', name })));
    this.store.add(provisioning.onDidChange((name) => this.redraw({ kind: 'sandbox', name })));
    this.store.add(
      refusals.onDidChange((name) => {
        this.redraw({ kind: 'sandbox', name });
        this.words.count(refusals.allFresh);
      }),
    );
  }

  /** Keeps the inventory connected, and recipes followed, exactly while the view can be seen. */
  showIn(view: vscode.TreeView<Node>): void {
    this.words.view = view;
    this.setVisible(view.visible);
    this.store.add(view.onDidChangeVisibility(({ visible }) => this.setVisible(visible)));
    const show = ({ element }: vscode.TreeViewExpansionEvent<Node>, visible: boolean): void => {
      if (element.kind === 'refused') void this.refusals.show(element.sandbox, visible);
    };
    this.store.add(view.onDidExpandElement((event) => show(event, true)));
    this.store.add(view.onDidCollapseElement((event) => show(event, false)));
  }

  /** The row of a sandbox, to be revealed. */
  node(name: SandboxName): SandboxNode {
    return this.nodes.keep({ kind: 'sandbox', name });
  }

  async getChildren(parent?: Node): Promise<Node[]> {
    if (parent === undefined) {
      await this.loaded();
      const nodes = this.roots();
      this.drawn.set('', ids(nodes));
      return nodes;
    }
    if (!isParent(parent)) return [];
    const nodes = await this.children(parent);
    this.drawn.set(childrenKey(parent), ids(nodes));
    return nodes;
  }

  getParent(node: Node): Node | undefined {
    if (node.kind === 'base') return this.nodes.keep(BASES);
    if (node.kind === 'group' || node.kind === 'domain' || node.kind === 'refused')
      return this.nodes.keep<EgressNode>({ kind: 'egress', sandbox: node.sandbox });
    if (node.kind === 'refusal') return this.nodes.keep<RefusedNode>({ kind: 'refused', sandbox: node.sandbox });
    const isBelow = node.kind === 'checkpoint' || node.kind === 'recipe' || node.kind === 'egress';
    return isBelow ? this.node(node.sandbox) : undefined;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const row = this.row(node);
    this.drawn.set(nodeId(node), JSON.stringify(row));
    return treeItem(nodeId(node), row);
  }

  async resolveTreeItem(item: vscode.TreeItem, node: Node): Promise<vscode.TreeItem> {
    const { current, live, nodes, bases, egress, lacks } = this;
    const recipe = (name: SandboxName) => this.recipe(name);
    const tooltip = await tooltipOf(node, { current, live, nodes, bases, egress, lacks, recipe });
    if (tooltip !== undefined) item.tooltip = tooltip;
    return item;
  }

  dispose(): void {
    this.visible?.dispose();
    this.store.dispose();
  }

  private setVisible(visible: boolean): void {
    if (!visible) {
      this.visible?.dispose();
      this.visible = undefined;
    } else if (this.visible === undefined) {
      this.visible = new DisposableStore();
      this.visible.add(this.live.hold());
      this.visible.add(this.provisioning.hold());
      this.visible.add(this.refusals.hold());
      const ages = setInterval(() => this.redraw({ kind: 'all' }), AGE_MS);
      this.visible.add({ dispose: () => clearInterval(ages) });
    }
  }

  /** Resolves when there is something to show. Until then the editor shows progress. */
  private loaded(): Promise<void> {
    if (this.live.state.kind !== 'loading') return Promise.resolve();
    return new Promise((resolve) => {
      const listener = this.live.onDidChange(() => {
        if (this.live.state.kind === 'loading') return;
        listener.dispose();
        resolve();
      });
    });
  }

  private roots(): (ParentNode | TroubleNode)[] {
    const { state } = this.live;
    const known = (this.live.value?.sandboxes ?? []).map(({ name }) => name);
    const active = this.activity.names.filter((name) => baseOf(name) === undefined);
    const names = [...new Set([...known, ...active])].sort();
    const bases = this.bases.names.length > 0 ? [this.nodes.keep(BASES)] : [];
    const rows = [...names.map((name) => this.node(name)), ...bases];
    if (state.kind === 'failed') {
      const isNew = rows.length === 0 && this.isUnconfigured(state.error);
      this.words.explain(isNew ? 'unconfigured' : 'none', isNew ? '' : sentence(state.error));
      return isNew ? [] : [this.nodes.keepTrouble(state.error), ...rows];
    }
    this.words.explain(rows.length === 0 && state.kind === 'ready' ? 'empty' : 'none', '');
    return rows;
  }

  private get lacks(): Lacks {
    return this.live.value?.lacks ?? {};
  }

  /** Nobody has said where the server is, and it is not where one would be. */
  private isUnconfigured(error: PixelsError): boolean {
    const incus = this.current.value?.config.incus;
    return error.kind === 'unreachable' && incus?.socket === undefined && incus?.remote === undefined;
  }

  private async children(parent: ParentNode): Promise<Node[]> {
    if (parent.kind === 'bases') {
      await this.bases.refresh();
      return this.bases.names.map((name) => this.nodes.keep<BaseNode>({ kind: 'base', name }));
    }
    if (parent.kind === 'egress') return (await this.egress.below(parent)).map((node) => this.nodes.keep(node));
    if (parent.kind === 'refused') return this.egress.belowRefused(parent).map((node) => this.nodes.keep(node));
    const { name } = parent;
    const [egress, checkpoints] = await Promise.all([this.egress.above(name), this.checkpointNodes(name)]);
    const recipe = this.recipe(name) === undefined ? [] : [{ kind: 'recipe', sandbox: name } as const];
    return [...[...recipe, ...egress].map((node) => this.nodes.keep<RecipeNode | EgressNode>(node)), ...checkpoints];
  }

  private async checkpointNodes(name: SandboxName): Promise<Node[]> {
    try {
      const newestFirst = [...((await this.live.value?.checkpoints(name)) ?? [])].reverse();
      return newestFirst.map((checkpoint) => this.nodes.keepCheckpoint(name, checkpoint));
    } catch (error) {
      return [this.nodes.keepTrouble(toPixelsError(error), name)];
    }
  }

  private row(node: Node): Row {
    switch (node.kind) {
      case 'sandbox':
        return sandboxRow(
          node.name,
          this.live.value?.sandbox(node.name),
          this.activity.of(node.name),
          this.lacks,
          this.recipe(node.name),
        );
      case 'recipe': {
        const recipe = this.recipe(node.sandbox);
        const status = this.live.value?.sandbox(node.sandbox)?.status;
        return recipe === undefined || status === undefined ? GONE : recipeRow(recipe, status);
      }
      case 'checkpoint': {
        const checkpoint = this.nodes.checkpoint(node);
        return checkpointRow(
          checkpoint ?? { label: node.label, createdAt: new Date(), sizeBytes: undefined },
          this.lacks,
        );
      }
      case 'egress':
      case 'refused':
      case 'refusal':
      case 'group':
      case 'domain':
        return this.egress.row(node) ?? GONE;
      case 'bases':
        return basesRow();
      case 'base':
        return this.bases.row(node.name);
      case 'trouble':
        return troubleRow(this.nodes.trouble(node));
    }
  }

  private recipe(name: SandboxName): RecipeState | undefined {
    const sandbox = this.live.value?.sandbox(name);
    return sandbox && recipeState(sandbox, this.provisioning.of(name));
  }

  private redraw(change: InventoryChange): void {
    if (!this.drawn.has('')) return;
    const roots = this.roots();
    if (ids(roots) !== this.drawn.get('')) {
      this.changed.fire(undefined);
      return;
    }
    for (const node of roots) {
      if (change.kind === 'sandbox' && !isAbout(node, change.name)) continue;
      if (JSON.stringify(this.row(node)) !== this.drawn.get(nodeId(node))) this.changed.fire(node);
      else if (node.kind !== 'trouble' && this.visible !== undefined) void this.redrawChildren(node);
    }
  }

  private async redrawChildren(parent: ParentNode): Promise<void> {
    const before = this.drawn.get(childrenKey(parent));
    if (before === undefined) return;
    const nodes = await this.children(parent);
    const isSame = (node: Node) => JSON.stringify(this.row(node)) === this.drawn.get(nodeId(node));
    const different = ids(nodes) === before ? nodes.filter((node) => !isSame(node)) : [parent];
    for (const node of different) this.changed.fire(node);
    if (different.includes(parent)) return;
    for (const node of nodes) if (isParent(node) && !different.includes(node)) await this.redrawChildren(node);
  }
}

const BASES: BasesNode = { kind: 'bases' };

/** A row that the editor asks for when there is nothing any more for it to show. It will ask for its neighbours next. */
const GONE: Row = { label: '', description: '', icon: { id: 'blank' }, tags: [], expandable: 'no' };

function ids(nodes: readonly Node[]): string {
  return JSON.stringify(nodes.map(nodeId));
}

function childrenKey(parent: Node): string {
  return `children of ${nodeId(parent)}`;
}

/** Whether a row, or one under it, shows this sandbox or base. */
function isAbout(node: Node, name: SandboxName): boolean {
  if (node.kind === 'bases') return baseOf(name) !== undefined;
  return node.kind === 'sandbox' && node.name === name;
}
